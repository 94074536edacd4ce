// RocksDB alone, with its default options and synced writes: the limit of everything that has to be
// durable.
#ifndef MAILLAGE_TESTS_BENCH_RAW_ROCKS_H_
#define MAILLAGE_TESTS_BENCH_RAW_ROCKS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rocksdb {
class DB;
}

namespace maillage::bench {

// Keys ascend, values are random bytes; `bytes` are those of key and value together, at least 17.
class RawRocks {
 public:
  // A new database in `folder`, which must not exist.
  explicit RawRocks(const std::string& folder);
  ~RawRocks();

  // What each of `count` puts took, one after the other, in seconds.
  std::vector<double> SyncedPuts(size_t count, size_t bytes);
  // Seconds for `count` puts by each of `threads` threads at once; RocksDB groups their commits.
  double SecondsOfPuts(size_t threads, size_t count, size_t bytes);
  // Seconds for `batches` synced batches that hold `bytes` together, `puts` in each.
  double SecondsOfBatches(size_t batches, size_t puts, uint64_t bytes);

 private:
  std::string NextKey();

  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<uint64_t> next_key_ = 0;
};

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_RAW_ROCKS_H_
