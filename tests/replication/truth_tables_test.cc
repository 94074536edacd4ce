// Plays each row of the truth tables of replication/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "replication/check.h"
#include "replication/edit.h"
#include "tests/replication/support/changes.h"

namespace maillage::replication::testing {
namespace {

constexpr char kNothing[] = "—";
constexpr uint32_t kField = 1;

struct Row {
  std::string rule;
  std::string before;
  std::string alice;
  std::string bob;
  bool bob_had_seen;
  std::string carol;
  std::string readers_see;
  std::string beside;
  std::string line;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.line; }

std::vector<std::string> SplitCells(const std::string& line) {
  std::vector<std::string> cells;
  for (const absl::string_view cell : absl::StrSplit(line, '|')) {
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  }
  return cells;
}

// The rows of tables with seven columns, each with the first word of the heading above it.
std::vector<Row> RowsOfReadme() {
  std::vector<Row> rows;
  std::ifstream readme(MAILLAGE_SOURCE_DIR "/replication/README.md");
  std::string rule;
  for (std::string line; std::getline(readme, line);) {
    if (absl::StartsWith(line, "### ")) rule = line.substr(4, line.find_first_of(": ", 4) - 4);
    const std::vector<std::string> cells = SplitCells(line);
    if (cells.size() != 9 || cells[1] == "before" || cells[1] == "---") continue;
    rows.push_back({rule, cells[1], cells[2], cells[3], cells[4] == "yes", cells[5], cells[6],
                    cells[7], line});
  }
  return rows;
}

v1::MergeRule RuleNamed(const std::string& name) {
  v1::MergeRule rule = v1::REGISTER;
  MAILLAGE_CHECK(name == "Life" || v1::MergeRule_Parse(name, &rule));
  return rule;
}

// Turns "writes x, then writes y" into changes of one person.
class Person {
 public:
  Person(const char* letter, uint64_t first_millis, v1::MergeRule rule)
      : actor_(ParseDot(absl::StrCat(letter, "1")).actor), millis_(first_millis), rule_(rule) {}

  std::vector<Change> Do(const std::string& actions, VersionVector seen) {
    std::vector<Change> changes;
    if (actions == kNothing) return changes;
    const std::vector<std::string> in_turn = absl::StrSplit(actions, ", then ");
    for (const std::string& action : in_turn) {
      Change change = Written("a1").At(millis_++);
      change.dot = {actor_, changes.size() + 1};
      change.context = seen;
      change.operations.push_back(Operate(action, seen));
      seen.Add(change.dot);
      changes.push_back(std::move(change));
    }
    return changes;
  }

 private:
  Operation Operate(const std::string& action, const VersionVector& seen) {
    const std::vector<std::string> words = absl::StrSplit(action, absl::MaxSplits(' ', 1));
    const std::string& verb = words[0];
    if (verb == "deletes") return DeleteOperation(seen);
    if (verb == "undeletes") return UndeleteOperation();
    if (verb == "edits") return Put(kField, Show(Dot{actor_, 1}));
    if (verb == "clears") return RemoveSeen(kField, rule_);
    const std::string& what = words.at(1);
    if (verb == "removes") return RemoveSeen(kField, rule_, what);
    if (verb == "adds") return rule_ == v1::COUNTER ? Count(what) : AddElement(kField, what);
    MAILLAGE_CHECK(verb == "writes");
    if (rule_ != v1::MAP) return Put(kField, what, rule_);
    const std::vector<std::string> entry = absl::StrSplit(what, " = ");
    return PutEntry(kField, entry.at(0), entry.at(1));
  }

  Operation Count(const std::string& what) {
    int64_t added = 0;
    MAILLAGE_CHECK(absl::SimpleAtoi(what, &added));
    total_ += added;
    return Put(kField, absl::StrCat(total_), v1::COUNTER);
  }

  const Actor actor_;
  uint64_t millis_;
  const v1::MergeRule rule_;
  int64_t total_ = 0;
};

// What readers see of the field, as the tables write it.
std::string Seen(const RecordState& state, v1::MergeRule rule) {
  std::vector<std::string> texts;
  const auto [begin, end] = state.FieldCells(kField);
  for (const Cell* cell = begin; cell != end; ++cell) {
    const std::string& value = Winner(cell->versions).value;
    texts.push_back(rule == v1::SET       ? cell->key
                    : rule == v1::MAP     ? absl::StrCat(cell->key, " = ", value)
                    : rule == v1::COUNTER ? absl::StrCat(CounterSum(*cell))
                                          : value);
  }
  return texts.empty() ? kNothing : absl::StrJoin(texts, ", ");
}

std::string SeenBeside(const RecordState& state, v1::MergeRule rule) {
  std::vector<std::string> texts;
  const auto [begin, end] = state.FieldCells(kField);
  for (const Cell* cell = begin; cell != end; ++cell) {
    for (const Version* version : OtherVersions(*cell)) {
      texts.push_back(rule == v1::MAP ? absl::StrCat(cell->key, " = ", version->value)
                                      : version->value);
    }
  }
  return texts.empty() ? kNothing : absl::StrJoin(texts, ", ");
}

std::string LifeName(Life life) {
  return life == Life::kAlive ? "alive" : life == Life::kDeleted ? "deleted" : "contested";
}

// "4, 5" was added, "x" written, a record that is alive edited.
std::string HowItCame(const Row& row) {
  if (row.rule == "Life") return "edits";
  if (row.before == kNothing) return kNothing;
  const bool added = row.rule == "SET" || row.rule == "COUNTER";
  const std::string verb = added ? "adds " : "writes ";
  return verb + absl::StrReplaceAll(row.before, {{", ", ", then " + verb}});
}

std::vector<Change> Sequence(std::initializer_list<std::vector<Change>> parts) {
  std::vector<Change> all;
  for (const std::vector<Change>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

class TruthTables : public ::testing::TestWithParam<Row> {
 protected:
  void ExpectRow(const RecordState& state) const {
    const Row& row = GetParam();
    if (row.rule == "Life") {
      EXPECT_EQ(LifeName(state.life()), row.readers_see);
      return;
    }
    EXPECT_EQ(Seen(state, RuleNamed(row.rule)), row.readers_see);
    EXPECT_EQ(SeenBeside(state, RuleNamed(row.rule)), row.beside);
    EXPECT_EQ(state.life(), Life::kAlive);
  }
};

TEST_P(TruthTables, Hold) {
  const Row& row = GetParam();
  SCOPED_TRACE(row.line);
  const v1::MergeRule rule = RuleNamed(row.rule);
  const auto before = Person("d", 1, rule).Do(HowItCame(row), {});
  const VersionVector seen = StateOf(before).vector();
  const auto alice = Person("a", 100, rule).Do(row.alice, seen);
  const RecordState with_alice = StateOf(Sequence({before, alice}));
  const auto bob =
      Person("b", 200, rule).Do(row.bob, row.bob_had_seen ? with_alice.vector() : seen);
  const RecordState both = StateOf(Sequence({before, alice, bob}));
  const auto carol = Person("c", 300, rule).Do(row.carol, both.vector());

  const RecordState state = StateOf(Sequence({before, alice, bob, carol}));
  ExpectRow(state);
  if (!row.bob_had_seen) {
    EXPECT_EQ(StateOf(Sequence({before, bob, alice, carol})), state);
    const RecordState with_bob = StateOf(Sequence({before, bob}));
    EXPECT_EQ(Joined(with_alice, with_bob), both);
    EXPECT_EQ(Joined(with_bob, with_alice), both);
  }
  EXPECT_EQ(Joined(both, state), state);
  EXPECT_EQ(Joined(state, both), state);
}

INSTANTIATE_TEST_SUITE_P(Readme, TruthTables, ::testing::ValuesIn(RowsOfReadme()),
                         [](const auto& info) {
                           return absl::StrCat(info.param.rule, "_", info.index);
                         });

TEST(TruthTablesOfReadme, AreAllThere) {
  std::map<std::string, size_t> rows;
  for (const Row& row : RowsOfReadme()) ++rows[row.rule];
  const std::map<std::string, size_t> expected = {{"REGISTER", 14}, {"SET", 10},    {"MAP", 10},
                                                  {"MAX", 7},       {"COUNTER", 6}, {"Life", 15}};
  EXPECT_EQ(rows, expected);
}

struct WinnerCase {
  const char* what;
  Written loser;
  Written winner;
};

class Winners : public ::testing::TestWithParam<WinnerCase> {};

TEST_P(Winners, AreTheSameInAnyOrder) {
  const auto& [what, loser, winner] = GetParam();
  for (const auto& changes :
       {std::vector<Change>{loser, winner}, std::vector<Change>{winner, loser}}) {
    const RecordState state = StateOf(changes);
    EXPECT_EQ(ValueOf(state, kField), "winner");
  }
}

Written Loser(const char* dot) { return Written(dot).At(5).Set(kField, "loser"); }
Written WinnerOf(const char* dot) { return Written(dot).At(5).Set(kField, "winner"); }

INSTANTIATE_TEST_SUITE_P(
    Readme, Winners,
    ::testing::Values(WinnerCase{"later", Loser("b1").At(4), WinnerOf("a1")},
                      WinnerCase{"greater_site", Loser("a1"), WinnerOf("b1")},
                      WinnerCase{"greater_incarnation", Loser("a'1"), WinnerOf("a~1")},
                      WinnerCase{"greater_epoch", Loser("a1"), WinnerOf("a'1")},
                      WinnerCase{"later_beats_greater_site", Loser("c1").At(1),
                                 WinnerOf("b1").At(2)},
                      WinnerCase{"greatness_in_a_max", Written("b1").At(9).Max(kField, "loser"),
                                 Written("a1").At(1).Max(kField, "winner")}),
    [](const auto& info) { return info.param.what; });

TEST(Winners, OfOneActorAreTheLastNumber) {
  const RecordState state = StateOf(
      {Written("a1").At(5).Set(kField, "first"), Written("a2").At(5).Set(kField, "second")});
  EXPECT_EQ(ValueOf(state, kField), "second");
  EXPECT_EQ(BesideOf(state, kField), std::vector<std::string>{"first"});
}

}  // namespace
}  // namespace maillage::replication::testing
