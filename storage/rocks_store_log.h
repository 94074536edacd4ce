// Inside RocksStore: what RocksDB's readers of logs and manifests pass over in silence.
//
// Zeros where a record should begin are padding to them, up to the next block; a record whose type is one of recycled
// logs ends the file; so does a manifest's record that is longer than the file. What is missing then is not told.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_LOG_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_LOG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "rocksdb/env.h"
#include "rocksdb/wal_filter.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks_store_note.h"

namespace maillage::storage::rocks {

// Where a log or a manifest stops being whole records.
struct BrokenFrame {
  uint64_t at = 0;
  uint64_t records_before = 0;
};

// The first; nothing where the bytes are whole records to their end. Checksums are RocksDB's to verify.
std::optional<BrokenFrame> FirstBrokenFrame(std::string_view bytes);

// Where the logs stop being sound.
struct LogDamage {
  // In French.
  std::string what;
  // 0: RocksDB, which found it, knows where.
  uint64_t log = 0;
  uint64_t records_before = 0;
  // The manifest tells of a log that is not there, or longer than it is; nothing is wrong with its records.
  bool told_by_manifest = false;
};

// The first damage of the folder's logs; nothing where they are whole, and as long as noted.
absl::StatusOr<std::optional<LogDamage>> FindLogDamage(rocksdb::Env* env, const std::string& folder, const Note& note);

// DataLoss unless the manifest in use is at least what the note says; the database must not be opened then, because
// RocksDB clears away what its manifest doesn't name.
absl::Status CheckManifest(rocksdb::Env* env, const std::string& folder, const Note& note);

// What RocksDB found. A log that it misses may be one that it had no more use for and deleted itself: where 7.8 begins a
// manifest anew, after a write to it failed, it may name that again (its pull request 10892). Then all is read.
LogDamage DamageToldByRocksDb(const rocksdb::Status& opened);

// Sees each batch that an opening reads from the logs, and lets none follow a hole.
class GaplessLogs final : public rocksdb::WalFilter {
 public:
  explicit GaplessLogs(std::vector<LogDamage> damages);
  const char* Name() const override { return "maillage.GaplessLogs"; }
  void ColumnFamilyLogNumberMap(const std::map<uint32_t, uint64_t>& first_logs,
                                const std::map<std::string, uint32_t>& families) override;
  WalProcessingOption LogRecordFound(unsigned long long log, const std::string& file, const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* replacement, bool* replaced) override;

  // RocksDB's number of the last write; nothing where the logs held none.
  std::optional<uint64_t> last() const { return last_; }
  // Of the first.
  std::optional<uint64_t> first() const { return first_; }
  // Nothing was needed of this log.
  bool IsObsolete(uint64_t log) const { return log < first_needed_log_; }

 private:
  bool IsBeyondDamage(uint64_t log);

  const std::vector<LogDamage> damages_;
  // Earlier logs hold nothing that isn't in sorted files.
  uint64_t first_needed_log_ = 0;
  // Of the log that is read.
  uint64_t log_ = 0;
  uint64_t records_ = 0;
  std::optional<uint64_t> first_;
  std::optional<uint64_t> last_;
};

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_LOG_H_
