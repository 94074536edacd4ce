#include "storage/rocks_store_options.h"

#include <cstdarg>
#include <memory>
#include <string>

#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"

namespace maillage::storage::rocks {
namespace {

constexpr int kBeyondReach = 1 << 20;

rocksdb::ColumnFamilyOptions TableOptions(Table table, const RocksOptions& options,
                                          const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.cache_index_and_filter_blocks = true;
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;
  blocks.block_size = size_t{8} << 10;
  // The tables that are asked for keys that they often don't have.
  if (table == Table::kStates || table == Table::kMeta) {
    blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(/*bits_per_key=*/10));
    blocks.whole_key_filtering = true;
  }
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  family.arena_block_size = size_t{256} << 10;
  // Beyond what FlushPacer lets a table hold, and little more: RocksDB reserves as much of the disk for each log.
  family.write_buffer_size = options.write_buffer_bytes + options.write_buffer_bytes / 4 + 4 * family.arena_block_size;
  family.level0_slowdown_writes_trigger = kBeyondReach;
  family.level0_stop_writes_trigger = kBeyondReach;
  family.level_compaction_dynamic_level_bytes = true;
  family.compression = rocksdb::kLZ4Compression;
  family.bottommost_compression = rocksdb::kZSTD;
  family.paranoid_file_checks = true;
  return family;
}

// Says nothing, so that no file appears in a folder that is only read.
class SilentLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

rocksdb::DBOptions DatabaseOptions(const RocksOptions& options, rocksdb::Env* env,
                                   rocksdb::WALRecoveryMode recovery) {
  rocksdb::DBOptions database;
  database.env = env;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  database.wal_recovery_mode = recovery;
  database.track_and_verify_wals_in_manifest = true;
  database.paranoid_checks = true;
  database.atomic_flush = true;
  database.max_bgerror_resume_count = 0;
  database.max_open_files = options.max_open_files;
  database.max_background_jobs = 2;
  database.max_file_opening_threads = 1;
  database.bytes_per_sync = size_t{1} << 20;
  database.max_manifest_file_size = size_t{16} << 20;
  database.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  database.max_log_file_size = size_t{1} << 20;
  database.keep_log_file_num = 3;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Families(const RocksOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t table = 0; table < kTableCount; ++table) {
    families.emplace_back(std::string(TableName(static_cast<Table>(table))),
                          TableOptions(static_cast<Table>(table), options, cache));
  }
  rocksdb::ColumnFamilyOptions unused;
  // The largest of all tables decides what is reserved for a log.
  unused.write_buffer_size = families.front().options.write_buffer_size;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, unused);
  return families;
}

rocksdb::DBOptions RescueOptions(const RocksOptions& options, rocksdb::Env* env) {
  rocksdb::DBOptions rescue =
      DatabaseOptions(options, env, rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords);
  rescue.create_if_missing = false;
  rescue.create_missing_column_families = false;
  rescue.paranoid_checks = false;
  rescue.info_log = std::make_shared<SilentLog>();
  return rescue;
}

rocksdb::ReadOptions CheckedReads(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions read(/*cksum=*/true, /*cache=*/true);
  read.snapshot = snapshot;
  // There are none; but looking for them, RocksDB 7.8 forgets, from one sorted file of a level to the next, that the
  // next one's first block is damaged, and a scan would go on without its rows.
  read.ignore_range_deletions = true;
  return read;
}

}  // namespace maillage::storage::rocks
