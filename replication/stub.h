// Stubs: what a site shows of a record that its own records refer to and that lies outside of its scope. A stub is the
// part of the record's state that names it, places it and says whether it is deleted. It joins as the state does: cells
// are joined each by itself, so a part of a join is the join of the parts, in whatever order sites hear of it.
#ifndef MAILLAGE_REPLICATION_STUB_H_
#define MAILLAGE_REPLICATION_STUB_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/fingerprint.h"
#include "replication/index_source.h"
#include "replication/record_state.h"
#include "storage/keys.h"
#include "storage/store.h"

namespace maillage::replication {

struct Stub {
  // Of the record.
  uint16_t kind = 0;
  // Never to be joined with the record's state: what it lacks would count as removed.
  RecordState state;

  bool operator==(const Stub&) const = default;
};

// Of a record that is here.
Stub StubOf(uint16_t kind, const RecordState& state, const IndexSource& index);
// The least upper bound. Two records of different kinds under one id don't join: the lower kind stands for the id.
Stub JoinStubs(const Stub& a, const Stub& b);
// Of what a reader sees, and who wrote it. The vector takes no part, so that an edit of anything else is no news.
Fingerprint StubFingerprint(const RecordId& id, const Stub& stub);
// Where stubs stand in their tries.
uint64_t StubPosition(const RecordId& id);
// The partition of the stubs that records of this one refer to.
storage::PartitionKey StubPartitionOf(const storage::PartitionKey& referrers);

//   kind:varint state:rest (state_codec.h). Pinned by tests/golden/meta.
std::string EncodeStub(const Stub& stub);
// InvalidArgument on bytes that EncodeStub did not write.
absl::StatusOr<Stub> DecodeStub(std::string_view bytes);

// What is shown of a record: the part of its state where it is here, otherwise what a peer showed; nothing where it is
// known by its id alone. A record that can't be read here counts as one that isn't here.
absl::StatusOr<std::optional<Stub>> FindStub(const storage::ReadView& view, const IndexSource& index,
                                             const RecordId& id);
// What a peer showed of it.
absl::StatusOr<std::optional<Stub>> ReadStub(const storage::ReadView& view, const RecordId& id);
// Partitions of which some record refers to this one, without the references `removed`.
absl::StatusOr<std::set<storage::PartitionKey>> ReferredFrom(const storage::ReadView& view, const RecordId& id,
                                                             const std::set<std::string>& removed = {});

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_STUB_H_
