// Inside RocksStore: how RocksDB is set. The reasons of what differs from its defaults are in README.md, « Options ».
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_OPTIONS_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_OPTIONS_H_

#include <vector>

#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/options.h"
#include "storage/rocks_store.h"

namespace maillage::storage::rocks {

rocksdb::DBOptions DatabaseOptions(const RocksOptions& options, rocksdb::Env* env,
                                   rocksdb::WALRecoveryMode recovery);

// One per table, by number, and RocksDB's own last.
std::vector<rocksdb::ColumnFamilyDescriptor> Families(const RocksOptions& options);

// Takes whatever can be had: a log behind its damage, and files as they are.
rocksdb::DBOptions RescueOptions(const RocksOptions& options, rocksdb::Env* env);

// Null snapshot: the latest state.
rocksdb::ReadOptions CheckedReads(const rocksdb::Snapshot* snapshot);

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_OPTIONS_H_
