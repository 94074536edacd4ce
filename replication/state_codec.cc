#include "replication/state_codec.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "replication/byte_codec.h"

namespace maillage::replication {
namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kRuleMask = 0x0f;
constexpr uint8_t kTerritoryFlag = 0x10;
constexpr uint8_t kCommittedFlag = 0x20;
constexpr uint8_t kWithheldFlag = 0x40;
constexpr uint8_t kPersonalFlag = 0x80;

// One change of which a value is alive. Two versions of one write agree on time and person.
struct Write {
  Dot dot;
  HybridTime time;
  std::string_view person;

  auto operator<=>(const Write&) const = default;
};

std::vector<Write> CollectWrites(const RecordState& state) {
  std::vector<Write> writes;
  for (const Cell& cell : state.cells()) {
    for (const Version& version : cell.versions) {
      writes.push_back({version.dot, version.time, version.person});
    }
  }
  std::sort(writes.begin(), writes.end());
  writes.erase(std::unique(writes.begin(), writes.end()), writes.end());
  return writes;
}

size_t IndexOfActor(const VersionVector& vector, const Actor& actor) {
  const auto& entries = vector.entries();
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), actor,
      [](const VersionVector::Entry& entry, const Actor& wanted) { return entry.actor < wanted; });
  return static_cast<size_t>(found - entries.begin());
}

size_t IndexOfWrite(const std::vector<Write>& writes, const Version& version) {
  const Write wanted{version.dot, version.time, version.person};
  return static_cast<size_t>(std::lower_bound(writes.begin(), writes.end(), wanted) -
                             writes.begin());
}

uint8_t FlagsOf(const Version& version) {
  return static_cast<uint8_t>(version.rule) | (version.territory ? kTerritoryFlag : 0) |
         (version.commitment.empty() ? 0 : kCommittedFlag) | (version.withheld ? kWithheldFlag : 0) |
         (version.personal ? kPersonalFlag : 0);
}

absl::Status Malformed(const char* what) {
  return absl::InvalidArgumentError(std::string("state: ") + what);
}

absl::StatusOr<VersionVector> ReadVector(ByteReader& reader) {
  const uint64_t count = reader.Varint();
  VersionVector vector;
  Actor previous;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::optional<SiteId> site = SiteId::FromBytes(reader.Raw(SiteId::kSize));
    if (!site.has_value()) return Malformed("short");
    Actor actor{*site, reader.Fixed64(), 0};
    actor.epoch = reader.Varint();
    const uint64_t n = reader.Varint();
    if (n == 0) return Malformed("an actor without changes");
    if (i > 0 && actor <= previous) return Malformed("actors are not sorted");
    vector.Add({actor, n});
    previous = actor;
  }
  return vector;
}

absl::StatusOr<std::vector<Write>> ReadWrites(ByteReader& reader, const VersionVector& vector) {
  const uint64_t count = reader.Varint();
  std::vector<Write> writes;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t actor = reader.Varint();
    if (actor >= vector.entries().size()) return Malformed("a write of nobody");
    const VersionVector::Entry& entry = vector.entries()[actor];
    Write write{{entry.actor, reader.Varint()}, {reader.Fixed64()}, {}};
    write.person = reader.String();
    if (absl::Status status = CheckPerson(write.person); !status.ok()) return status;
    if (write.dot.n == 0 || write.dot.n > entry.n) return Malformed("a write outside the vector");
    if (!writes.empty() && write <= writes.back()) return Malformed("writes are not sorted");
    writes.push_back(write);
  }
  return writes;
}

absl::StatusOr<Version> ReadVersion(ByteReader& reader, const Cell& cell, const std::vector<Write>& writes,
                                    std::vector<bool>& used) {
  const uint64_t index = reader.Varint();
  if (index >= writes.size()) return Malformed("a version without its write");
  used[index] = true;
  const Write& write = writes[index];
  const uint8_t flags = reader.Byte();
  const uint8_t rule = flags & kRuleMask;
  const bool committed = (flags & kCommittedFlag) != 0;
  const bool withheld = (flags & kWithheldFlag) != 0;
  if (!v1::MergeRule_IsValid(rule) || rule == 0 || (withheld && !committed)) {
    return Malformed("unknown flags");
  }
  Version version{write.dot, write.time, std::string(write.person), "", static_cast<v1::MergeRule>(rule),
                  (flags & kTerritoryFlag) != 0, (flags & kPersonalFlag) != 0};
  if (committed) version.commitment = reader.Raw(kCommitmentSize);
  version.withheld = withheld;
  if (!withheld) version.value = reader.String();
  if (committed) {
    absl::Status status = CheckInternal(cell.field, cell.key, version.rule, version.territory);
    if (!status.ok()) return status;
  }
  absl::Status status = CheckValue(cell.field, version.rule, version.value, version.territory);
  if (!status.ok()) return status;
  return version;
}

// A delete covers what its author had read, which is in the vector and is none of its own change.
absl::Status CheckLife(const Cell& life, const VersionVector& vector) {
  for (const Version& version : life.versions) {
    absl::StatusOr<VersionVector> covered = DecodeCovered(version.value);
    if (!covered.ok()) return covered.status();
    const bool says_too_much = life.key == kVoidKey && !version.value.empty();
    if (says_too_much || !vector.Covers(*covered) || covered->Covers(version.dot)) {
      return Malformed("a delete that covers what it can't");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Cell>> ReadCells(ByteReader& reader, const VersionVector& vector,
                                            const std::vector<Write>& writes) {
  const uint64_t count = reader.Varint();
  std::vector<bool> used(writes.size(), false);
  std::vector<Cell> cells;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t field = reader.Varint();
    if (field > UINT32_MAX) return Malformed("a field number out of range");
    Cell cell{static_cast<uint32_t>(field), std::string(reader.String()), {}};
    if (!cells.empty() &&
        std::tie(cells.back().field, cells.back().key) >= std::tie(cell.field, cell.key)) {
      return Malformed("cells are not sorted");
    }
    if (absl::Status status = CheckCell(cell.field, cell.key); !status.ok()) return status;
    const uint64_t versions = reader.Varint();
    if (versions == 0) return Malformed("an empty cell");
    for (uint64_t v = 0; v < versions && reader.ok(); ++v) {
      absl::StatusOr<Version> version = ReadVersion(reader, cell, writes, used);
      if (!version.ok()) return version.status();
      if (v > 0 && version->dot <= cell.versions.back().dot) {
        return Malformed("versions are not sorted");
      }
      cell.versions.push_back(*std::move(version));
    }
    if (cell.field == kLifeField) {
      if (absl::Status status = CheckLife(cell, vector); !status.ok()) return status;
    }
    cells.push_back(std::move(cell));
  }
  if (std::find(used.begin(), used.end(), false) != used.end()) return Malformed("an unused write");
  return cells;
}

}  // namespace

std::string EncodeState(const RecordState& state) {
  std::string bytes;
  bytes.reserve(256);
  ByteWriter writer(&bytes);
  writer.Byte(kFormat);
  writer.Varint(state.vector().entries().size());
  for (const VersionVector::Entry& entry : state.vector().entries()) {
    writer.Raw(entry.actor.site.bytes());
    writer.Fixed64(entry.actor.incarnation);
    writer.Varint(entry.actor.epoch);
    writer.Varint(entry.n);
  }
  const std::vector<Write> writes = CollectWrites(state);
  writer.Varint(writes.size());
  for (const Write& write : writes) {
    writer.Varint(IndexOfActor(state.vector(), write.dot.actor));
    writer.Varint(write.dot.n);
    writer.Fixed64(write.time.value);
    writer.String(write.person);
  }
  writer.Varint(state.cells().size());
  for (const Cell& cell : state.cells()) {
    writer.Varint(cell.field);
    writer.String(cell.key);
    writer.Varint(cell.versions.size());
    for (const Version& version : cell.versions) {
      writer.Varint(IndexOfWrite(writes, version));
      writer.Byte(FlagsOf(version));
      writer.Raw(version.commitment);
      if (!version.withheld) writer.String(version.value);
    }
  }
  return bytes;
}

absl::StatusOr<RecordState> DecodeState(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Byte() != kFormat) return Malformed("unknown format");
  absl::StatusOr<VersionVector> vector = ReadVector(reader);
  if (!vector.ok()) return vector.status();
  absl::StatusOr<std::vector<Write>> writes = ReadWrites(reader, *vector);
  if (!writes.ok()) return writes.status();
  absl::StatusOr<std::vector<Cell>> cells = ReadCells(reader, *vector, *writes);
  if (!cells.ok()) return cells.status();
  if (!reader.done()) return Malformed(reader.ok() ? "bytes after the end" : "short");
  return RecordState::FromParts(*std::move(vector), *std::move(cells));
}

void VisitPersonal(std::string_view bytes, absl::FunctionRef<void(std::string_view)> visit) {
  ByteReader reader(bytes);
  if (reader.Byte() != kFormat) return;
  for (uint64_t actors = reader.Varint(); actors > 0 && reader.ok(); --actors) {
    reader.Raw(SiteId::kSize + sizeof(uint64_t));
    reader.Varint();
    reader.Varint();
  }
  for (uint64_t writes = reader.Varint(); writes > 0 && reader.ok(); --writes) {
    reader.Varint();
    reader.Varint();
    reader.Fixed64();
    reader.String();
  }
  for (uint64_t cells = reader.Varint(); cells > 0 && reader.ok(); --cells) {
    reader.Varint();
    const std::string_view key = reader.String();
    bool key_visited = false;
    for (uint64_t versions = reader.Varint(); versions > 0 && reader.ok(); --versions) {
      reader.Varint();
      const uint8_t flags = reader.Byte();
      if ((flags & kCommittedFlag) != 0) reader.Raw(kCommitmentSize);
      const std::string_view value = (flags & kWithheldFlag) != 0 ? std::string_view() : reader.String();
      if ((flags & kPersonalFlag) == 0 || !reader.ok()) continue;
      if (!std::exchange(key_visited, true)) visit(key);
      visit(value);
    }
  }
}

}  // namespace maillage::replication
