// What the heart has to know of the kinds of record and can't tell from their states: the schema implements it.
#ifndef MAILLAGE_REPLICATION_INDEX_SOURCE_H_
#define MAILLAGE_REPLICATION_INDEX_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/id.h"
#include "replication/record_state.h"

namespace maillage::replication {

// Pure functions of their arguments, hence thread-safe.
class IndexSource {
 public:
  virtual ~IndexSource() = default;
  // Keys of the index table that a state calls for (storage/keys.h): words, natural keys, references. A record of an
  // unknown kind has none, and a deleted one those by which an import still recognises it.
  virtual std::vector<std::string> IndexKeys(const RecordKey& record,
                                             const RecordState& state) const = 0;
  // Kinds that records can refer to.
  virtual std::vector<uint16_t> ReferableKinds() const { return {}; }
  // The field that names a record of this kind; 0 where none is known.
  virtual uint32_t TitleField(uint16_t) const { return 0; }
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_INDEX_SOURCE_H_
