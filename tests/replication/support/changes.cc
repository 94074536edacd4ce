#include "tests/replication/support/changes.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "replication/edit.h"

namespace maillage::replication {

void PrintTo(const RecordState& state, std::ostream* out) { *out << testing::Show(state); }
void PrintTo(const Change& change, std::ostream* out) { *out << testing::Show(change); }

namespace testing {

Operation Put(uint32_t field, std::string value, v1::MergeRule rule, std::string key) {
  return {field, rule, std::move(key), std::move(value), false};
}

Operation AddElement(uint32_t field, std::string element) {
  return Put(field, "", v1::SET, std::move(element));
}

Operation PutEntry(uint32_t field, std::string key, std::string value) {
  return Put(field, std::move(value), v1::MAP, std::move(key));
}

Operation RemoveSeen(uint32_t field, v1::MergeRule rule, std::string key) {
  return {field, rule, std::move(key), std::nullopt, false};
}

Written::Written(std::string_view dot) {
  change_.record = {kKind, IdOf(1)};
  change_.dot = ParseDot(dot);
  change_.site_sequence = change_.dot.n;
  change_.time = HybridTime::FromMillis(change_.dot.n);
  change_.person = std::string(1, change_.dot.actor.site.bytes()[0]);
}

Written& Written::After(std::string_view vector) {
  change_.context = ParseVector(vector);
  return *this;
}
Written& Written::At(uint64_t millis) {
  change_.time = HybridTime::FromMillis(millis);
  return *this;
}
Written& Written::By(std::string person) {
  change_.person = std::move(person);
  return *this;
}
Written& Written::Of(const RecordKey& record) {
  change_.record = record;
  return *this;
}
Written& Written::Set(uint32_t field, std::string value) {
  return Do(Put(field, std::move(value)));
}
Written& Written::Clear(uint32_t field) { return Do(RemoveSeen(field)); }
Written& Written::Add(uint32_t field, std::string element) {
  return Do(AddElement(field, std::move(element)));
}
Written& Written::Remove(uint32_t field, std::string element) {
  return Do(RemoveSeen(field, v1::SET, std::move(element)));
}
Written& Written::SetEntry(uint32_t field, std::string key, std::string value) {
  return Do(PutEntry(field, std::move(key), std::move(value)));
}
Written& Written::RemoveEntry(uint32_t field, std::string key) {
  return Do(RemoveSeen(field, v1::MAP, std::move(key)));
}
Written& Written::Max(uint32_t field, std::string value) {
  return Do(Put(field, std::move(value), v1::MAX));
}
Written& Written::Count(uint32_t field, std::string total) {
  return Do(Put(field, std::move(total), v1::COUNTER));
}
Written& Written::Delete() {
  deletes_ = true;
  return *this;
}
Written& Written::Undelete() { return Do(UndeleteOperation()); }
Written& Written::Do(Operation operation) {
  change_.operations.push_back(std::move(operation));
  return *this;
}

Change Written::Done() const {
  Change change = change_;
  if (deletes_) change.operations.push_back(DeleteOperation(change.context));
  std::sort(change.operations.begin(), change.operations.end(),
            [](const Operation& a, const Operation& b) {
              return std::tie(a.field, a.key) < std::tie(b.field, b.key);
            });
  return change;
}

RecordState StateOf(const std::vector<Change>& changes) {
  RecordState state;
  for (const Change& change : changes) state.Apply(change);
  return state;
}

RecordState Joined(RecordState left, const RecordState& right) {
  left.Join(right);
  return left;
}

std::string ValueOf(const RecordState& state, uint32_t field, std::string_view key) {
  const Cell* cell = state.Find(field, key);
  return cell == nullptr ? "" : Winner(cell->versions).value;
}

std::vector<std::string> BesideOf(const RecordState& state, uint32_t field, std::string_view key) {
  std::vector<std::string> values;
  const Cell* cell = state.Find(field, key);
  if (cell == nullptr) return values;
  for (const Version* version : OtherVersions(*cell)) values.push_back(version->value);
  return values;
}

std::vector<std::string> KeysOf(const RecordState& state, uint32_t field) {
  std::vector<std::string> keys;
  const auto [begin, end] = state.FieldCells(field);
  for (const Cell* cell = begin; cell != end; ++cell) keys.push_back(cell->key);
  return keys;
}

std::string Show(const RecordState& state) {
  std::string text = absl::StrCat("\n  vector ", Show(state.vector()), "\n");
  for (const Cell& cell : state.cells()) {
    absl::StrAppend(&text, "  ", cell.field, "[", absl::CHexEscape(cell.key), "]\n");
    for (const Version& version : cell.versions) {
      absl::StrAppend(&text, "    ", Show(version.dot), " at ", version.time.value, " by ",
                      version.person, ", ", v1::MergeRule_Name(version.rule),
                      version.territory ? ", territory" : "", ": ", absl::CHexEscape(version.value),
                      "\n");
    }
  }
  return text;
}

std::string Show(const Change& change) {
  std::string text = absl::StrCat("\n  ", Show(change.dot), " after ", Show(change.context), " at ",
                                  change.time.value, "\n");
  for (const Operation& operation : change.operations) {
    absl::StrAppend(&text, "    ", v1::MergeRule_Name(operation.rule), " ", operation.field, "[",
                    absl::CHexEscape(operation.key), "] ",
                    operation.value.has_value()
                        ? absl::StrCat("= ", absl::CHexEscape(*operation.value))
                        : "removed",
                    "\n");
  }
  return text;
}

}  // namespace testing
}  // namespace maillage::replication
