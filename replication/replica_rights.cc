// Who may write what, and what a revocation takes back. rights.h and revoked_authors.h have the rules, README.md the reasons.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/record_reader.h"
#include "replication/replica.h"
#include "replication/rights.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

// Territories that the record has now, by what who read `context` had read.
std::vector<std::string> StillThere(const RecordState& state, const VersionVector& context) {
  std::vector<Cell> cells;
  for (const Cell& cell : state.cells()) {
    Cell read{cell.field, cell.key, {}};
    for (const Version& version : cell.versions) {
      if (version.territory && context.Covers(version.dot)) read.versions.push_back(version);
    }
    if (!read.versions.empty()) cells.push_back(std::move(read));
  }
  return RecordState::FromParts(context, std::move(cells)).Territories();
}

}  // namespace

absl::Status Replica::CheckOwnRights(const Change& change, const Staged& staged) {
  const Member* const self = open_membership().Find(identity_.site);
  // Of no network, or let in by an entry that hasn't come yet: others will know it.
  if (self == nullptr) return absl::OkStatus();
  if (self->revoked) return absl::PermissionDeniedError("ce site est révoqué : ce qu'il écrirait n'aurait d'effet nulle part");
  if (self->role == v1::ROLE_READER) return absl::PermissionDeniedError("ce site ne peut que lire");
  if (self->role == v1::ROLE_ANTENNA || self->territory.everything()) return absl::OkStatus();
  absl::StatusOr<std::optional<std::vector<std::string>>> read_in =
      TerritoriesAsRead(change.record, staged, change.context);
  if (!read_in.ok()) return read_in.status();
  Member now = *self;
  now.may_write = {self->territory};
  return read_in->has_value() ? CheckRights(now, change, **read_in) : absl::OkStatus();
}

absl::Status Replica::CheckRightsOf(const Change& change, const Staged& staged) {
  const Member* const author = open_membership().Find(change.dot.actor.site);
  if (author == nullptr || MayWriteEverything(*author)) return absl::OkStatus();
  // Most often without a look at the history: what is there now was there, and what has gone since can only speak for the author.
  // Not where a revocation brought back what was gone for who read it.
  const bool only_went = VoidChanges(staged.state) == nullptr;
  const std::vector<std::string> still_there = only_went ? StillThere(staged.state, change.context) : std::vector<std::string>();
  if (!still_there.empty() && CheckRights(*author, change, still_there).ok()) return absl::OkStatus();
  absl::StatusOr<std::optional<std::vector<std::string>>> read_in =
      TerritoriesAsRead(change.record, staged, change.context);
  if (!read_in.ok()) return read_in.status();
  // Without its history an antenna vouched for the record, or a repair gave the history up.
  return read_in->has_value() ? CheckRights(*author, change, **read_in) : absl::OkStatus();
}

absl::StatusOr<std::optional<std::vector<std::string>>> Replica::TerritoriesAsRead(
    const RecordKey& record, const Staged& staged, const VersionVector& context) const {
  if (context.empty()) return std::vector<std::string>();
  const bool read_all = context == staged.state.vector() && VoidChanges(staged.state) == nullptr;
  if (read_all) return staged.state.Territories();
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(*store_, record);
  if (!rows.ok()) return rows.status();
  // As its author saw it: what has become void since had its effect then.
  RecordState as_read;
  for (const HistoryRow& row : *rows) {
    if (!context.Covers(row.dot)) continue;
    absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, row.position);
    absl::StatusOr<Change> change = entry.ok() ? DecodeChange(entry->change) : entry.status();
    if (!change.ok() || !as_read.CanApply(*change)) return std::nullopt;
    as_read.Apply(*change);
  }
  for (const auto& [dot, bytes] : staged.applied) {
    if (!context.Covers(dot)) continue;
    const absl::StatusOr<Change> change = DecodeChange(bytes);
    if (!change.ok() || !as_read.CanApply(*change)) return std::nullopt;
    as_read.Apply(*change);
  }
  if (as_read.vector() != context) return std::nullopt;
  return as_read.Territories();
}

absl::Status Replica::QuarantineVoid(const Change& change, std::string_view bytes, const SiteId& source) {
  const Member* const author = open_membership().Find(change.dot.actor.site);
  const std::string name = author == nullptr ? FormatSiteId(change.dot.actor.site) : author->name;
  return Quarantine({source, absl::StrCat("sans effet : « ", name, " » est révoqué, et n'avait pas écrit cela avant"),
                     std::string(bytes)});
}

absl::Status Replica::TakeBack(const RecordKey& record) {
  absl::StatusOr<Staged*> staged = Stage(record);
  // A damaged record is told to whoever needs it. Its repair knows what is void.
  if (absl::IsDataLoss(staged.status())) return absl::OkStatus();
  if (!staged.ok()) return staged.status();
  if (!(*staged)->stored.has_value()) return absl::OkStatus();
  absl::StatusOr<std::vector<HistoryRow>> rows = ReadHistory(*store_, record);
  if (!rows.ok()) return absl::IsDataLoss(rows.status()) ? absl::OkStatus() : rows.status();
  RecordState& state = (*staged)->state;
  RecordState replayed;
  RecordState reduced = state;
  for (const HistoryRow& row : *rows) {
    absl::StatusOr<FeedEntry> entry = ReadFeedEntry(*store_, row.position);
    absl::StatusOr<Change> change = entry.ok() ? revoked().Decode(entry->change) : entry.status();
    if (!change.ok()) continue;
    if (replayed.CanApply(*change)) replayed.Apply(*change);
    const Cell* const known = VoidChanges(reduced);
    const bool is_new = known == nullptr || std::none_of(known->versions.begin(), known->versions.end(),
                                                         [&](const Version& v) { return v.dot == change->dot; });
    if (!change->is_void || !state.vector().Covers(change->dot) || !is_new) continue;
    reduced.MakeVoid(*change);
    if (absl::Status kept = QuarantineVoid(*change, entry->change, entry->source); !kept.ok()) return kept;
  }
  Touch(record, **staged);
  state = replayed.vector() == state.vector() ? std::move(replayed) : std::move(reduced);
  (*staged)->longest = EncodeState(state).size();
  return absl::OkStatus();
}

absl::Status Replica::FollowRevocations(RevokedAuthors revoked) {
  bool any = false;
  for (const auto& [site, last] : revoked.last_valid()) any = any || revoked.MayVoidSomeOf(site, KnownOf(site));
  PutMeta(std::string(storage::kRevokedKey), revoked.Encode());
  open_revoked_ = std::move(revoked);
  if (!any) return absl::OkStatus();
  std::set<RecordKey> records;
  // Behind damage the walk goes on; whoever repairs what lies there knows what is void.
  Unread unread;
  absl::Status scanned = ScanFeed(
      *store_, 0,
      [&](uint64_t, const FeedEntry& entry) {
        if (entry.type != FeedEntry::Type::kChange) return true;
        const absl::StatusOr<Change> change = open_revoked_->Decode(entry.change);
        if (change.ok() && change->is_void) records.insert(change->record);
        return true;
      },
      &unread);
  if (!scanned.ok()) return scanned;
  for (const RecordKey& record : records) {
    if (absl::Status taken = TakeBack(record); !taken.ok()) return taken;
  }
  return absl::OkStatus();
}

}  // namespace maillage::replication
