// The templates of client/client.h, which includes it.
#ifndef MAILLAGE_CLIENT_CLIENT_TYPED_INC_H_
#define MAILLAGE_CLIENT_CLIENT_TYPED_INC_H_

#include "client/client.h"

namespace maillage::client {

template <typename T>
absl::StatusOr<Stored<T>> Client::Typed(absl::StatusOr<v1::Record> record) {
  if (!record.ok()) return record.status();
  Stored<T> stored;
  if (!record->content().UnpackTo(&stored.content)) {
    return absl::InvalidArgumentError(record->name() + " : " + record->content().type_url());
  }
  stored.name = record->name();
  stored.etag = record->etag();
  stored.deleted = record->deleted();
  stored.conflicting_fields = {record->conflicting_fields().begin(),
                               record->conflicting_fields().end()};
  return stored;
}

template <typename T>
PagedRange<Stored<T>> Client::List(ListOptions options) {
  v1::ListRecordsRequest request = ListRequest(KindOf(*T::descriptor()).name(), options);
  return PagedRange<Stored<T>>([connection = connection_, request](const std::string& token) mutable
                               -> absl::StatusOr<typename PagedRange<Stored<T>>::Page> {
    request.set_page_token(token);
    absl::StatusOr<v1::ListRecordsResponse> response = connection->ListRecords(request);
    if (!response.ok()) return response.status();
    typename PagedRange<Stored<T>>::Page page;
    for (v1::Record& record : *response->mutable_records()) {
      absl::StatusOr<Stored<T>> stored = Typed<T>(std::move(record));
      if (!stored.ok()) return stored.status();
      page.items.push_back(*std::move(stored));
    }
    page.next_page_token = response->next_page_token();
    page.unreadable = response->unreadable_records();
    return page;
  });
}

template <typename T>
absl::Status Client::Watch(absl::Time until,
                           const std::function<bool(Stored<T>, const v1::RecordChange&)>& handler) {
  absl::Status unreadable;
  const absl::Status status = WatchRecords(
      KindOf(*T::descriptor()).name(), std::nullopt, until, [&](const v1::RecordEvent& event) {
        absl::StatusOr<Stored<T>> stored = event.unreadable().empty()
                                               ? Typed<T>(event.record())
                                               : absl::DataLossError(event.unreadable());
        if (!stored.ok()) {
          unreadable = stored.status();
          return false;
        }
        return handler(*std::move(stored), event.change());
      });
  return unreadable.ok() ? status : unreadable;
}

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_CLIENT_TYPED_INC_H_
