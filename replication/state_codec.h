// The canonical bytes of a record's state: equal states have equal bytes, on every site. They are stored, hashed
// into fingerprints and sent where history no longer reaches. Pinned by tests/golden/state.
//
//   version:1 = 1
//   actors   varint count; each  site:16 incarnation:8 epoch:varint n:varint             sorted, each once
//   writes   varint count; each  actor index:varint n:varint time:8 person:string        sorted by dot
//   cells    varint count; each  field:varint key:string
//              versions varint count (>= 1); each  write index:varint flags:1 value:string   sorted by dot
//
// A write is one change of which some value is alive. flags: the merge rule; 0x10 where the field decides the partitions; 0x20 where
// the 32 bytes of a commitment stand before the value, and 0x40 in the
// place of it; 0x80 where it says something of a person. Integers of fixed size are little-endian; a string is its length as a varint, then its bytes.
#ifndef MAILLAGE_REPLICATION_STATE_CODEC_H_
#define MAILLAGE_REPLICATION_STATE_CODEC_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "replication/record_state.h"

namespace maillage::replication {

std::string EncodeState(const RecordState& state);

// InvalidArgument on any input that EncodeState would not have written, and on what no change may bring in (CheckCell,
// CheckValue, CheckPerson of change.h): whatever decodes, encodes to the same bytes again.
absl::StatusOr<RecordState> DecodeState(std::string_view bytes);

// The keys and values, views into the bytes, that say something of a person, in their order. Stops at what it can't read.
void VisitPersonal(std::string_view bytes, absl::FunctionRef<void(std::string_view)> visit);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_STATE_CODEC_H_
