#include "tests/bench/raw_rocks.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/write_batch.h"
#include "tests/bench/run.h"
#include "tests/replication/support/ports.h"

namespace maillage::bench {
namespace {

constexpr size_t kKeyBytes = 16;

void MustBeOk(const rocksdb::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

rocksdb::WriteOptions Synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

// Different for each number; of a buffer, so that making it costs nothing.
rocksdb::Slice ValueOf(uint64_t number, size_t bytes) {
  constexpr size_t kBufferBytes = size_t{1} << 20;
  static const std::string buffer = [] {
    replication::testing::SeededRandom random(1);
    std::string random_bytes(kBufferBytes, '\0');
    random.Fill({reinterpret_cast<uint8_t*>(random_bytes.data()), random_bytes.size()});
    return random_bytes;
  }();
  const size_t size = std::min(std::max(bytes, kKeyBytes + 1) - kKeyBytes, kBufferBytes / 2);
  return {buffer.data() + number * 61 % (kBufferBytes - size), size};
}

}  // namespace

RawRocks::RawRocks(const std::string& folder) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  rocksdb::DB* db = nullptr;
  MustBeOk(rocksdb::DB::Open(options, folder, &db));
  db_.reset(db);
}

RawRocks::~RawRocks() = default;

std::string RawRocks::NextKey() { return absl::StrFormat("%016d", next_key_++); }

std::vector<double> RawRocks::SyncedPuts(size_t count, size_t bytes) {
  std::vector<double> seconds;
  for (size_t i = 0; i < count; ++i) {
    const Stopwatch watch;
    MustBeOk(db_->Put(Synced(), NextKey(), ValueOf(i, bytes)));
    seconds.push_back(watch.Seconds());
  }
  return seconds;
}

double RawRocks::SecondsOfPuts(size_t threads, size_t count, size_t bytes) {
  return SecondsInThreads(threads, count, [&](size_t thread, size_t i) {
    MustBeOk(db_->Put(Synced(), NextKey(), ValueOf(thread * count + i, bytes)));
  });
}

double RawRocks::SecondsOfBatches(size_t batches, size_t puts, uint64_t bytes) {
  const size_t bytes_of_put = bytes / (batches * puts);
  const Stopwatch watch;
  for (size_t i = 0; i < batches; ++i) {
    rocksdb::WriteBatch batch;
    for (size_t put = 0; put < puts; ++put) {
      MustBeOk(batch.Put(NextKey(), ValueOf(i * puts + put, bytes_of_put)));
    }
    MustBeOk(db_->Write(Synced(), &batch));
  }
  return watch.Seconds();
}

}  // namespace maillage::bench
