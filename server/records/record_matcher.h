// Which record an imported row is, by the natural keys that its kind declares.
#ifndef MAILLAGE_SERVER_RECORDS_RECORD_MATCHER_H_
#define MAILLAGE_SERVER_RECORDS_RECORD_MATCHER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "proto/id.h"
#include "replication/record_state.h"
#include "replication/schema.h"
#include "server/records/upsert_store.h"

namespace maillage::server {

struct RecordMatch {
  enum class Outcome : uint8_t {
    // No record has any of these keys.
    kNone,
    // This very row came in before; whatever became of the record since is somebody's decision.
    kImported,
    // The one record of these keys; alive.
    kFound,
    // A person has to decide; `reason` and `field` say what.
    kRefused,
  };

  Outcome outcome = Outcome::kNone;
  // Of kImported and kFound.
  RecordId id;
  // Of kFound.
  replication::RecordState state;
  // Of kRefused: French, without the field's name.
  std::string reason;
  std::string field;
};

// Keys are tried in the order of their declaration.
// 1. Import keys, a MAP alone: how the file calls its row. A match is kImported.
// 2. Strong keys. One record that is alive: kFound, unless it contradicts a stronger key. Several,
// or none but
//    deleted ones: kRefused.
// 3. Weak keys, each in its turn: records that contradict a strong key are others. One: kFound.
// Several: kRefused.
class RecordMatcher {
 public:
  // All must outlive this.
  RecordMatcher(const replication::Schema* schema, const replication::KindSchema* kind,
                UpsertStore* store)
      : schema_(schema), kind_(kind), store_(store) {}

  // Errors of the store alone.
  absl::StatusOr<RecordMatch> Find(const google::protobuf::Message& row);

  // A key by which files call their rows.
  static bool IsImportKey(const replication::KindSchema& kind,
                          const replication::NaturalKeySchema& key);

 private:
  struct Candidate {
    RecordId id;
    replication::RecordState state;
    std::unique_ptr<google::protobuf::Message> content;
    // The strongest key by which it was found.
    uint8_t rule = 0;
    bool deleted = false;
  };

  // Records with one of the keys of `row` that `wanted` takes, each once, strongest first.
  template <typename Wanted>
  absl::StatusOr<std::vector<Candidate>> Candidates(
      const std::vector<replication::NaturalKeyValue>& keys, Wanted wanted);
  RecordMatch ChooseStrong(const std::vector<replication::NaturalKeyValue>& keys,
                           std::vector<Candidate> candidates) const;
  RecordMatch ChooseWeak(const std::vector<replication::NaturalKeyValue>& keys,
                         std::vector<Candidate> candidates) const;
  // A strong key, stronger than `below`, of one single value, that row and record have and that
  // differs; null if there is none.
  const replication::NaturalKeySchema* Contradiction(
      const std::vector<replication::NaturalKeyValue>& keys, const Candidate& candidate,
      uint8_t below) const;
  RecordMatch Refuse(const replication::NaturalKeySchema& key, const std::vector<Candidate>& named,
                     const std::string& why) const;
  std::string Describe(const Candidate& candidate) const;

  const replication::Schema* const schema_;
  const replication::KindSchema* const kind_;
  UpsertStore* const store_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_RECORD_MATCHER_H_
