// A MemoryDisk as RocksDB sees it.
#ifndef MAILLAGE_TESTS_STORAGE_DISK_FILE_SYSTEM_H_
#define MAILLAGE_TESTS_STORAGE_DISK_FILE_SYSTEM_H_

#include <memory>

#include "rocksdb/env.h"

namespace maillage::storage {

class MemoryDisk;

// The disk must outlive it.
std::unique_ptr<rocksdb::Env> NewDiskEnv(MemoryDisk* disk);

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_DISK_FILE_SYSTEM_H_
