#include "replication/stub.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "replication/byte_codec.h"
#include "replication/feed_entry.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"

namespace maillage::replication {

using storage::PartitionKey;
using storage::Table;

namespace {

// Version by version, since that is what joins: of one cell some may decide the territory and others not, where schemas
// disagree.
Cell PartOf(const Cell& cell, uint32_t title) {
  if (cell.field == kLifeField || cell.field == title) return cell;
  Cell part{cell.field, cell.key, {}};
  std::copy_if(cell.versions.begin(), cell.versions.end(), std::back_inserter(part.versions),
               [](const Version& version) { return version.territory; });
  return part;
}

}  // namespace

Stub StubOf(uint16_t kind, const RecordState& state, const IndexSource& index) {
  const uint32_t title = index.TitleField(kind);
  std::vector<Cell> cells;
  for (const Cell& cell : state.cells()) {
    Cell part = PartOf(cell, title);
    if (!part.versions.empty()) cells.push_back(std::move(part));
  }
  return {kind, RecordState::FromParts(state.vector(), std::move(cells))};
}

Stub JoinStubs(const Stub& a, const Stub& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? a : b;
  Stub joined = a;
  joined.state.Join(b.state);
  return joined;
}

Fingerprint StubFingerprint(const RecordId& id, const Stub& stub) {
  std::string shown;
  ByteWriter writer(&shown);
  writer.Byte(static_cast<uint8_t>(stub.state.life()));
  for (const Cell& cell : stub.state.cells()) {
    // What a delete covers decides the life, and is no more to be seen than the vector is.
    if (cell.field == kLifeField) continue;
    writer.Varint(cell.field);
    writer.String(cell.key);
    writer.Varint(cell.versions.size());
    for (const Version& version : cell.versions) {
      writer.Raw(EncodeDot(version.dot));
      writer.Fixed64(version.time.value);
      writer.String(version.value);
    }
  }
  return Fingerprint::OfState({stub.kind, id}, shown);
}

uint64_t StubPosition(const RecordId& id) { return TriePosition({0, id}); }

PartitionKey StubPartitionOf(const PartitionKey& referrers) {
  return {static_cast<uint16_t>(referrers.kind | storage::kStubPartition), referrers.territory};
}

std::string EncodeStub(const Stub& stub) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Varint(stub.kind);
  writer.Raw(EncodeState(stub.state));
  return bytes;
}

absl::StatusOr<Stub> DecodeStub(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint64_t kind = reader.Varint();
  if (!reader.ok() || kind == 0 || kind > kMaxKind) return absl::InvalidArgumentError("a stub without a kind");
  absl::StatusOr<RecordState> state = DecodeState(reader.rest());
  if (!state.ok()) return state.status();
  return Stub{static_cast<uint16_t>(kind), *std::move(state)};
}

absl::StatusOr<std::optional<Stub>> ReadStub(const storage::ReadView& view, const RecordId& id) {
  auto bytes = view.Get(Table::kMeta, storage::StubKey(id));
  if (absl::IsDataLoss(bytes.status())) return std::nullopt;
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<Stub> stub = DecodeStub(**bytes);
  // A peer shows it again.
  if (!stub.ok()) return std::nullopt;
  return *std::move(stub);
}

absl::StatusOr<std::optional<Stub>> FindStub(const storage::ReadView& view, const IndexSource& index,
                                             const RecordId& id) {
  for (const uint16_t kind : index.ReferableKinds()) {
    absl::StatusOr<std::optional<RecordState>> state = ReadState(view, {kind, id});
    if (absl::IsDataLoss(state.status())) continue;
    if (!state.ok()) return state.status();
    if (state->has_value()) return StubOf(kind, **state, index);
  }
  return ReadStub(view, id);
}

absl::StatusOr<std::set<PartitionKey>> ReferredFrom(const storage::ReadView& view, const RecordId& id,
                                                    const std::set<std::string>& removed) {
  std::set<PartitionKey> partitions;
  storage::KeyRange range = storage::KeyRange::Prefix(storage::ReferencePrefix(id));
  while (true) {
    auto cursor = view.Scan(Table::kIndex, range);
    while (cursor->Valid() && removed.contains(std::string(cursor->key()))) cursor->Next();
    if (!cursor->Valid()) {
      if (cursor->status().ok()) return partitions;
      return cursor->status();
    }
    const auto reference = storage::ParseReferenceKey(cursor->key());
    if (!reference.has_value()) return absl::DataLossError("index table: a damaged key");
    // One is enough; a funder has thousands.
    range.begin = storage::KeyRange::Prefix(storage::ReferencePrefix(id, reference->partition)).end;
    partitions.insert(reference->partition);
  }
}

}  // namespace maillage::replication
