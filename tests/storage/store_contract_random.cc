// Random commits, snapshots, scans and restarts, held against maps that are copied whole for each
// snapshot.
#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/storage/store_contract.h"
#include "tests/support/seed.h"

namespace maillage::storage {
namespace {

using Model = std::array<std::map<std::string, std::string>, kTableCount>;

struct ModelledView {
  std::unique_ptr<ReadView> view;
  Model model;
};

class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {}

  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  Table AnyTable() { return static_cast<Table>(Below(kTableCount)); }
  // Few enough to meet again, from bytes at the edges of the order.
  std::string AnyKey() {
    constexpr std::string_view kBytes("\x00\x01\x61\xfe\xff", 5);
    std::string key;
    for (size_t length = Below(4); key.size() < length;)
      key.push_back(kBytes[Below(kBytes.size())]);
    return key;
  }
  std::string AnyValue() {
    return std::string(Below(20) == 0 ? Below(5000) : Below(4), static_cast<char>(random_()));
  }

  CommitBatch AnyBatch(Model& model) {
    CommitBatch batch;
    for (size_t writes = Below(20); writes > 0; --writes) {
      const Table table = AnyTable();
      std::string key = AnyKey();
      if (Below(3) == 0) {
        model[static_cast<size_t>(table)].erase(key);
        batch.Delete(table, std::move(key));
      } else {
        std::string value = AnyValue();
        model[static_cast<size_t>(table)][key] = value;
        batch.Put(table, std::move(key), std::move(value));
      }
    }
    return batch;
  }

 private:
  std::mt19937_64 random_;
};

std::vector<Row> Expected(const std::map<std::string, std::string>& model, const KeyRange& range,
                          ScanOrder order) {
  std::vector<Row> rows;
  for (const auto& [key, value] : model) {
    if (key >= range.begin && (range.end.empty() || key < range.end)) rows.emplace_back(key, value);
  }
  if (order == ScanOrder::kDescending) rows = {rows.rbegin(), rows.rend()};
  return rows;
}

void ExpectAgreement(const ReadView& view, const Model& model, History& history) {
  const Table table = history.AnyTable();
  const auto& rows = model[static_cast<size_t>(table)];
  const std::string key = history.AnyKey();
  const auto row = rows.find(key);
  EXPECT_EQ(Value(view, table, key),
            row == rows.end() ? std::nullopt : std::optional<std::string>(row->second));
  const KeyRange range = history.Below(2) == 0 ? KeyRange::Prefix(history.AnyKey())
                                               : KeyRange{history.AnyKey(), history.AnyKey()};
  const ScanOrder order = history.Below(2) == 0 ? ScanOrder::kAscending : ScanOrder::kDescending;
  EXPECT_EQ(Rows(view, table, range, order), Expected(rows, range, order));
}

TEST_P(StoreContract, AgreesWithMapsThatAreCopiedWhole) {
  History history(testing::TestSeed());
  Model model;
  std::vector<ModelledView> views;
  const uint64_t steps = testing::TestRounds(1500);
  for (uint64_t step = 0; step < steps && !HasFailure(); ++step) {
    SCOPED_TRACE(step);
    const size_t action = history.Below(100);
    if (action < 30) {
      ASSERT_TRUE(store().Commit(history.AnyBatch(model)).ok());
    } else if (action < 38) {
      views.push_back({store().Snapshot(), model});
    } else if (action < 46 && !views.empty()) {
      views.erase(views.begin() + static_cast<std::ptrdiff_t>(history.Below(views.size())));
    } else if (action < 47) {
      views.clear();
      Reopen();
    } else if (action < 75 && !views.empty()) {
      const ModelledView& old = views[history.Below(views.size())];
      ExpectAgreement(*old.view, old.model, history);
    } else {
      ExpectAgreement(store(), model, history);
    }
  }
  for (size_t table = 0; table < kTableCount; ++table) {
    EXPECT_EQ(Rows(store(), static_cast<Table>(table)),
              Expected(model[table], {}, ScanOrder::kAscending));
  }
}

}  // namespace
}  // namespace maillage::storage
