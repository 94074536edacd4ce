#include "replication/local_meta.h"

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/byte_codec.h"
#include "replication/feed_entry.h"
#include "replication/fingerprint.h"

namespace maillage::replication {
namespace {

constexpr uint8_t kFormat = 1;

absl::Status Damaged(std::string_view what) {
  return absl::DataLossError(absl::StrCat("meta table: damaged ", ToAbsl(what)));
}

}  // namespace

std::string EncodeIdentity(const LocalIdentity& identity) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Byte(kFormat);
  writer.Raw(identity.site.bytes());
  writer.Fixed64(identity.incarnation);
  writer.Varint(identity.renewals);
  return bytes;
}

absl::StatusOr<LocalIdentity> DecodeIdentity(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t format = reader.Byte();
  const auto site = SiteId::FromBytes(reader.Raw(SiteId::kSize));
  LocalIdentity identity;
  identity.incarnation = reader.Fixed64();
  identity.renewals = reader.Varint();
  if (!reader.done() || format != kFormat) return Damaged("identity");
  identity.site = *site;
  return identity;
}

std::string EncodeProgress(const LocalProgress& progress) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Byte(kFormat);
  writer.Varint(progress.feed_head);
  writer.Varint(progress.site_sequence);
  writer.Fixed64(progress.clock.value);
  writer.Varint(progress.conflicts);
  writer.Varint(progress.changes_from_the_future);
  writer.Varint(progress.quarantined);
  writer.Varint(progress.kinds.size());
  for (const auto& [kind, counts] : progress.kinds) {
    writer.Varint(kind);
    writer.Varint(counts.alive);
    writer.Varint(counts.deleted);
  }
  return bytes;
}

absl::StatusOr<LocalProgress> DecodeProgress(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Byte() != kFormat) return Damaged("progress");
  LocalProgress progress;
  progress.feed_head = reader.Varint();
  progress.site_sequence = reader.Varint();
  progress.clock = {reader.Fixed64()};
  progress.conflicts = reader.Varint();
  progress.changes_from_the_future = reader.Varint();
  progress.quarantined = reader.Varint();
  const uint64_t kinds = reader.Varint();
  for (uint64_t i = 0; i < kinds && reader.ok(); ++i) {
    const uint64_t kind = reader.Varint();
    const bool sorted = progress.kinds.empty() || kind > progress.kinds.rbegin()->first;
    if (kind > UINT16_MAX || !sorted) return Damaged("progress");
    KindCounts& counts = progress.kinds[static_cast<uint16_t>(kind)];
    counts.alive = reader.Varint();
    counts.deleted = reader.Varint();
  }
  if (!reader.done()) return Damaged("progress");
  return progress;
}

std::string EncodeCursor(const PeerCursor& cursor) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Fixed64(cursor.incarnation);
  writer.Varint(cursor.position);
  return bytes;
}

absl::StatusOr<PeerCursor> DecodeCursor(std::string_view bytes) {
  ByteReader reader(bytes);
  PeerCursor cursor;
  cursor.incarnation = reader.Fixed64();
  cursor.position = reader.Varint();
  if (!reader.done()) return Damaged("cursor");
  return cursor;
}

std::string EncodeKnownAuthor(const KnownAuthor& author) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Varint(author.site_sequence);
  writer.Raw(author.hash);
  return bytes;
}

absl::StatusOr<KnownAuthor> DecodeKnownAuthor(std::string_view bytes) {
  ByteReader reader(bytes);
  KnownAuthor author;
  author.site_sequence = reader.Varint();
  author.hash = std::string(reader.Raw(kChangeHashSize));
  if (!reader.done()) return Damaged("author");
  return author;
}

std::string EncodeWitnessMark(const WitnessMark& mark) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Varint(mark.position);
  writer.Varint(mark.settled_position);
  writer.Fixed64(mark.settled_incarnation);
  return bytes;
}

absl::StatusOr<WitnessMark> DecodeWitnessMark(std::string_view bytes) {
  ByteReader reader(bytes);
  WitnessMark mark;
  mark.position = reader.Varint();
  mark.settled_position = reader.Varint();
  mark.settled_incarnation = reader.Fixed64();
  if (!reader.done()) return Damaged("witness");
  return mark;
}

std::string EncodeContinuityNote(const ContinuityNote& note) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Byte(static_cast<uint8_t>(note.doubt));
  writer.Fixed64(note.millis);
  writer.Varint(note.renamed);
  return bytes;
}

absl::StatusOr<ContinuityNote> DecodeContinuityNote(std::string_view bytes) {
  ByteReader reader(bytes);
  ContinuityNote note;
  const uint8_t doubt = reader.Byte();
  note.millis = reader.Fixed64();
  note.renamed = reader.Varint();
  if (!reader.done() || doubt > static_cast<uint8_t>(ContinuityDoubt::kTwinMet)) {
    return Damaged("continuity note");
  }
  note.doubt = static_cast<ContinuityDoubt>(doubt);
  return note;
}

std::string EncodeRenamings(const std::vector<Renaming>& renamings) {
  std::string bytes;
  ByteWriter writer(&bytes);
  for (const Renaming& renaming : renamings) {
    writer.String(EncodeDot({renaming.from, renaming.first}));
    writer.String(EncodeDot({renaming.to, 1}));
  }
  return bytes;
}

absl::StatusOr<std::vector<Renaming>> DecodeRenamings(std::string_view bytes) {
  ByteReader reader(bytes);
  std::vector<Renaming> renamings;
  while (reader.ok() && !reader.done()) {
    absl::StatusOr<Dot> from = DecodeDot(reader.String());
    absl::StatusOr<Dot> to = DecodeDot(reader.String());
    if (!reader.ok() || !from.ok() || !to.ok() || to->n != 1) return Damaged("renaming");
    renamings.push_back({from->actor, from->n, to->actor});
  }
  return renamings;
}

std::string EncodeCount(uint64_t count) {
  std::string bytes;
  ByteWriter(&bytes).Varint(count);
  return bytes;
}

absl::StatusOr<uint64_t> DecodeCount(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint64_t count = reader.Varint();
  if (!reader.done()) return Damaged("count");
  return count;
}

std::string EncodeRequestOutcome(const RequestOutcome& outcome) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Varint(outcome.position);
  writer.Varint(outcome.record.kind);
  writer.Raw(outcome.record.id.bytes());
  writer.Raw(EncodeDot(outcome.dot));
  return bytes;
}

absl::StatusOr<RequestOutcome> DecodeRequestOutcome(std::string_view bytes) {
  ByteReader reader(bytes);
  RequestOutcome outcome;
  outcome.position = reader.Varint();
  const uint64_t kind = reader.Varint();
  const auto id = RecordId::FromBytes(reader.Raw(RecordId::kSize));
  if (!reader.ok() || kind > UINT16_MAX) return Damaged("request");
  absl::StatusOr<Dot> dot = DecodeDot(reader.rest());
  if (!dot.ok()) return dot.status();
  outcome.record = {static_cast<uint16_t>(kind), *id};
  outcome.dot = *dot;
  return outcome;
}

std::string EncodeQuarantineEntry(const QuarantineEntry& entry) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Raw(entry.source.bytes());
  writer.String(entry.reason);
  writer.Raw(entry.bytes);
  return bytes;
}

absl::StatusOr<QuarantineEntry> DecodeQuarantineEntry(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto source = SiteId::FromBytes(reader.Raw(SiteId::kSize));
  const std::string_view reason = reader.String();
  if (!reader.ok()) return Damaged("quarantine entry");
  return QuarantineEntry{*source, std::string(reason), std::string(reader.rest())};
}

}  // namespace maillage::replication
