// Inside RocksStore: what can still be read of damaged files.
#ifndef MAILLAGE_STORAGE_ROCKS_STORE_SALVAGE_H_
#define MAILLAGE_STORAGE_ROCKS_STORE_SALVAGE_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "rocksdb/db.h"

namespace maillage::storage::rocks {

// Makes an ascending iterator over `table`, with its bounds and its snapshot.
using MakeRows = absl::FunctionRef<std::unique_ptr<rocksdb::Iterator>()>;

// An iterator at the first row that can be read behind the corruption that was met at or after
// `from`, or at the end of its bounds: RocksDB's iterators stop at a damaged block, but find any
// key in another. The blocks' bounds are told by the sizes that the index gives, so no readable
// block between two damaged ones is passed over. Null where nothing readable was found.
std::unique_ptr<rocksdb::Iterator> SeekBeyondDamage(rocksdb::DB& db,
                                                    rocksdb::ColumnFamilyHandle* table,
                                                    const std::string& from,
                                                    const MakeRows& make_rows);

}  // namespace maillage::storage::rocks

#endif  // MAILLAGE_STORAGE_ROCKS_STORE_SALVAGE_H_
