// What storage/store.h promises, as tests that run on every implementation: an implementation's
// test file instantiates StoreContract with a factory.
#ifndef MAILLAGE_TESTS_STORAGE_STORE_CONTRACT_H_
#define MAILLAGE_TESTS_STORAGE_STORE_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/store.h"

namespace maillage::storage {

// A store that can be closed and opened again, as a restart of the process does.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  virtual void Reopen() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};
inline void PrintTo(const StoreFactory& factory, std::ostream* out) { *out << factory.name; }

using Row = std::pair<std::string, std::string>;

// The rows that a scan meets, in its order; fails the test if the walk ends with an error.
std::vector<Row> Rows(const ReadView& view, Table table, const KeyRange& range = {},
                      ScanOrder order = ScanOrder::kAscending);
std::vector<std::string> Keys(const ReadView& view, Table table, const KeyRange& range = {},
                              ScanOrder order = ScanOrder::kAscending);
// The value, or nothing; fails the test on an error.
std::optional<std::string> Value(const ReadView& view, Table table, std::string_view key);
// One commit of one put; fails the test on an error.
void Put(Store& store, Table table, std::string key, std::string value);

class StoreContract : public ::testing::TestWithParam<StoreFactory> {
 protected:
  StoreContract() : under_test_(GetParam().make()) {}
  Store& store() { return under_test_->store(); }
  void Reopen() { under_test_->Reopen(); }

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
};

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_STORE_CONTRACT_H_
