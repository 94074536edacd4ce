#include "tests/model/session_world.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/check.h"
#include "replication/fingerprint.h"
#include "replication/record_reader.h"
#include "replication/tuning.h"
#include "tests/replication/support/literals.h"
#include "tests/replication/support/site.h"

namespace maillage::model {

using replication::Cell;
using replication::Dot;
using replication::FeedEntry;
using replication::Operation;
using replication::RecordState;
using replication::Replica;
using replication::SyncSession;
using replication::Version;
using replication::testing::IdOf;
using replication::testing::SiteOf;

namespace {

// Of no schema: the model is about conversations.
constexpr uint16_t kKind = 77;
constexpr uint32_t kField = 1;
// Of one end in one session. What two sites with two records have to say takes less than half.
constexpr uint64_t kMostFrames = 40;

RecordKey RecordOf(size_t number) { return {kKind, IdOf(number)}; }

Operation ValueOf(std::string value) {
  Operation operation;
  operation.field = kField;
  operation.value = std::move(value);
  return operation;
}

RecordState StateIn(const storage::ReadView& view, const RecordKey& record) {
  auto state = replication::ReadState(view, record);
  MAILLAGE_CHECK(state.ok());
  return state->value_or(RecordState());
}

void MustBeOk(const absl::Status& status) { MAILLAGE_CHECK(status.ok()); }

}  // namespace

void SameRandom::Fill(std::span<uint8_t> bytes) { std::fill(bytes.begin(), bytes.end(), byte_); }

SessionWorld::SessionWorld(const SessionModel::Options& options) : options_(options) {
  for (size_t site = 0; site < ends_.size(); ++site) {
    End& end = ends_[site];
    end.id = SiteOf(static_cast<char>('a' + site));
    end.random = std::make_unique<SameRandom>(static_cast<uint8_t>(1 + site));
    end.store = std::make_unique<storage::MemoryStore>();
    Open(end);
    if (options.hints) continue;
    // Something from elsewhere, before anything else.
    storage::MemoryStore store;
    SameRandom random(9);
    auto carol = *Replica::Open(&store, &wall_, &random, {SiteOf('c')});
    MustBeOk(carol->Write({RecordOf(9), {}, {ValueOf("c")}, "Carol", ""}).status());
    MustBeOk(carol->Commit());
    MustBeOk(replication::ScanFeed(store, 0, [&](uint64_t, const FeedEntry& entry) {
      MustBeOk(end.replica->Apply(entry.change, SiteOf('c')).status());
      return true;
    }));
    MustBeOk(end.replica->Commit());
  }
  // Both have edited the same record, and one of them another.
  Write(0, 0);
  Write(1, 0);
  Write(1, 1);
  StartSessions(options.hints);
  for (size_t site = 0; site < ends_.size(); ++site) Pump(site);
}

void SessionWorld::Open(End& end) {
  end.replica = nullptr;
  end.store->Reopen();
  auto opened = Replica::Open(end.store.get(), &wall_, end.random.get(), {end.id});
  MustBeOk(opened.status());
  end.replica = *std::move(opened);
}

void SessionWorld::StartSessions(bool known) {
  for (size_t site = 0; site < ends_.size(); ++site) {
    SyncSession::Options options;
    options.caller = site == 0;
    options.name = site == 0 ? "Alice" : "Bob";
    if (known && options.caller) options.expected_peer = ends_[1].id;
    End& end = ends_[site];
    const bool goes_on =
        options_.bug == SessionBug::kKeepsTheOldSession && site == 1 && end.session != nullptr;
    if (!goes_on) end.session = std::make_unique<SyncSession>(end.replica.get(), options);
    end.outgoing.clear();
    end.lived = StoreOf(end, ends_[1 - site].id);
    end.stored = end.applied = 0;
  }
}

std::string SessionWorld::StoreOf(const End& end, const SiteId& peer) const {
  std::string content;
  for (const auto table :
       {storage::Table::kStates, storage::Table::kChanges, storage::Table::kFeed,
        storage::Table::kFingerprints, storage::Table::kIndex, storage::Table::kMeta}) {
    for (const auto& [key, value] : replication::testing::Rows(*end.store, table)) {
      absl::StrAppend(&content, key.size(), ":", key, value.size(), ":", value);
    }
    absl::StrAppend(&content, ";");
  }
  // Goes to disk with the next commit of something else.
  const auto cursor = end.replica->Cursor(peer);
  MustBeOk(cursor.status());
  if (cursor->has_value())
    absl::StrAppend(&content, (*cursor)->incarnation, "/", (*cursor)->position);
  return replication::Blake2b256({content});
}

void SessionWorld::Note(End& end, const std::string& what) {
  end.lived = replication::Blake2b256({end.lived, what});
}

void SessionWorld::Write(size_t site, size_t record) {
  End& end = ends_[site];
  if (options_.bug == SessionBug::kRestartForgets) end.earlier = end.store->Clone();
  const RecordKey key = RecordOf(record);
  MustBeOk(end.replica->Commit());
  const auto before = end.replica->State(key);
  MustBeOk(before.status());
  const replication::VersionVector context = before->value_or(RecordState()).vector();
  const auto dot =
      end.replica->Write({key, context, {ValueOf(absl::StrCat(edits_.size()))}, "Awa", ""});
  MustBeOk(dot.status());
  MustBeOk(end.replica->Commit());
  edits_.push_back({site, key, *dot, context});
  Note(end, absl::StrCat("edit ", record, " ", edits_.size()));
}

void SessionWorld::Pump(size_t site) {
  End& end = ends_[site];
  while (end.outgoing.size() < options_.most_in_flight) {
    v1::SyncFrame frame;
    const auto next = end.session->Next(&frame);
    MustBeOk(next.status());
    const auto& progress = end.session->progress();
    end.went_back = end.went_back || progress.stored_position < end.stored ||
                    progress.applied_position < end.applied;
    end.stored = progress.stored_position;
    end.applied = progress.applied_position;
    if (!*next) return;
    Note(end, absl::StrCat("send ", frame.SerializeAsString()));
    end.outgoing.push_back(std::move(frame));
  }
}

void SessionWorld::Receive(size_t site) {
  End& end = ends_[site];
  std::deque<v1::SyncFrame>& line = ends_[1 - site].outgoing;
  const v1::SyncFrame frame = std::move(line.front());
  line.pop_front();
  if (options_.bug == SessionBug::kSendsBeforeCommit) MustBeOk(end.replica->Commit());
  MustBeOk(end.session->Receive(frame));
  if (options_.bug != SessionBug::kSendsBeforeCommit) MustBeOk(end.replica->Commit());
  Note(end, absl::StrCat("receive ", frame.SerializeAsString()));
}

void SessionWorld::Cut(size_t restarts) {
  for (size_t site = 0; site < ends_.size(); ++site) {
    End& end = ends_[site];
    if (site != restarts) {
      MustBeOk(end.replica->Commit());
      continue;
    }
    end.session = nullptr;
    end.replica = nullptr;
    if (end.earlier != nullptr) end.store = std::move(end.earlier);
    Open(end);
  }
  StartSessions(/*known=*/true);
}

void SessionWorld::Play(const SessionModel::Step& step) {
  using Kind = SessionModel::Step::Kind;
  switch (step.kind) {
    case Kind::kReceive:
      Receive(step.site);
      break;
    case Kind::kLose:
      ends_[1 - step.site].outgoing.pop_front();
      break;
    case Kind::kEdit:
      Write(step.site, step.record);
      break;
    case Kind::kCut:
      Cut(step.site);
      break;
    case Kind::kWait:
      wall_.millis += replication::kCheckIntervalMillis;
      for (End& end : ends_) Note(end, "wait");
      break;
  }
  for (size_t site = 0; site < ends_.size(); ++site) Pump(site);
}

// Two worlds with the same key may have been through their waits at different times of the day:
// what is compared with the time is seconds apart, and each wait is part of what an end lived
// through.
std::string SessionWorld::Key() const {
  std::string key = ends_[0].lived + ends_[1].lived;
  for (const End& end : ends_) absl::StrAppend(&key, end.outgoing.size(), " ");
  return key;
}

// ---- Laws ----

std::string SessionWorld::CheckReceipts(const End& end, const End& peer) const {
  std::string broken;
  MustBeOk(replication::ScanFeed(*end.store, 0, [&](uint64_t position, const FeedEntry& entry) {
    if (position > end.session->progress().stored_position) return false;
    if (entry.type != FeedEntry::Type::kChange) return true;
    const auto change = replication::DecodeChange(entry.change);
    MustBeOk(change.status());
    if (!StateIn(*peer.store, change->record).vector().Covers(change->dot)) {
      broken = "a receipt for what isn't stored there";
    }
    return true;
  }));
  return broken;
}

std::string SessionWorld::CheckFeed(const End& end) const {
  std::string broken;
  std::set<Dot> seen;
  MustBeOk(replication::ScanFeed(*end.store, 0, [&](uint64_t, const FeedEntry& entry) {
    if (entry.type != FeedEntry::Type::kChange) return true;
    const auto change = replication::DecodeChange(entry.change);
    MustBeOk(change.status());
    if (!seen.insert(change->dot).second) broken = "a change was applied twice";
    return true;
  }));
  return broken;
}

std::string SessionWorld::CheckEdits(const End& end, bool all) const {
  for (const Edit& edit : edits_) {
    if (!all && ends_[edit.site].id != end.id) continue;
    const RecordState state = StateIn(*end.store, edit.record);
    if (!state.vector().Covers(edit.dot)) return "an acknowledged edit is lost";
    const bool replaced = std::any_of(edits_.begin(), edits_.end(), [&](const Edit& other) {
      return other.record == edit.record && other.context.Covers(edit.dot) &&
             state.vector().Covers(other.dot);
    });
    const Cell* cell = state.Find(kField, "");
    const bool alive = cell != nullptr &&
                       std::any_of(cell->versions.begin(), cell->versions.end(),
                                   [&](const Version& version) { return version.dot == edit.dot; });
    if (alive == replaced) return alive ? "a value is back that was replaced" : "a value is gone";
  }
  return "";
}

std::string SessionWorld::Violation() const {
  for (size_t site = 0; site < ends_.size(); ++site) {
    const End& end = ends_[site];
    const auto& progress = end.session->progress();
    if (end.went_back) return "a position went back";
    if (end.session->closing()) {
      return absl::StrCat(
          "a session between honest sites ended: ", v1::Goodbye::Reason_Name(progress.goodbye), " ",
          progress.goodbye_message, end.session->fault());
    }
    if (progress.frames_sent > kMostFrames) return "a session without end";
    for (const std::string& law :
         {CheckReceipts(end, ends_[1 - site]), CheckFeed(end), CheckEdits(end, /*all=*/false)}) {
      if (!law.empty()) return law;
    }
  }
  return "";
}

std::string SessionWorld::ViolationAtRest() const {
  if (ends_[0].replica->tree().Digest() != ends_[1].replica->tree().Digest())
    return "the two rest, and stay apart";
  for (const End& end : ends_) {
    if (!end.session->up_to_date()) return "the two are equal, and one doesn't know it";
    if (const std::string law = CheckEdits(end, /*all=*/true); !law.empty()) return law;
  }
  return "";
}

}  // namespace maillage::model
