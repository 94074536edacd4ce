// Changes in one line each:
//
//   Written("b1").After("a2").At(17).Set(1, "x").Add(3, "y")
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_CHANGES_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_CHANGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "replication/record_state.h"
#include "tests/replication/support/literals.h"

namespace maillage::replication::testing {

inline constexpr uint16_t kKind = 1;

Operation Put(uint32_t field, std::string value, v1::MergeRule rule = v1::REGISTER,
              std::string key = "");
Operation AddElement(uint32_t field, std::string element);
Operation PutEntry(uint32_t field, std::string key, std::string value);
// Of a whole register where `key` is empty.
Operation RemoveSeen(uint32_t field, v1::MergeRule rule = v1::REGISTER, std::string key = "");

// A change under construction. Its record is record 1 of kKind, its site sequence the dot's number.
class Written {
 public:
  explicit Written(std::string_view dot);

  // What the person had read; nothing unless said.
  Written& After(std::string_view vector);
  // Hybrid time in milliseconds; the dot's number unless said.
  Written& At(uint64_t millis);
  Written& By(std::string person);
  Written& Of(const RecordKey& record);

  Written& Set(uint32_t field, std::string value);
  Written& Clear(uint32_t field);
  Written& Add(uint32_t field, std::string element);
  Written& Remove(uint32_t field, std::string element);
  Written& SetEntry(uint32_t field, std::string key, std::string value);
  Written& RemoveEntry(uint32_t field, std::string key);
  Written& Max(uint32_t field, std::string value);
  // The author's total.
  Written& Count(uint32_t field, std::string total);
  // Covers what After said, whichever comes first.
  Written& Delete();
  Written& Undelete();
  Written& Do(Operation operation);

  // With its operations in order.
  Change Done() const;
  operator Change() const { return Done(); }  // NOLINT: reads as the change it is

 private:
  Change change_;
  bool deletes_ = false;
};

// The state that the changes make, applied in that order.
RecordState StateOf(const std::vector<Change>& changes);
// What joining both gives.
RecordState Joined(RecordState left, const RecordState& right);

// The winner's value; empty where nothing is alive.
std::string ValueOf(const RecordState& state, uint32_t field, std::string_view key = {});
// Values kept beside the winner, as OtherVersions orders them.
std::vector<std::string> BesideOf(const RecordState& state, uint32_t field,
                                  std::string_view key = {});
// Keys of the field's cells.
std::vector<std::string> KeysOf(const RecordState& state, uint32_t field);

// One line per cell and version, for messages.
std::string Show(const RecordState& state);
std::string Show(const Change& change);

}  // namespace maillage::replication::testing

namespace maillage::replication {
void PrintTo(const RecordState& state, std::ostream* out);
void PrintTo(const Change& change, std::ostream* out);
}  // namespace maillage::replication

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_CHANGES_H_
