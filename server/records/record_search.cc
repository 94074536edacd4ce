#include "server/records/record_search.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/text_fold.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/value_codec.h"
#include "server/records/limits.h"
#include "server/records/record_request.h"
#include "storage/keys.h"

namespace maillage::server {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using replication::FieldSchema;
using replication::KindSchema;
using replication::Life;
using replication::RecordState;
using replication::Schema;
using storage::ReadView;

namespace {

// Ids of records with a word that begins so, sorted, each once.
absl::StatusOr<std::vector<RecordId>> FindWord(const ReadView& view, uint16_t kind,
                                               std::string_view word, replication::Unread& unread) {
  std::vector<RecordId> ids;
  auto cursor =
      view.Scan(storage::Table::kIndex, storage::KeyRange::Prefix(storage::WordPrefix(kind, word)));
  while (true) {
    for (; cursor->Valid(); cursor->Next()) {
      const auto id = storage::ParseIndexedId(cursor->key());
      if (!id.has_value()) return absl::DataLossError("index table: a damaged key");
      ids.push_back(*id);
    }
    const absl::Status status = cursor->status();
    if (status.ok()) break;
    if (!cursor->SkipDamage()) return status;
    unread.Note(status);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void AppendWords(const Message& message, const FieldDescriptor& field,
                 std::vector<std::string>& words) {
  const auto add = [&](const std::string& text) {
    for (std::string& word : FoldedWords(text)) words.push_back(std::move(word));
  };
  if (!field.is_repeated()) return add(replication::EncodeValue(message, field));
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) add(replication::EncodeElement(message, field, i));
}

}  // namespace

absl::StatusOr<RecordSearch> RecordSearch::Make(const Schema& schema,
                                                const v1::ListRecordsRequest& request) {
  absl::StatusOr<const KindSchema*> kind = FindKind(schema, request.kind());
  if (!kind.ok()) return kind.status();
  if (request.search().size() > kMaxSearchBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("search\u00A0: plus de ", kMaxSearchBytes, " octets"));
  }
  RecordSearch search(&schema, *kind);
  absl::StatusOr<Filter> filter = ParseFilter(request.filter(), (*kind)->descriptor);
  if (!filter.ok()) return filter.status();
  search.filter_ = *std::move(filter);
  search.words_ = FoldedWords(request.search());
  std::stable_sort(search.words_.begin(), search.words_.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  search.show_deleted_ = request.show_deleted();
  return search;
}

bool RecordSearch::HasAllWords(const Message& content) const {
  if (words_.empty()) return true;
  std::vector<std::string> there;
  for (const FieldSchema& field : kind_->fields) {
    if (field.searchable) AppendWords(content, *field.descriptor, there);
  }
  return std::all_of(words_.begin(), words_.end(), [&](const std::string& wanted) {
    return std::any_of(there.begin(), there.end(),
                       [&](const std::string& word) { return absl::StartsWith(word, wanted); });
  });
}

bool RecordSearch::VisitIfMatching(const RecordId& id, const RecordState& state,
                                   absl::FunctionRef<bool(const FoundRecord&)> visit) const {
  if (!show_deleted_ && state.life() == Life::kDeleted) return true;
  const std::unique_ptr<Message> content = schema_->ToMessage(*kind_, state);
  if (!HasAllWords(*content) || !filter_.Matches(*content)) return true;
  return visit({id, state, *content});
}

absl::Status RecordSearch::ScanIndexed(const ReadView& view, const std::optional<RecordId>& after,
                                       absl::FunctionRef<bool(const FoundRecord&)> visit,
                                       replication::Unread& unread) const {
  absl::StatusOr<std::vector<RecordId>> ids = FindWord(view, kind_->number, words_.front(), unread);
  if (!ids.ok()) return ids.status();
  auto id = after.has_value() ? std::upper_bound(ids->begin(), ids->end(), *after) : ids->begin();
  for (; id != ids->end(); ++id) {
    auto state = replication::ReadState(view, {kind_->number, *id});
    const bool dangling = state.ok() && !state->has_value();
    if (dangling || absl::IsDataLoss(state.status())) {
      unread.Note(dangling ? absl::DataLossError("l'index nomme une fiche qui n'existe pas")
                           : state.status());
      continue;
    }
    if (!state.ok()) return state.status();
    if (!VisitIfMatching(*id, **state, visit)) break;
  }
  return absl::OkStatus();
}

absl::Status RecordSearch::Scan(const ReadView& view, const std::optional<RecordId>& after,
                                absl::FunctionRef<bool(const FoundRecord&)> visit,
                                replication::Unread& unread) const {
  if (!words_.empty() && !show_deleted_) return ScanIndexed(view, after, visit, unread);
  return replication::ScanStates(
      view, kind_->number, after,
      [&](const RecordKey& record, std::string_view bytes) {
        absl::StatusOr<RecordState> state = replication::DecodeState(bytes);
        if (state.ok()) return VisitIfMatching(record.id, *state, visit);
        unread.Note(replication::UnreadableRecord(record, state.status()));
        return true;
      },
      &unread);
}

}  // namespace maillage::server
