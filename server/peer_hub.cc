#include "server/peer_hub.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "proto/id.h"
#include "server/peer_text.h"
#include "server/tuning.h"
#include "spdlog/spdlog.h"
#include "storage/keys.h"

namespace maillage::server {

using replication::SyncProgress;
using replication::SyncSession;
using replication::SyncState;

PeerHub::PeerHub(Writer* writer, replication::Replica* replica, std::string site_name,
                 const std::vector<std::string>& addresses, Dialer dialer)
    : writer_(writer), replica_(replica), site_name_(std::move(site_name)), dialer_(std::move(dialer)),
      feed_times_(replica->progress().feed_head) {
  for (const std::string& address : addresses) {
    Peer& peer = peers_.emplace_back();
    peer.address = address;
    peer.schedule.emplace(&replica->random());
  }
}

PeerHub::~PeerHub() = default;

uint64_t PeerHub::Now() const { return replica_->wall_clock().NowMillis(); }

absl::Status PeerHub::Start() {
  const storage::KeyRange range = storage::KeyRange::Prefix(storage::kPausedPrefix);
  auto cursor = replica_->store().Scan(storage::Table::kMeta, range);
  for (; cursor->Valid(); cursor->Next()) {
    paused_.emplace(cursor->key().substr(storage::kPausedPrefix.size()));
  }
  if (!cursor->status().ok()) return cursor->status();
  for (Peer& peer : peers_) {
    peer.paused = paused_.contains(peer.address);
    auto site = replica_->store().Get(storage::Table::kMeta, storage::AddressKey(peer.address));
    if (!site.ok()) return site.status();
    if (site->has_value()) peer.site = SiteId::FromBytes(**site).value_or(SiteId());
  }
  subscription_ = writer_->Subscribe([this](uint64_t feed_head) {
    feed_times_.Note(feed_head, Now());
    pump_due_ = true;
    Pump();
  });
  writer_->SetTicker(kTickMillis, [this](replication::Replica&) { Tick(); });
  return absl::OkStatus();
}

void PeerHub::Post(std::function<void()> task) {
  writer_->Post([task = std::move(task)](replication::Replica&) { task(); },
                [this](const absl::Status& committed) { AfterCommit(committed); });
}

void PeerHub::AfterCommit(const absl::Status& committed) {
  // What the sessions did is unknown: nobody may be told that it is stored.
  if (!committed.ok() && !store_failed_) CutAll();
  const uint64_t version = replica_->membership_version();
  if (on_membership_ && std::exchange(membership_seen_, version) != version) on_membership_(replica_->membership());
  // Where the store has failed, those that came since are told so.
  Pump();
}

void PeerHub::CutAll() {
  for (const auto& link : links_) {
    link->cut = true;
    link->stream->Cancel();
  }
}

void PeerHub::OnWriteState(bool writing, bool store_failed) {
  if (store_failed && !store_failed_) CutAll();
  writing_ = writing;
  store_failed_ = store_failed;
  for (const auto& link : links_) {
    if (!link->cut) link->session->AcceptChanges(writing);
  }
  for (Peer& peer : peers_) {
    const bool was_told = peer.last.goodbye == v1::Goodbye::READ_ONLY && !peer.last.closed_by_peer;
    if (writing && was_told && peer.schedule.has_value()) peer.schedule->DialNow();
  }
  pump_due_ = true;
}

void PeerHub::Accept(std::shared_ptr<SyncStream> stream, std::string from) {
  auto link = std::make_shared<Link>();
  link->stream = std::move(stream);
  link->from = std::move(from);
  Post([this, link] { Attach(link); });
}

void PeerHub::Attach(const std::shared_ptr<Link>& link) {
  link->id = next_link_++;
  SyncSession::Options options;
  options.caller = link->dialled;
  options.name = site_name_;
  if (const Peer* peer = PeerOf(*link)) options.expected_peer = peer->site;
  link->session = std::make_unique<SyncSession>(replica_, options);
  link->session->AcceptChanges(writing_);
  if (shutting_down_) link->session->Close(v1::Goodbye::SHUTTING_DOWN, "");
  if (store_failed_) link->session->Close(v1::Goodbye::READ_ONLY, "");
  if (links_.size() >= kMaxLinks) link->session->Close(v1::Goodbye::BUSY, "");
  links_.push_back(link);
  pump_due_ = true;
  SyncStream::Events events;
  events.on_frame = [this, link](v1::SyncFrame frame) {
    if (on_read_) on_read_(frame);
    Post([this, link, frame = std::move(frame)] { OnFrame(link, frame); });
  };
  events.on_written = [this, link] { Post([this, link] { OnWritten(link); }); };
  // Moved on, so that the stream goes with the task, on the writer's thread.
  events.on_closed = [this, link = link](grpc::Status status) mutable {
    Post([this, link = std::move(link), status = std::move(status)] { OnClosed(link, status); });
  };
  link->waiting = !link->dialled && !link->session->closing();
  if (link->waiting) admission_.Arrive(link->id);
  link->stream->Start(std::move(events));
  if (!link->waiting) link->stream->Read();
  AdmitWaiting();
}

void PeerHub::AdmitWaiting() {
  for (const uint64_t id : admission_.Admit(Now())) {
    const auto link = std::find_if(links_.begin(), links_.end(), [&](const auto& each) { return each->id == id; });
    (*link)->waiting = false;
    (*link)->stream->Read();
    pump_due_ = true;
  }
}

void PeerHub::EndStalled() {
  for (const uint64_t id : admission_.Stalled(Now(), kStalledMillis)) {
    const auto link = *std::find_if(links_.begin(), links_.end(), [&](const auto& each) { return each->id == id; });
    spdlog::info("link gives way peer={} from={}", link->session->progress().peer_name, link->from);
    admission_.Leave(id);
    link->session->Close(v1::Goodbye::BUSY, "");
    // It doesn't read the goodbye either.
    if (link->writing) link->stream->Cancel();
  }
  AdmitWaiting();
}

void PeerHub::Tick() {
  pump_due_ = true;
  const uint64_t now = Now();
  EndStalled();
  for (Peer& peer : peers_) {
    const bool wanted = !peer.address.empty() && !peer.paused && !shutting_down_ && !store_failed_;
    if (wanted && peer.link == nullptr && peer.schedule->IsDue(now)) Dial(peer);
    AnswerWaiters(peer);
  }
  for (const auto& link : links_) {
    if (link->finishing && now >= link->cancel_millis) link->stream->Cancel();
    ReadOn(*link, now);
  }
  EndStuck(now);
  if (on_tick_) on_tick_();
  // Sessions compare roots again when time has passed, commit or not.
  Post([] {});
}

void PeerHub::EndStuck(uint64_t now) {
  if (!writing_) return;
  for (Peer& peer : peers_) {
    if (peer.link == nullptr || !peer.link->introduced || peer.link->finishing || peer.link->cut) continue;
    Link& link = *peer.link;
    const SyncSession& session = *link.session;
    const bool slowed = now < link.slowed_until_millis || now < session.progress().slowed_by_peer_until_millis;
    const bool waits = !slowed && !session.closing() && !session.apart() && !session.up_to_date();
    if (!link.stall.Look(session.progress(), waits, now)) continue;
    ++peer.stalls;
    link.own_fault = StallText(session.progress(), replica_->progress().feed_head);
    spdlog::warn("link stalled peer={} error=\"{}\" stalls={}", peer.name, link.own_fault, peer.stalls);
    BeginEnd(link);
    link.stream->Cancel();
  }
}

void PeerHub::Dial(Peer& peer) {
  auto link = std::make_shared<Link>();
  link->dialled = true;
  link->stream = dialer_(peer.address);
  peer.link = link;
  // Until the peer says otherwise this attempt counts as failed, so that the next one waits.
  peer.schedule->OnFailure(Now());
  Attach(link);
}

void PeerHub::OnFrame(const std::shared_ptr<Link>& link, const v1::SyncFrame& frame) {
  if (link->cut) return link->stream->Take();
  pump_due_ = true;
  const auto begin = std::chrono::steady_clock::now();
  admission_.NoteProgress(link->id, Now());
  if (!link->introduced) link->session->SetProvenPeer(link->stream->ProvenSite());
  const bool was_closing = link->session->closing();
  const uint64_t renewals = replica_->identity().renewals;
  const absl::Status status = link->session->Receive(frame);
  const std::chrono::duration<double, std::milli> worked = std::chrono::steady_clock::now() - begin;
  Charge(*link, static_cast<double>(frame.ByteSizeLong()), worked.count());
  if (replica_->identity().renewals != renewals) NoteRenewal(*link);
  if (!status.ok()) {
    spdlog::error("sync failed peer={} error=\"{}\"", link->session->progress().peer_name,
                  status.ToString());
    link->own_fault = StoreErrorText(status);
    link->stream->Cancel();
    return;
  }
  if (!was_closing) NoteMalformed(*link, link->session->fault());
  if (!link->introduced && frame.has_hello()) Introduce(link);
  Peer* const peer = PeerOf(*link);
  if (peer == nullptr) return;
  peer->last_contact_millis = Now();
  if (!frame.has_check() || !frame.check().reply() || !link->asked.has_value()) return;
  peer->round_trip = std::chrono::duration_cast<std::chrono::microseconds>(begin - *std::exchange(link->asked, std::nullopt));
}

void PeerHub::Charge(Link& link, double bytes, double work_millis) {
  ++link.kept_frames;
  const uint64_t now = Now();
  const SiteId site = link.session->progress().peer;
  if (!site.empty()) {
    if (budgets_.size() >= kMaxSitesRemembered) budgets_.clear();
    Budget& budget =
        budgets_
            .try_emplace(site, Budget{{limits_.bytes_per_second, limits_.bytes_burst},
                                      {limits_.work_millis_per_second, limits_.work_millis_burst}})
            .first->second;
    budget.bytes.Spend(bytes, now);
    budget.work_millis.Spend(work_millis, now);
    const uint64_t wait = std::max(budget.bytes.WaitMillis(now), budget.work_millis.WaitMillis(now));
    if (wait > 0 && link.slowed_until_millis == 0) {
      spdlog::warn("link slowed peer={} wait_ms={}", link.session->progress().peer_name, wait);
      link.session->TellSlowed(wait);
    }
    if (wait > 0) link.slowed_until_millis = now + wait;
  }
  ReadOn(link, now);
}

void PeerHub::ReadOn(Link& link, uint64_t now) {
  if (now < link.slowed_until_millis) return;
  link.slowed_until_millis = 0;
  for (; link.kept_frames > 0; --link.kept_frames) link.stream->Take();
}

PeerHub::Peer& PeerHub::PeerForLink(const Link& link) {
  if (Peer* peer = PeerOf(link)) return *peer;
  const SiteId site = link.session->progress().peer;
  for (Peer& peer : peers_) {
    if (peer.site == site) return peer;
  }
  Peer& peer = peers_.emplace_back();
  peer.site = site;
  peer.paused = paused_.contains(FormatSiteId(site));
  return peer;
}

std::shared_ptr<PeerHub::Link> PeerHub::AbsorbCaller(const Peer& peer) {
  for (auto other = peers_.begin(); other != peers_.end(); ++other) {
    if (&*other == &peer || other->site != peer.site || !other->address.empty()) continue;
    const std::shared_ptr<Link> link = other->link;
    peers_.erase(other);
    return link;
  }
  return nullptr;
}

void PeerHub::Introduce(const std::shared_ptr<Link>& link) {
  const SyncProgress& progress = link->session->progress();
  if (progress.state == SyncState::kGreeting || progress.state == SyncState::kClosed) return;
  link->introduced = true;
  Peer& peer = PeerForLink(*link);
  std::shared_ptr<Link> rival = peer.link == link ? nullptr : peer.link;
  peer.name = progress.peer_name;
  if (peer.site != progress.peer) {
    peer.site = progress.peer;
    if (!peer.address.empty()) {
      replica_->PutMeta(storage::AddressKey(peer.address), std::string(peer.site.bytes()));
    }
  }
  if (std::shared_ptr<Link> absorbed = AbsorbCaller(peer)) rival = absorbed;
  if (peer.paused) {
    link->session->Close(v1::Goodbye::PAUSED, site_name_);
    return;
  }
  if (GivesWay(*link, rival, peer.site)) {
    peer.link = rival;
    link->session->Close(v1::Goodbye::DUPLICATE, "");
    return;
  }
  peer.link = link;
  spdlog::info("link open peer={} site={} dialled={} clock_difference_ms={}", peer.name,
               FormatSiteId(peer.site), link->dialled, progress.clock_difference_millis);
}

bool PeerHub::GivesWay(const Link& link, const std::shared_ptr<Link>& rival, const SiteId& site) {
  if (rival == nullptr || !rival->introduced || rival->finishing) return false;
  // Both dialled: both ends keep the stream that the smaller site dialled. A second one in the same direction means
  // that the peer started over, and the older is a leftover.
  const bool keep_dialled = replica_->identity().site < site;
  if (rival->dialled != link.dialled && link.dialled != keep_dialled) return true;
  rival->session->Close(v1::Goodbye::DUPLICATE, "");
  return false;
}

void PeerHub::NoteMalformed(const Link& link, const std::string& what) {
  if (what.empty()) return;
  const std::optional<uint64_t> suppressed = malformed_log_.Admit(Now());
  if (!suppressed.has_value()) return;
  spdlog::warn("unreadable message peer={} from={} error=\"{}\" not_logged_before={}",
               link.session->progress().peer_name, link.from, what, *suppressed);
}

void PeerHub::NoteRenewal(const Link& link) {
  const replication::ContinuityNote& note = replica_->continuity_note();
  spdlog::critical("new incarnation peer={} renamed_changes={} reason=\"{}\"", link.session->progress().peer_name,
                   note.renamed, ContinuityText(note));
}

void PeerHub::OnWritten(const std::shared_ptr<Link>& link) {
  link->writing = false;
  admission_.NoteProgress(link->id, Now());
  pump_due_ = true;
  if (link->finishing) link->stream->Finish();
}

void PeerHub::OnClosed(const std::shared_ptr<Link>& link, const grpc::Status& status) {
  Peer* peer = PeerOf(*link);
  const SyncProgress& progress = link->session->progress();
  if (peer != nullptr && peer->link == link) {
    const bool sent_away = peer->last.goodbye == v1::Goodbye::NO_MEMBER && peer->last.closed_by_peer;
    std::string error = link->own_fault.empty() ? LinkErrorText(progress, status, peer->address) : link->own_fault;
    if (sent_away && !link->introduced && progress.goodbye == v1::Goodbye::REASON_UNSPECIFIED) {
      // Whoever was sent away is refused in the handshake from then on, which tells no reason.
      error = peer->last_error;
    } else {
      KeepProgress(*peer, progress);
    }
    peer->link = nullptr;
    // An office that is off for weeks is one line in the log, not one per attempt.
    const auto level = error == peer->last_error ? spdlog::level::debug : spdlog::level::info;
    peer->last_error = error;
    if (progress.goodbye == v1::Goodbye::NOT_CONVERGING && peer->disagreement_millis == 0) peer->disagreement_millis = Now();
    if (progress.goodbye == v1::Goodbye::DUPLICATE && peer->schedule.has_value()) {
      peer->schedule->Postpone(Now() + kDuplicateRedialMillis);
    }
    if (progress.goodbye == v1::Goodbye::READ_ONLY && peer->schedule.has_value()) {
      peer->schedule->Postpone(Now() + kReadOnlyRedialMillis);
    }
    spdlog::log(level, "link closed peer={} address={} reason=\"{}\"", peer->name, peer->address,
                peer->last_error);
    for (Waiter& waiter : std::exchange(peer->waiters, {})) {
      waiter.answer(absl::FailedPreconditionError(peer->last_error));
    }
  }
  const bool unknown_caller = !link->dialled && !link->introduced && !link->waiting && !link->cut;
  if (unknown_caller && !link->session->closing()) NoteMalformed(*link, "the stream ended before a greeting");
  const auto& unreadable = link->session->unreadable().records();
  unreadable_.insert(unreadable.begin(), unreadable.end());
  links_.remove(link);
  admission_.Leave(link->id);
  AdmitWaiting();
  if (links_.empty() && all_closed_) std::exchange(all_closed_, nullptr)();
}

void PeerHub::KeepProgress(Peer& peer, const SyncProgress& ended) {
  const SyncProgress before = peer.last;
  peer.last = ended;
  // A session that ended before it agreed knows less than the one before it.
  if (ended.agreements > 0) return;
  peer.last.last_agreement_millis = before.last_agreement_millis;
  peer.last.sent_position = std::max(ended.sent_position, before.sent_position);
  peer.last.stored_position = std::max(ended.stored_position, before.stored_position);
  peer.last.applied_position = std::max(ended.applied_position, before.applied_position);
}

void PeerHub::Pump() {
  if (!std::exchange(pump_due_, false)) return;
  for (const auto& link : std::list<std::shared_ptr<Link>>(links_)) PumpLink(link);
  AdmitWaiting();
}

void PeerHub::PumpLink(const std::shared_ptr<Link>& link) {
  if (link->writing || link->finishing || link->waiting || link->cut) return;
  v1::SyncFrame frame;
  absl::StatusOr<bool> filled = link->session->Next(&frame);
  if (!filled.ok()) {
    spdlog::error("sync failed peer={} error=\"{}\"", link->session->progress().peer_name,
                  filled.status().ToString());
    link->own_fault = StoreErrorText(filled.status());
    link->stream->Cancel();
    return;
  }
  if (link->session->progress().agreements > 0 || link->session->apart())
    admission_.Leave(link->id);
  if (Peer* peer = PeerOf(*link)) NoteOutcome(link, *peer);
  if (*filled) {
    link->writing = true;
    if (frame.has_check() && !frame.check().reply()) link->asked = std::chrono::steady_clock::now();
    if (frame.has_goodbye()) BeginEnd(*link);
    link->stream->Write(frame);
  } else if (link->session->closed()) {
    BeginEnd(*link);
    link->stream->Finish();
  }
}

void PeerHub::BeginEnd(Link& link) {
  link.finishing = true;
  link.cancel_millis = Now() + static_cast<uint64_t>(kGoodbyeMillis);
}

void PeerHub::NoteOutcome(const std::shared_ptr<Link>& link, Peer& peer) {
  const SyncProgress& progress = link->session->progress();
  if (std::exchange(link->separations_seen, progress.separations) != progress.separations) {
    if (peer.disagreement_millis == 0) peer.disagreement_millis = Now();
    AnswerWaiters(peer);
  }
  if (progress.agreements == link->agreements_seen) return;
  link->agreements_seen = progress.agreements;
  if (peer.schedule.has_value()) peer.schedule->OnAgreement();
  peer.last_error.clear();
  peer.disagreement_millis = 0;
  AnswerWaiters(peer);
}

void PeerHub::AnswerWaiters(Peer& peer) {
  const SyncProgress progress = peer.link != nullptr ? peer.link->session->progress() : SyncProgress();
  const uint64_t now = Now();
  std::vector<Waiter> waiting;
  for (Waiter& waiter : std::exchange(peer.waiters, {})) {
    if (progress.agreements > waiter.agreements) {
      waiter.answer(absl::OkStatus());
    } else if (progress.separations > waiter.separations) {
      waiter.answer(absl::FailedPreconditionError(absl::StrCat(
          "tout a été échangé sauf ce qui est illisible sur un disque, ou trop long pour un message : fiches laissées de "
          "côté ici ", progress.unreadable, ", chez « ", peer.name, " » ", progress.peer_unreadable,
          " ; là où elles le sont : maillage doctor --repair")));
    } else if (now >= waiter.deadline_millis) {
      waiter.answer(absl::DeadlineExceededError(
          "la comparaison dure encore ; elle se poursuit, voyez « maillage peers »"));
    } else {
      waiting.push_back(std::move(waiter));
    }
  }
  peer.waiters = std::move(waiting);
}

void PeerHub::Shutdown(std::function<void()> closed) {
  shutting_down_ = true;
  writer_->Unsubscribe(subscription_);
  for (const auto& link : links_) {
    link->session->Close(v1::Goodbye::SHUTTING_DOWN, "");
    link->waiting = false;
  }
  if (links_.empty()) return closed();
  all_closed_ = std::move(closed);
  pump_due_ = true;
  Pump();
  // A link that is still writing says goodbye afterwards; one that can't write is ended by the server's shutdown.
}

void PeerHub::Abandon() {
  for (const auto& link : links_) link->stream->Cancel();
}

absl::Status PeerHub::NoSuchPeer(const std::string& name) const {
  std::string known;
  for (const Peer& peer : peers_) {
    absl::StrAppend(&known, known.empty() ? "" : ", ", peer.name.empty() ? peer.address : peer.name);
  }
  return absl::NotFoundError(absl::StrCat("aucun pair « ", name, " » ; pairs connus : ",
                                          known.empty() ? "aucun" : known));
}

PeerHub::Peer* PeerHub::PeerOf(const Link& link) {
  for (Peer& peer : peers_) {
    if (peer.link.get() == &link) return &peer;
  }
  return nullptr;
}

const PeerHub::Peer* PeerHub::FindPeer(const std::string& name) const {
  const auto found = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& peer) {
    return (!peer.address.empty() && peer.address == name) || (!peer.name.empty() && peer.name == name) ||
           (!peer.site.empty() && FormatSiteId(peer.site) == name);
  });
  return found == peers_.end() ? nullptr : &*found;
}

PeerHub::Peer* PeerHub::FindPeer(const std::string& name) {
  return const_cast<Peer*>(std::as_const(*this).FindPeer(name));
}

void PeerHub::RememberPaused(const Peer& peer, bool paused) {
  std::vector<std::string> names;
  if (!peer.address.empty()) names.push_back(peer.address);
  if (!peer.site.empty()) names.push_back(FormatSiteId(peer.site));
  for (const std::string& name : names) {
    if (paused) {
      paused_.insert(name);
      replica_->PutMeta(storage::PausedKey(name), "");
    } else {
      paused_.erase(name);
      replica_->PutMeta(storage::PausedKey(name), std::nullopt);
    }
  }
}

absl::Status PeerHub::Pause(const std::string& name) {
  Peer* peer = FindPeer(name);
  if (peer == nullptr) return NoSuchPeer(name);
  peer->paused = true;
  RememberPaused(*peer, true);
  if (peer->link != nullptr) {
    if (peer->link->introduced) {
      peer->link->session->Close(v1::Goodbye::PAUSED, site_name_);
    } else {
      peer->link->stream->Cancel();
    }
    pump_due_ = true;
    Post([] {});
  }
  return absl::OkStatus();
}

absl::Status PeerHub::Resume(const std::string& name) {
  Peer* peer = FindPeer(name);
  if (peer == nullptr) return NoSuchPeer(name);
  peer->paused = false;
  RememberPaused(*peer, false);
  if (peer->schedule.has_value()) peer->schedule->DialNow();
  return absl::OkStatus();
}

void PeerHub::Sync(const std::string& name, std::function<void(absl::Status)> answer) {
  Peer* peer = FindPeer(name);
  if (peer == nullptr) return answer(NoSuchPeer(name));
  if (peer->paused) {
    return answer(absl::FailedPreconditionError(
        absl::StrCat("« ", name, " » est en pause ; d'abord : maillage resume ", name)));
  }
  if (!writing_) {
    return answer(absl::FailedPreconditionError(
        "ce nœud est en lecture seule : il envoie ce qu'il a, sans rien enregistrer ; voyez « maillage status »"));
  }
  if (peer->link == nullptr && !peer->schedule.has_value()) {
    return answer(absl::FailedPreconditionError(absl::StrCat(
        "« ", name, " » n'est pas connecté, et c'est lui qui appelle ; lancez la synchronisation de son côté")));
  }
  Waiter waiter;
  waiter.answer = std::move(answer);
  waiter.deadline_millis = Now() + kSyncCommandMillis;
  if (peer->link != nullptr) {
    waiter.agreements = peer->link->session->progress().agreements;
    waiter.separations = peer->link->session->progress().separations;
    peer->link->session->RequestCheck();
    pump_due_ = true;
    Post([] {});
  } else {
    peer->schedule->DialNow();
  }
  peer->waiters.push_back(std::move(waiter));
}

uint64_t PeerHub::unreadable_records() const {
  absl::flat_hash_set<RecordKey> all = unreadable_;
  for (const auto& link : links_) {
    const auto& records = link->session->unreadable().records();
    all.insert(records.begin(), records.end());
  }
  return all.size();
}

void PeerHub::OnRepaired() {
  unreadable_.clear();
  for (const auto& link : links_) link->session->ForgetUnreadable();
  pump_due_ = true;
  Post([] {});
}

}  // namespace maillage::server
