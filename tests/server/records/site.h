// One site in memory, as the tests of RecordService speak of it.
#ifndef MAILLAGE_TESTS_SERVER_RECORDS_SITE_H_
#define MAILLAGE_TESTS_SERVER_RECORDS_SITE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "proto/record_service.pb.h"
#include "proto/records.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"
#include "storage/memory_store.h"
#include "tests/replication/support/ports.h"

namespace maillage::server::testing {

// A message in Protocol Buffers' text format.
template <typename T>
T Parse(const std::string& text) {
  T message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Text format on one line, accents as they are.
std::string Line(const google::protobuf::Message& message);

template <typename T>
T Unpack(const v1::Record& record) {
  T content;
  EXPECT_TRUE(record.content().UnpackTo(&content)) << record.content().type_url();
  return content;
}

std::string Uuid(int number);

// What a retry of a write carries, and who writes.
v1::WriteContext By(std::string_view person, std::string_view request_id = "");

// Writes are committed at once; each happens a second after the one before.
class Site {
 public:
  explicit Site(char letter, const replication::Schema& schema = replication::Schema::BuiltIn());

  replication::Replica& replica() { return *replica_; }
  const replication::Schema& schema() const { return schema_; }
  storage::MemoryStore& store() { return store_; }
  const SiteId& id() const { return id_; }
  uint64_t head() const { return replica_->progress().feed_head; }

  absl::StatusOr<v1::Record> Create(const google::protobuf::Message& content,
                                    const v1::WriteContext& context = By("Awa"));
  absl::StatusOr<v1::Record> Update(const v1::UpdateRecordRequest& request);
  // Sets the fields of `content`; of the record with the etag that was read, if `read` has one.
  absl::StatusOr<v1::Record> Set(const v1::Record& read, const google::protobuf::Message& content,
                                 std::string_view person = "Awa");
  absl::StatusOr<v1::Record> Delete(const v1::Record& read, std::string_view person = "Awa");
  absl::StatusOr<v1::Record> Undelete(const v1::Record& read, std::string_view person = "Awa");
  absl::StatusOr<v1::BatchUpsertRecordsResponse> Upsert(
      const v1::BatchUpsertRecordsRequest& request);

  absl::StatusOr<v1::Record> Get(const std::string& name);
  absl::StatusOr<v1::ListRecordsResponse> List(const v1::ListRecordsRequest& request);
  absl::StatusOr<v1::ListConflictsResponse> Conflicts(const v1::ListConflictsRequest& request = {});
  absl::StatusOr<v1::ListRecordChangesResponse> History(
      const v1::ListRecordChangesRequest& request);

  // Writes the site's own record.
  void CallItself(const std::string& name);

  // All changes, in the order of this site's feed.
  void GiveTo(Site& other);
  // The whole state of one record.
  void GiveStateTo(Site& other, const v1::Record& record);

 private:
  // Commits what `write` did and passes on what it said.
  template <typename T>
  absl::StatusOr<T> Committed(absl::StatusOr<T> result);

  const replication::Schema& schema_;
  const SiteId id_;
  storage::MemoryStore store_;
  replication::testing::FakeWall wall_;
  replication::testing::SeededRandom random_;
  std::unique_ptr<replication::Replica> replica_;
};

// Titles, in the order of the list.
std::vector<std::string> Names(const v1::ListRecordsResponse& response);

}  // namespace maillage::server::testing

#endif  // MAILLAGE_TESTS_SERVER_RECORDS_SITE_H_
