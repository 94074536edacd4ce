// The C++ client: typed records over a connection to one node.
//
//   Client client(MakeRetryingConnection(MakeGrpcConnection({.address = "127.0.0.1:7101"})),
//                 {.person = "Awa"});
//   v1::Actor actor;
//   actor.set_name("Amis du Mali");
//   absl::StatusOr<Stored<v1::Actor>> created = client.Create(actor);
#ifndef MAILLAGE_CLIENT_CLIENT_H_
#define MAILLAGE_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connection.h"
#include "client/kinds.h"
#include "client/paged_range.h"
#include "client/uuid.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

namespace maillage::client {

// A record as the node gave it.
template <typename T>
struct Stored {
  // "actor/018f…".
  std::string name;
  std::string etag;
  T content;
  bool deleted = false;
  // Fields with other concurrent versions.
  std::vector<std::string> conflicting_fields;
};

struct ClientOptions {
  // Who writes, as history shows them; empty: "anonymous".
  std::string person = {};
  // Ids of requests; set in tests.
  std::function<std::string()> request_id = RandomUuid;
};

struct ListOptions {
  // AIP-160; AIP-132; words without accents and case. See proto/record_service.proto.
  std::string filter = {};
  std::string order_by = {};
  std::string search = {};
  bool show_deleted = false;
  // Fields to return; empty: all.
  std::vector<std::string> read_mask = {};
  // Of a page, at most 1000; 0 is the node's choice.
  int page_size = 0;
};

struct UpdateOptions {
  // Fields that the content sets or, lacking them, clears.
  std::vector<std::string> mask = {};
  // What the person read; empty: the write replaces what the node holds.
  std::string etag = {};
  // Elements to add to and to remove from repeated fields; may be null. Not owned.
  const google::protobuf::Message* additions = nullptr;
  const google::protobuf::Message* removals = nullptr;
};

// The request of the first page.
v1::ListRecordsRequest ListRequest(std::string_view kind, const ListOptions& options);

// Every write carries a fresh request id, chosen before the first try, so that a retrying
// connection may repeat it. Errors are those of the connection. Thread-safe as far as its
// connection and request_id are.
class Client {
 public:
  explicit Client(std::shared_ptr<Connection> connection, ClientOptions options = {})
      : connection_(std::move(connection)), options_(std::move(options)) {}

  template <typename T>
  absl::StatusOr<Stored<T>> Get(std::string_view id) {
    return Typed<T>(GetRecord(RecordName(*T::descriptor(), id)));
  }
  template <typename T>
  PagedRange<Stored<T>> List(ListOptions options = {});
  template <typename T>
  absl::StatusOr<Stored<T>> Create(const T& content) {
    return Typed<T>(CreateRecord(content));
  }
  template <typename T>
  absl::StatusOr<Stored<T>> Update(std::string_view name, const T& content,
                                   const UpdateOptions& options) {
    return Typed<T>(UpdateRecord(name, content, options));
  }
  // The record as it was when the event's change had been applied. False from the handler ends the
  // watch.
  template <typename T>
  absl::Status Watch(absl::Time until,
                     const std::function<bool(Stored<T>, const v1::RecordChange&)>& handler);

  // The same for any kind.
  absl::StatusOr<v1::Record> GetRecord(std::string_view name);
  PagedRange<v1::Record> ListRecords(std::string_view kind, const ListOptions& options);
  absl::StatusOr<v1::Record> CreateRecord(const google::protobuf::Message& content);
  absl::StatusOr<v1::Record> UpdateRecord(std::string_view name,
                                          const google::protobuf::Message& content,
                                          const UpdateOptions& options);
  absl::StatusOr<v1::Record> Delete(std::string_view name, std::string_view etag = "");
  absl::StatusOr<v1::Record> Undelete(std::string_view name, std::string_view etag = "");
  // At most 1000 of a kind. Each result stands for itself.
  absl::StatusOr<v1::BatchUpsertRecordsResponse> BatchUpsert(
      std::string_view kind, const std::vector<const google::protobuf::Message*>& content,
      bool validate_only);
  // `after`: a position of the node's feed; absent: from now on. `kind` may be empty.
  absl::Status WatchRecords(std::string_view kind, std::optional<uint64_t> after, absl::Time until,
                            const Connection::EventHandler& handler);

  // Newest first.
  PagedRange<v1::RecordChange> History(std::string_view name);
  // `kind` may be empty.
  PagedRange<v1::RecordConflict> Conflicts(std::string_view kind);

  // For the calls that need no more than their message: status, peers.
  Connection& connection() { return *connection_; }

 private:
  v1::WriteContext NewContext() const;

  template <typename T>
  static absl::StatusOr<Stored<T>> Typed(absl::StatusOr<v1::Record> record);

  const std::shared_ptr<Connection> connection_;
  const ClientOptions options_;
};

}  // namespace maillage::client

#include "client/client_typed.inc.h"

#endif  // MAILLAGE_CLIENT_CLIENT_H_
