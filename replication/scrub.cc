#include "replication/scrub.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "proto/site_report.pb.h"
#include "replication/evicted_record.h"
#include "replication/feed_entry.h"
#include "replication/local_meta.h"
#include "replication/membership.h"
#include "replication/record_reader.h"
#include "replication/record_traces.h"
#include "replication/revoked_authors.h"
#include "replication/state_codec.h"
#include "replication/stub.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {
namespace {

using storage::KeyRange;
using storage::Table;

constexpr uint64_t kRowsPerStep = 1'000;

absl::Status CheckMemberRow(std::string_view id, std::string_view bytes) {
  v1::SignedEntry entry;
  const bool whole = entry.ParseFromString(std::string(bytes)) && EntryId(entry.entry()) == id;
  return whole ? absl::OkStatus() : absl::DataLossError("une entrée du registre des membres est endommagée");
}

absl::Status CheckReportRow(std::string_view bytes) {
  v1::SignedSiteReport told;
  v1::SiteReport report;
  const bool whole = told.ParseFromString(std::string(bytes)) && report.ParseFromString(told.report());
  return whole ? absl::OkStatus() : absl::DataLossError("le rapport d'un site est endommagé");
}

class Scrubber {
 public:
  Scrubber(const storage::ReadView& view, const IndexSource* index, const ScrubProgress& progress,
           const ScrubSink& sink)
      : view_(view), index_(index), progress_(progress), sink_(sink) {}

  absl::StatusOr<ScrubReport> Run() {
    absl::StatusOr<RevokedAuthors> revoked = RevokedAuthors::FollowedBy(view_);
    revocations_whole_ = revoked.ok();
    if (revoked.ok()) revoked_ = *std::move(revoked);
    CheckMeta();
    CheckStates();
    CheckFingerprints();
    CheckIndex();
    CheckFeed();
    CheckChanges();
    CheckCounts();
    if (stopped_) return absl::CancelledError("arrêté");
    return std::move(report_);
  }

 private:
  void Find(ScrubFinding finding) {
    ++report_.tables[static_cast<size_t>(finding.table)].damaged;
    if (sink_ != nullptr) sink_(finding);
    if (report_.findings.size() < kMaxScrubFindings) report_.findings.push_back(std::move(finding));
  }
  void Find(Table table, std::string_view key, std::optional<RecordKey> record, std::string what) {
    Find(ScrubFinding{table, std::string(key), record, std::move(what)});
  }
  // A row too much.
  void FindRow(Table table, std::string_view key, std::optional<RecordKey> record, std::string what) {
    ScrubFinding finding{table, std::string(key), record, std::move(what)};
    finding.removable = true;
    Find(std::move(finding));
  }
  void FindPositions(std::string_view key, uint64_t first, uint64_t last, std::optional<RecordKey> record,
                     std::string what) {
    ScrubFinding finding{Table::kFeed, std::string(key), record, std::move(what)};
    finding.first_position = first;
    finding.last_position = last;
    Find(std::move(finding));
    bad_positions_.emplace_back(first, last);
  }
  bool IsBad(uint64_t position) const {
    // Ascending, and apart.
    const auto after = std::upper_bound(bad_positions_.begin(), bad_positions_.end(), position,
                                        [](uint64_t p, const auto& range) { return p < range.first; });
    return after != bad_positions_.begin() && position <= std::prev(after)->second;
  }
  // Once for each record.
  void FindUnreadable(const RecordKey& record, const absl::Status& why) {
    if (!unreadable_records_.insert(record).second) return;
    states_whole_ = false;
    Find(Table::kStates, storage::StateKey(record), record, absl::StrCat("fiche illisible : ", why.message()));
  }

  // Calls check(key, value) for each row.
  template <typename Check>
  void Walk(Table table, Check check) {
    auto cursor = view_.Scan(table, {});
    while (true) {
      for (; cursor->Valid() && !stopped_; cursor->Next()) {
        ++report_.tables[static_cast<size_t>(table)].checked;
        check(cursor->key(), cursor->value());
        if (++rows_ % kRowsPerStep == 0) stopped_ = !progress_(rows_);
      }
      if (stopped_ || cursor->status().ok()) break;
      unreadable_[static_cast<size_t>(table)] = true;
      const absl::Status status = cursor->status();
      const bool beyond = cursor->SkipDamage();
      Find(table, "", std::nullopt,
           absl::StrCat(beyond ? "des lignes sont illisibles : " : "illisible à partir d'ici : ", status.message()));
      if (!beyond) break;
    }
    stopped_ = stopped_ || !progress_(rows_);
  }

  // Nothing where it is absent or can't be read; the latter is a finding of its own.
  std::optional<std::string> Get(Table table, const std::string& key, const RecordKey& record, std::string_view missing) {
    auto value = view_.Get(table, key);
    if (!value.ok()) {
      Find(table, key, record, std::string(value.status().message()));
    } else if (!value->has_value()) {
      Find(table, key, record, std::string(missing));
    } else {
      return **std::move(value);
    }
    return std::nullopt;
  }

  void CheckMeta() {
    bool identity = false;
    Walk(Table::kMeta, [&](std::string_view key, std::string_view value) {
      absl::Status decoded;
      if (key == storage::kIdentityKey) {
        identity = true;
        decoded = DecodeIdentity(value).status();
      } else if (key == storage::kProgressKey) {
        auto progress = DecodeProgress(value);
        decoded = progress.status();
        if (progress.ok()) stored_ = *std::move(progress);
      } else if (absl::StartsWith(ToAbsl(key), ToAbsl(storage::kQuarantinePrefix))) {
        decoded = DecodeQuarantineEntry(value).status();
      } else if (absl::StartsWith(ToAbsl(key), "request/")) {
        decoded = DecodeRequestOutcome(value).status();
      } else if (absl::StartsWith(ToAbsl(key), ToAbsl(storage::kEvictedPrefix))) {
        decoded = DecodeEvictedRecord(value).status();
      } else if (absl::StartsWith(ToAbsl(key), ToAbsl(storage::kStubPrefix))) {
        decoded = DecodeStub(value).status();
      } else if (absl::StartsWith(ToAbsl(key), ToAbsl(storage::kMemberPrefix))) {
        decoded = CheckMemberRow(key.substr(storage::kMemberPrefix.size()), value);
      } else if (absl::StartsWith(ToAbsl(key), ToAbsl(storage::kReportPrefix))) {
        decoded = CheckReportRow(value);
      } else if (key == storage::kRevokedKey) {
        decoded = RevokedAuthors::FromBytes(value).status();
      } else if (absl::StartsWith(ToAbsl(key), ToAbsl(storage::kCursorPrefix))) {
        decoded = DecodeCursor(value).status();
      } else if (const auto record = storage::ParseLostKey(key); record.has_value()) {
        lost_.insert(*record);
        const auto state = view_.Get(Table::kStates, storage::StateKey(*record));
        report_.waiting += state.ok() && !state->has_value() ? 1 : 0;
      }
      const bool needed = key == storage::kIdentityKey || key == storage::kProgressKey;
      if (!decoded.ok() && needed) Find(Table::kMeta, key, std::nullopt, std::string(decoded.message()));
      if (!decoded.ok() && !needed) FindRow(Table::kMeta, key, std::nullopt, std::string(decoded.message()));
    });
    if (!identity) Find(Table::kMeta, storage::kIdentityKey, std::nullopt, "l'identité du site manque");
    if (!stored_.has_value()) Find(Table::kMeta, storage::kProgressKey, std::nullopt, "les compteurs manquent");
  }

  void CheckStates() {
    Walk(Table::kStates, [&](std::string_view key, std::string_view value) {
      const auto record = storage::ParseStateKey(key);
      if (!record.has_value()) return FindRow(Table::kStates, key, std::nullopt, "clé illisible");
      const auto state = DecodeState(value);
      if (!state.ok()) return FindUnreadable(*record, state.status());
      ++report_.records;
      CheckTraces(*record, TracesOfState(*record, *state, value, index_));
      CheckHistory(*record, *state);
    });
    states_whole_ = states_whole_ && !unreadable_[static_cast<size_t>(Table::kStates)];
  }

  void CheckTraces(const RecordKey& record, const RecordTraces& traces) {
    for (const std::string& territory : traces.territories) {
      const std::string key = storage::FingerprintKey({record.kind, territory}, TriePosition(record), record.id);
      const auto value = Get(Table::kFingerprints, key, record, "empreinte manquante");
      if (value.has_value() && *value != traces.fingerprint->ToBytes()) {
        Find(Table::kFingerprints, key, record, "l'empreinte n'est pas celle de la fiche");
      }
    }
    for (const std::string& key : traces.index_keys) {
      Get(Table::kIndex, key, record, "entrée d'index manquante");
    }
    KindCounts& counts = counted_.kinds[record.kind];
    ++(traces.deleted ? counts.deleted : counts.alive);
    counted_.conflicts += traces.conflicting ? 1 : 0;
  }

  void CheckHistory(const RecordKey& record, const RecordState& state) {
    const auto rows = ReadHistory(view_, record);
    // CheckChanges has the finding.
    if (!rows.ok()) return;
    // What is void can't be told where the row of revocations is damaged; the next start writes it anew.
    bool complete = revocations_whole_ && rows->size() == state.vector().CountBeyond({});
    RecordState replayed;
    for (const HistoryRow& row : *rows) {
      if (!state.vector().Covers(row.dot)) {
        complete = false;
        // It waits for what the change builds on.
        if (lost_.contains(record)) continue;
        Find(Table::kStates, storage::StateKey(record), record,
             absl::StrCat("la fiche ignore la modification de la position ", row.position));
      }
      if (!complete) continue;
      const auto entry = ReadFeedEntry(view_, row.position);
      const auto change = entry.ok() ? revoked_.Decode(entry->change) : entry.status();
      // CheckFeed has the finding where it can't be read.
      complete = change.ok() && change->dot == row.dot && change->record == record && replayed.CanApply(*change);
      if (complete) replayed.Apply(*change);
    }
    if (complete && replayed != state) {
      Find(Table::kStates, storage::StateKey(record), record, "la fiche n'est pas ce que donne son histoire");
    }
  }

  // What the record of a derived row calls for; nothing where there is no record, or none that can be read.
  std::optional<RecordTraces> TracesOf(const RecordKey& record, bool& absent) {
    const auto bytes = view_.Get(Table::kStates, storage::StateKey(record));
    absent = bytes.ok() && !bytes->has_value();
    if (absl::IsDataLoss(bytes.status())) FindUnreadable(record, bytes.status());
    if (!bytes.ok() || absent) return std::nullopt;
    const auto state = DecodeState(**bytes);
    if (!state.ok()) FindUnreadable(record, state.status());
    if (!state.ok()) return std::nullopt;
    return TracesOfState(record, *state, **bytes, index_);
  }

  void CheckFingerprints() {
    Walk(Table::kFingerprints, [&](std::string_view key, std::string_view value) {
      const auto parsed = storage::ParseFingerprintKey(key);
      if (!parsed.has_value()) return FindRow(Table::kFingerprints, key, std::nullopt, "clé illisible");
      if ((parsed->partition.kind & storage::kStubPartition) != 0) return CheckStubRow(key, *parsed, value);
      const RecordKey record{parsed->partition.kind, parsed->id};
      bool absent = false;
      const auto traces = TracesOf(record, absent);
      if (absent) return FindRow(Table::kFingerprints, key, record, "empreinte d'une fiche qui n'existe pas");
      if (!traces.has_value()) return;
      if (parsed->hash != TriePosition(record) ||
          !std::binary_search(traces->territories.begin(), traces->territories.end(), parsed->partition.territory)) {
        FindRow(Table::kFingerprints, key, record, "empreinte en trop");
      } else if (!Fingerprint::FromBytes(value).has_value()) {
        Find(Table::kFingerprints, key, record, "empreinte illisible");
      }
    });
  }

  // Of the last record that was asked about: rows that refer to one stand together.
  const std::optional<std::string>& ShownFingerprint(const RecordId& id) {
    if (shown_id_ == id) return shown_;
    shown_id_ = id;
    shown_.reset();
    const auto stub = index_ == nullptr ? std::optional<Stub>() : FindStub(view_, *index_, id).value_or(std::nullopt);
    if (stub.has_value()) shown_ = StubFingerprint(id, *stub).ToBytes();
    return shown_;
  }

  void CheckStubRow(std::string_view key, const storage::ParsedFingerprintKey& parsed, std::string_view value) {
    if (index_ == nullptr) return;
    storage::PartitionKey referrers = parsed.partition;
    referrers.kind = static_cast<uint16_t>(referrers.kind & ~storage::kStubPartition);
    const auto cursor =
        view_.Scan(Table::kIndex, storage::KeyRange::Prefix(storage::ReferencePrefix(parsed.id, referrers)));
    // CheckIndex has the finding where that can't be read.
    if (!cursor->Valid() && !cursor->status().ok()) return;
    if (!cursor->Valid() || parsed.hash != StubPosition(parsed.id) || ShownFingerprint(parsed.id) != value) {
      Find(Table::kFingerprints, key, std::nullopt, "l'empreinte n'est pas celle de la fiche abrégée");
    }
  }

  // What a reference calls for.
  void CheckReference(const storage::ParsedReferenceKey& reference) {
    if (index_ == nullptr || !ShownFingerprint(reference.target).has_value()) return;
    const std::string row = storage::FingerprintKey(StubPartitionOf(reference.partition),
                                                    StubPosition(reference.target), reference.target);
    const auto value = view_.Get(Table::kFingerprints, row);
    if (value.ok() && value->has_value()) return;
    Find(Table::kFingerprints, row, std::nullopt, "l'empreinte d'une fiche abrégée manque");
  }

  void CheckIndex() {
    Walk(Table::kIndex, [&](std::string_view key, std::string_view) {
      if (const auto reference = storage::ParseReferenceKey(key); reference.has_value()) CheckReference(*reference);
      const auto record = storage::ParseIndexedRecord(key);
      if (!record.has_value()) return FindRow(Table::kIndex, key, std::nullopt, "clé illisible");
      bool absent = false;
      const auto traces = TracesOf(*record, absent);
      if (absent || (traces.has_value() &&
                     !std::binary_search(traces->index_keys.begin(), traces->index_keys.end(), key))) {
        FindRow(Table::kIndex, key, record, "entrée d'index en trop");
      }
    });
  }

  void CheckFeed() {
    uint64_t last = 0;
    Walk(Table::kFeed, [&](std::string_view key, std::string_view value) {
      const auto position = storage::ParseFeedKey(key);
      if (!position.has_value()) return FindRow(Table::kFeed, key, std::nullopt, "clé illisible");
      if (*position != last + 1) {
        FindPositions(key, last + 1, *position - 1, std::nullopt,
                      absl::StrCat("rien entre les positions ", last, " et ", *position));
      }
      last = *position;
      CheckEntry(key, *position, value);
    });
    if (!stored_.has_value()) return;
    if (stored_->feed_head > last) {
      FindPositions("", last + 1, stored_->feed_head, std::nullopt,
                    absl::StrCat("le journal finit à la position ", last, " et non ", stored_->feed_head));
    } else if (stored_->feed_head < last) {
      ScrubFinding finding{Table::kFeed, "", std::nullopt,
                           absl::StrCat("le journal va jusqu'à la position ", last, " et non ", stored_->feed_head)};
      finding.feed_end = last;
      Find(std::move(finding));
    }
  }

  bool WasEvicted(const RecordKey& record) const {
    const auto evicted = view_.Get(Table::kMeta, storage::EvictedKey(record));
    return evicted.ok() && evicted->has_value();
  }

  void CheckEntry(std::string_view key, uint64_t position, std::string_view value) {
    const auto entry = DecodeFeedEntry(value);
    if (!entry.ok()) {
      return FindPositions(key, position, position, std::nullopt, std::string(entry.status().message()));
    }
    if (entry->type == FeedEntry::Type::kLost || entry->type == FeedEntry::Type::kEvicted) return;
    if (entry->type == FeedEntry::Type::kState) {
      const auto state = view_.Get(Table::kStates, storage::StateKey(entry->record));
      if (state.ok() && !state->has_value() && !lost_.contains(entry->record) && !WasEvicted(entry->record)) {
        FindPositions(key, position, position, entry->record, "cette entrée nomme une fiche qui n'existe pas");
      }
      return;
    }
    const auto change = DecodeChange(entry->change);
    if (!change.ok() || change->record != entry->record) {
      return FindPositions(key, position, position, entry->record, "modification illisible");
    }
    const std::string row = storage::ChangeKey(entry->record, position);
    const auto dot = view_.Get(Table::kChanges, row);
    if (dot.ok() && dot->has_value() && **dot == EncodeDot(change->dot)) return;
    ScrubFinding finding{Table::kChanges, row, entry->record, ""};
    finding.what = !dot.ok()            ? std::string(dot.status().message())
                   : !dot->has_value() ? "ligne d'histoire manquante"
                                        : "cette ligne d'histoire nomme une autre modification";
    finding.first_position = finding.last_position = position;
    Find(std::move(finding));
  }

  void CheckChanges() {
    Walk(Table::kChanges, [&](std::string_view key, std::string_view value) {
      const auto position = storage::ParseChangeKeyPosition(key);
      if (!position.has_value()) return FindRow(Table::kChanges, key, std::nullopt, "clé illisible");
      const auto record = storage::ParseStateKey(key.substr(0, key.size() - sizeof(uint64_t)));
      if (!DecodeDot(value).ok()) return Find(Table::kChanges, key, record, "ligne illisible");
      const auto state = view_.Get(Table::kStates, storage::StateKey(*record));
      if (absl::IsDataLoss(state.status())) FindUnreadable(*record, state.status());
      if (state.ok() && !state->has_value() && !lost_.contains(*record)) {
        Find(Table::kStates, storage::StateKey(*record), record, "fiche perdue : il reste son histoire");
      }
      const auto entry = view_.Get(Table::kFeed, storage::FeedKey(*position));
      if (!entry.ok() || !entry->has_value() || IsBad(*position)) {
        return Find(Table::kChanges, key, record, "la modification que nomme cette ligne est illisible");
      }
      const auto decoded = DecodeFeedEntry(**entry);
      if (decoded.ok() && (decoded->type != FeedEntry::Type::kChange || decoded->record != *record)) {
        Find(Table::kChanges, key, record, "ligne d'histoire en trop");
      }
    });
  }

  void CheckCounts() {
    if (!stored_.has_value() || !states_whole_ || stopped_) return;
    std::erase_if(stored_->kinds, [](const auto& kind) { return kind.second == KindCounts(); });
    if (stored_->kinds != counted_.kinds) {
      Find(Table::kMeta, storage::kProgressKey, std::nullopt, "les nombres de fiches sont faux");
    }
    if (stored_->conflicts != counted_.conflicts) {
      Find(Table::kMeta, storage::kProgressKey, std::nullopt, "le nombre de versions à comparer est faux");
    }
  }

  const storage::ReadView& view_;
  const IndexSource* const index_;
  const ScrubProgress& progress_;
  const ScrubSink& sink_;
  ScrubReport report_;
  uint64_t rows_ = 0;
  bool stopped_ = false;
  std::array<bool, storage::kTableCount> unreadable_{};
  // Every state was read and decoded.
  bool states_whole_ = true;
  RevokedAuthors revoked_;
  bool revocations_whole_ = false;
  std::set<RecordKey> unreadable_records_;
  std::set<RecordKey> lost_;
  std::optional<RecordId> shown_id_;
  std::optional<std::string> shown_;
  // First and last positions of the feed that hold nothing readable, ascending.
  std::vector<std::pair<uint64_t, uint64_t>> bad_positions_;
  std::optional<LocalProgress> stored_;
  // Told from the states.
  LocalProgress counted_;
};

}  // namespace

uint64_t ScrubReport::damaged() const {
  uint64_t sum = 0;
  for (const TableCount& table : tables) sum += table.damaged;
  return sum;
}

absl::StatusOr<ScrubReport> Scrub(const storage::ReadView& view, const IndexSource* index,
                                  const ScrubProgress& progress, const ScrubSink& sink) {
  return Scrubber(view, index, progress, sink).Run();
}

}  // namespace maillage::replication
