#include "tests/sim/site.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/record_reader.h"
#include "replication/schema.h"
#include "replication/state_codec.h"
#include "storage/keys.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/random_message.h"
#include "tests/replication/support/site.h"

namespace maillage::sim {

namespace {

// Rarer than a node's: each remembers all that its site held.
constexpr uint64_t kReportPauseMillis = 2 * 3600 * 1000;

}  // namespace

using replication::Replica;
using replication::Schema;
using storage::Table;

SimSite::SimSite(size_t index, SiteId id, std::unique_ptr<Disk> new_disk, uint64_t seed, const EventQueue* events,
                 Registry* registry, Registry::Report report)
    : index(index),
      id(id),
      clock(events),
      random(seed),
      disk(std::move(new_disk)),
      registry_(registry),
      report_([index, report](const std::string& violation) {
        report(absl::StrCat("site ", index, ": ", violation));
      }) {}

void SimSite::PowerOn() {
  const bool vouched = disk->PowerOn();
  const bool continues = vouched && !std::exchange(lease_broken_, false);
  Replica::Options options{id, &Schema::BuiltIn(), continues};
  options.network = member.network;
  options.key = member.key.get();
  auto opened = Replica::Open(disk->store(), &clock, &random, options);
  if (!opened.ok()) return report_(absl::StrCat("can't be opened: ", opened.status().ToString()));
  replica = *std::move(opened);
  if (saved_.has_value() && continues &&
      !(saved_->identity == replica->identity() && saved_->progress == replica->progress() &&
        saved_->digest == replica->tree().Digest())) {
    report_("what was loaded is not what was saved");
  }
  saved_.reset();
  ReadFeedAnew();
}

void SimSite::PowerOff() {
  if (!up()) return;
  if (!replica->failed()) saved_ = Saved{replica->identity(), replica->progress(), replica->tree().Digest()};
  replica.reset();
  disk->PowerOff(random);
  ++life;
  for (Unanswered& request : unanswered_) request.dot.reset();
}

void SimSite::ReplaceDisk(std::unique_ptr<Disk> other) {
  disk = std::move(other);
  lease_broken_ = has_lease;
  saved_.reset();
  checked_.clear();
  feed_.resize(1);
  etags_.clear();
  unanswered_.clear();
}

VersionVector SimSite::ReadBefore(const RecordKey& record, const RecordState& state, bool stale) {
  std::vector<VersionVector>& read = etags_[record];
  VersionVector context = state.vector();
  if (stale && !read.empty()) {
    const VersionVector& old = read[random.Below(read.size())];
    if (state.vector().Covers(old)) context = old;
  }
  constexpr size_t kEtagsInPockets = 8;
  if (read.size() >= kEtagsInPockets) read.erase(read.begin());
  read.push_back(state.vector());
  return context;
}

void SimSite::Edit(const RecordKey& record, bool stale) {
  auto found = replica->State(record);
  if (!found.ok()) return report_(found.status().ToString());
  if (!found->has_value() && WasLetGo(record)) return;
  const RecordState state = found->value_or(RecordState());
  Replica::LocalWrite write{record, ReadBefore(record, state, stale), {}, "Zoé", ""};
  const replication::KindSchema* kind = Schema::BuiltIn().FindKind(record.kind);
  const replication::testing::Writer writer =
      kind == nullptr ? replication::testing::WriteAnyCells
                      : replication::testing::EditRandomly(Schema::BuiltIn(), *kind);
  write.operations = writer(random, state, write.context);
  write.request_id = absl::StrCat(index, "-", life, "-", ++requests_);
  WriteNow(std::move(write));
}

void SimSite::AssignScope(const SiteId& site, const replication::Scope& scope) {
  const RecordKey record{replication::kSiteKind, *RecordId::FromBytes(site.bytes())};
  const auto found = replica->State(record);
  if (!found.ok()) return report_(found.status().ToString());
  replication::Operation operation;
  operation.field = replication::kSiteScopeField;
  operation.value = scope.ToText();
  Replica::LocalWrite write{record, found->value_or(RecordState()).vector(), {operation}, "Zoé", ""};
  write.request_id = absl::StrCat(index, "-", life, "-", ++requests_);
  WriteNow(std::move(write));
}

bool SimSite::WasLetGo(const RecordKey& record) const {
  const auto evicted = disk->store()->Get(Table::kMeta, storage::EvictedKey(record));
  return evicted.ok() && evicted->has_value();
}

void SimSite::WriteNow(Replica::LocalWrite write) {
  const auto dot = replica->Write(write);
  if (dot.ok()) {
    unanswered_.push_back({std::move(write), *dot});
  } else if (!absl::IsFailedPrecondition(dot.status())) {
    report_(absl::StrCat("a write is refused: ", dot.status().ToString()));
  }
}

void SimSite::RetryUnanswered() {
  std::vector<Unanswered> waiting = std::exchange(unanswered_, {});
  for (Unanswered& request : waiting) {
    if (request.dot.has_value()) {
      unanswered_.push_back(std::move(request));
      continue;
    }
    const auto outcome = replica->FindRequest(request.write.request_id);
    if (!outcome.ok()) return report_(outcome.status().ToString());
    if (outcome->has_value()) {
      registry_->Acknowledge({(*outcome)->record, (*outcome)->dot});
    } else {
      WriteNow(std::move(request.write));
    }
  }
}

bool SimSite::Commit() {
  if (random.Below(10'000) < failed_commits_of_ten_thousand) {
    // A failed sync, which the store notes; or the power goes in the middle.
    disk->FailNextCommit(random, absl::InternalError("injected"), /*noted=*/random.OneIn(2));
  }
  const absl::Status committed = replica->Commit();
  if (!committed.ok()) {
    if (!replica->failed()) report_("a commit failed and the replica goes on");
    return false;
  }
  if (incarnation_read_ == replica->identity().incarnation) {
    ReadNewFeedEntries();
  } else {
    ReadFeedAnew();
  }
  AcknowledgeWrites();
  PublishReport();
  return true;
}

void SimSite::PublishReport() {
  const uint64_t now = clock.NowMillis();
  const bool is_early = now - last_report_millis_ < kReportPauseMillis && now > last_report_millis_;
  if (is_early || !replica->ReportIsOutdated()) return;
  last_report_millis_ = now;
  replica->PublishReport({});
  const auto* const told = replica->reports().Find(id);
  if (told == nullptr) return report_("a member's report is refused");
  Registry::Holding holding;
  auto cursor = disk->store()->Scan(Table::kStates, {}, storage::ScanOrder::kAscending);
  for (; cursor->Valid(); cursor->Next()) {
    const RecordKey record = *storage::ParseStateKey(cursor->key());
    holding[record] = VectorOf(record);
  }
  registry_->Reported(id, told->body.number(), std::move(holding));
}

void SimSite::CheckHeldReports() {
  // Where frames get lost, nobody knows how far a feed is here. What left a territory, and came back, may be owed anew.
  if (member.hears_late || !replica->scope().everything()) return;
  for (const auto& [reporter, held] : replica->held_reports().held()) {
    const Registry::Holding* const reported = registry_->FindReported(reporter, held.number);
    if (reported != nullptr) CheckHolds(reporter, *reported);
  }
}

void SimSite::CheckHolds(const SiteId& reporter, const Registry::Holding& reported) {
  for (const auto& [record, held] : reported) {
    // Handed over in a narrower scope.
    if (WasLetGo(record)) continue;
    const VersionVector& mine = VectorOf(record);
    for (const VersionVector::Entry& entry : held.entries()) {
      // What this site gave up of its own is here under another name.
      const bool gave_up = entry.actor.site == id;
      if (gave_up || mine.Get(entry.actor) >= entry.n) continue;
      return report_(absl::StrCat("says that it holds what site ", FormatSiteId(reporter), " held, and doesn't: ",
                                  Show(ChangeName{record, {entry.actor, entry.n}})));
    }
  }
}

void SimSite::ReadFeedAnew() {
  const std::vector<std::optional<ChangeName>> before = std::exchange(feed_, std::vector<std::optional<ChangeName>>(1));
  incarnation_read_ = replica->identity().incarnation;
  ReadNewFeedEntries();
  for (size_t i = 1; i < std::min(before.size(), feed_.size()); ++i) {
    if (before[i].has_value() && feed_[i].has_value() && before[i] != feed_[i]) {
      registry_->Rename(*before[i], *feed_[i]);
    }
  }
}

void SimSite::AcknowledgeWrites() {
  for (const Unanswered& request : unanswered_) {
    if (!request.dot.has_value()) continue;
    // By the request, since the dot may have been given up before anyone was told.
    const auto outcome = replica->FindRequest(request.write.request_id);
    if (!outcome.ok() || !outcome->has_value()) return report_("a write that is not remembered");
    registry_->Acknowledge({(*outcome)->record, (*outcome)->dot});
  }
  std::erase_if(unanswered_, [](const Unanswered& request) { return request.dot.has_value(); });
}

void SimSite::ReadNewFeedEntries() {
  const absl::Status scanned = replication::ScanFeed(
      *disk->store(), feed_.size() - 1, [&](uint64_t position, replication::FeedEntry entry) {
        if (position != feed_.size()) report_("a gap in the feed");
        feed_.emplace_back();
        if (entry.type == replication::FeedEntry::Type::kChange) feed_.back() = registry_->Saw(entry.change);
        return true;
      });
  if (!scanned.ok()) report_(scanned.ToString());
  if (feed_.size() != replica->progress().feed_head + 1) report_("the feed doesn't end at its head");
}

const VersionVector& SimSite::VectorOf(const RecordKey& record) const {
  auto& [bytes, vector] = looked_at_[record];
  const auto stored = disk->content().Get(Table::kStates, storage::StateKey(record));
  const std::string now = stored.ok() ? stored->value_or("") : "";
  if (bytes == now) return vector;
  bytes = now;
  const auto state = replication::DecodeState(now);
  vector = state.ok() ? state->vector() : VersionVector();
  return vector;
}

void SimSite::CheckRecords() {
  if (incarnation_seen_ != replica->identity().incarnation) {
    incarnation_seen_ = replica->identity().incarnation;
    checked_.clear();
  }
  std::erase_if(checked_, [&](const auto& checked) { return WasLetGo(checked.first); });
  auto cursor = disk->store()->Scan(Table::kStates, {}, storage::ScanOrder::kAscending);
  for (; cursor->Valid(); cursor->Next()) {
    const RecordKey record = *storage::ParseStateKey(cursor->key());
    auto& [bytes, vector] = checked_[record];
    if (bytes == cursor->value()) continue;
    const auto state = replication::DecodeState(cursor->value());
    if (!state.ok()) return report_(state.status().ToString());
    if (replication::EncodeState(*state) != cursor->value()) report_("a state that is not canonical");
    if (!state->vector().Covers(vector)) report_("a vector shrank within an incarnation");
    registry_->CheckState(record, *state, cursor->value());
    bytes = std::string(cursor->value());
    vector = state->vector();
  }
}

void SimSite::Check(bool thorough) {
  CheckRecords();
  CheckHeldReports();
  if (replica->progress().quarantined > 0) {
    auto cursor = disk->store()->Scan(Table::kMeta, storage::KeyRange::Prefix(storage::QuarantineKey("")),
                                      storage::ScanOrder::kAscending);
    const auto entry = replication::DecodeQuarantineEntry(cursor->value());
    const bool late = member.hears_late && entry.ok() && absl::StrContains(entry->reason, "n'est pas membre");
    // Of copies that were made, which the simulation does.
    const bool of_a_copy = entry.ok() && absl::StrContains(entry->reason, "a signé deux modifications");
    if (!late && !of_a_copy) report_(absl::StrCat("an honest site's change is refused: ", entry.ok() ? entry->reason : "?"));
  }
  if (!thorough) return;
  const std::string inconsistency = replication::testing::Inconsistency(*disk->store(), *replica);
  if (!inconsistency.empty()) report_(absl::StrCat("the tables disagree: ", inconsistency));
}

}  // namespace maillage::sim
