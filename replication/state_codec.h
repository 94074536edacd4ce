// The canonical bytes of a record's state: equal states have equal bytes, on every site. They are stored, hashed
// into fingerprints and sent where history no longer reaches. Pinned by tests/golden/state.
//
//   version:1 = 1
//   actors   varint count; each  site:16 incarnation:8 epoch:varint n:varint             sorted, each once
//   writes   varint count; each  actor index:varint n:varint time:8 person:string        sorted by dot
//   cells    varint count; each  field:varint key:string
//              versions varint count (>= 1); each  write index:varint flags:1 value:string   sorted by dot
//
// A write is one change of which some value is alive. flags: the merge rule, and 0x10 where the field decides the
// partitions. Integers of fixed size are little-endian; a string is its length as a varint, then its bytes.
#ifndef MAILLAGE_REPLICATION_STATE_CODEC_H_
#define MAILLAGE_REPLICATION_STATE_CODEC_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/record_state.h"

namespace maillage::replication {

std::string EncodeState(const RecordState& state);

// InvalidArgument on any input that EncodeState would not have written, and on what no change may bring in (CheckCell,
// CheckValue, CheckPerson of change.h): whatever decodes, encodes to the same bytes again.
absl::StatusOr<RecordState> DecodeState(std::string_view bytes);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_STATE_CODEC_H_
