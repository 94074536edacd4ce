// Inside RocksStore: damage of a sorted file that RocksDB doesn't survive.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_SORTED_FILE_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_SORTED_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "rocksdb/env.h"

namespace maillage::storage::rocks {

inline constexpr char kSortedFileSuffix[] = ".sst";

// RocksDB 7.8 looks into a sorted file's properties before it verifies their checksum. The highest bit of their last
// byte says that the block has a hash index, which blocks of properties never have; where a disk has flipped it, an
// assertion that Debian's build keeps ends the process. The place of that byte, where its bit is set; nothing where the
// file is sound in this respect, or damaged in a way that RocksDB tells.
std::optional<uint64_t> FatalByte(rocksdb::Env* env, const std::string& file);

// DataLoss names the first sorted file of the folder that has a fatal byte.
absl::Status CheckSortedFiles(rocksdb::Env* env, const std::string& folder);

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_SORTED_FILE_H_
