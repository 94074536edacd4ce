#include "replication/bundle.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "proto/quote.h"
#include "replication/byte_codec.h"
#include "replication/record_reader.h"
#include "replication/tuning.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

namespace {

// A snapshot is for nobody in particular.
SiteId Anybody(Random& random) {
  std::array<uint8_t, SiteId::kSize> bytes;
  random.Fill(bytes);
  return *SiteId::FromBytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<BundleReceipt> ReadReceipt(const storage::ReadView& view, const std::string& key) {
  const auto bytes = view.Get(Table::kMeta, key);
  if (!bytes.ok() || !bytes->has_value()) return std::nullopt;
  auto receipt = DecodeBundleReceipt(**bytes);
  // Without it the bundle is a whole one.
  if (!receipt.ok()) return std::nullopt;
  return *std::move(receipt);
}

}  // namespace

std::string EncodeBundleReceipt(const BundleReceipt& receipt) {
  std::string bytes;
  ByteWriter writer(&bytes);
  writer.Fixed64(receipt.had.incarnation);
  writer.Varint(receipt.had.position);
  writer.String(receipt.scope);
  return bytes;
}

absl::StatusOr<BundleReceipt> DecodeBundleReceipt(std::string_view bytes) {
  ByteReader reader(bytes);
  BundleReceipt receipt;
  receipt.had.incarnation = reader.Fixed64();
  receipt.had.position = reader.Varint();
  receipt.scope = reader.String();
  if (!reader.done()) return absl::DataLossError("meta table: a damaged receipt of a bundle");
  return receipt;
}

// ---- Export ----

BundleExport::BundleExport(Replica* replica, Options options)
    : replica_(replica),
      options_(std::move(options)),
      peer_(options_.receiver.empty() ? Anybody(replica->random()) : options_.receiver),
      session_(replica, {.caller = true,
                         .name = options_.name,
                         .expected_peer = peer_,
                         .anyone = options_.receiver.empty()}) {}

absl::StatusOr<std::unique_ptr<BundleExport>> BundleExport::Begin(Replica* replica, Options options) {
  if (options.receiver == replica->identity().site) {
    return absl::FailedPreconditionError("ce site n'a rien à se dire à lui-même : --for prend le nom d'un autre");
  }
  std::unique_ptr<BundleExport> made(new BundleExport(replica, std::move(options)));
  if (absl::Status status = made->Greet(); !status.ok()) return status;
  return made;
}

absl::Status BundleExport::Greet() {
  const LocalIdentity& identity = replica_->identity();
  const uint64_t head = replica_->progress().feed_head;
  const Scope holds = options_.receiver.empty() ? options_.scope : replica_->ScopeOf(peer_);
  const auto receipt = ReadReceipt(replica_->store(), storage::BundleKey(peer_));
  // A session takes no older cursor for a hint either, and nothing else would be sent.
  const bool known = receipt.has_value() && receipt->had.incarnation == identity.incarnation &&
                     receipt->had.position > 0 && receipt->had.position <= head &&
                     head - receipt->had.position <= kMaxHintedFeedEntries && receipt->scope == holds.ToText();
  const bool whole = options_.whole || !known;
  had_ = {identity.incarnation, whole ? head : receipt->had.position};
  const Scope shared = replica_->scope().Intersect(holds);
  header_.set_site(std::string(identity.site.bytes()));
  header_.set_incarnation(identity.incarnation);
  header_.set_name(options_.name);
  header_.set_receiver(std::string(options_.receiver.empty() ? "" : options_.receiver.bytes()));
  header_.set_receiver_name(options_.receiver_name);
  header_.set_scope(shared.ToText());
  header_.set_created(replica_->wall_clock().NowMillis());
  header_.set_id(std::string(Anybody(replica_->random()).bytes()));
  header_.set_whole(whole);
  header_.set_feed_from(whole ? 0 : had_.position);
  header_.set_feed_to(head);
  uint64_t records = 0;
  for (const auto& [partition, sum] : replica_->tree().Partitions(shared)) records += sum.count;
  header_.set_records(records);
  script_.emplace_back([this, holds] {
    v1::SyncFrame hello;
    hello.mutable_hello()->set_protocol(kProtocolVersion);
    hello.mutable_hello()->set_site(std::string(peer_.bytes()));
    hello.mutable_hello()->set_clock(replica_->wall_clock().NowMillis());
    if (!holds.everything()) hello.mutable_hello()->mutable_terms()->set_holds(holds.ToText());
    hello.mutable_hello()->mutable_cursor()->set_incarnation(had_.incarnation);
    hello.mutable_hello()->mutable_cursor()->set_position(had_.position);
    if (absl::Status status = session_.Receive(hello); !status.ok()) return status;
    // It holds nothing of this site that anybody would have to look into.
    v1::SyncFrame receipt;
    receipt.mutable_receipt();
    if (absl::Status status = session_.Receive(receipt); !status.ok()) return status;
    if (!session_.feed_open()) return absl::AbortedError("la base a changé pendant la préparation du lot : recommencez");
    absl::Status status = header_.whole() ? AskForAll() : absl::OkStatus();
    if (status.ok()) status = AskForWhatMoved();
    return status.ok() ? AskForWhatLeaves() : status;
  });
  script_.emplace_back([this] { return AskForWhatLeft(); });
  script_.emplace_back([this] { return OfferWhatLeft(); });
  script_.emplace_back([this] { return AskForStubs(); });
  return absl::OkStatus();
}

absl::Status BundleExport::AskFor(const std::vector<RecordKey>& records, Question question) {
  v1::SyncFrame frame;
  for (const RecordKey& record : records) {
    v1::RecordVector* entry = frame.mutable_vectors()->add_record();
    entry->set_record(std::string(record.id.bytes()));
    entry->set_kind(record.kind);
    entry->set_outside(question != Question::kRecord);
    entry->set_reply(question != Question::kPlaceOutside);
  }
  return records.empty() ? absl::OkStatus() : session_.Receive(frame);
}

absl::Status BundleExport::AskForAll() {
  v1::SyncFrame nothing;
  nothing.mutable_ranges()->set_roots(true);
  nothing.mutable_ranges()->set_salt(replica_->random().Next64());
  return session_.Receive(nothing);
}

// A change that the feed places both in what the two share and outside moved its record. What came in goes whole, and before
// the feed, which has its last changes alone; what went out is told as such.
absl::Status BundleExport::AskForWhatMoved() {
  const Scope& shared = session_.shared();
  if (shared.everything() || options_.receiver.empty()) return absl::OkStatus();
  // Whether it is known to have lain in what the two share: nothing else is told to whoever doesn't hold it.
  absl::flat_hash_map<RecordKey, bool> moved;
  const uint64_t since = header_.whole() ? 0 : had_.position;
  Unread unread;
  absl::Status scanned = ScanFeed(replica_->store(), since, [&](uint64_t, const FeedEntry& entry) {
    if (entry.type != FeedEntry::Type::kChange && entry.type != FeedEntry::Type::kState) return true;
    // Empty of what an older version wrote, which doesn't say.
    const std::vector<std::string> places = entry.territories.value_or(std::vector<std::string>());
    const bool always_shared = !places.empty() && std::all_of(places.begin(), places.end(), [&](const std::string& at) {
      return shared.Holds({entry.record.kind, at});
    });
    const bool ever_shared = !places.empty() && shared.HoldsAny(entry.record.kind, places);
    if (places.empty() || (ever_shared && !always_shared)) moved[entry.record] |= ever_shared;
    return true;
  }, &unread);
  if (!scanned.ok()) return scanned;
  unreadable_ = unread.rows > 0;
  for (const auto& [record, ever_shared] : moved) {
    const absl::StatusOr<std::optional<RecordState>> state = replica_->State(record);
    if (!state.ok() && !absl::IsDataLoss(state.status())) return state.status();
    unreadable_ = unreadable_ || !state.ok();
    if (!state.ok() || !state->has_value()) continue;
    if (!shared.HoldsAny(record.kind, (*state)->Territories())) {
      if (ever_shared) left_.push_back(record);
    } else if (!header_.whole()) {
      if (absl::Status status = AskFor({record}, Question::kRecord); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

// All that is here of them, since nobody says what the receiver has of it; then the offer itself.
absl::Status BundleExport::AskForWhatLeaves() {
  std::optional<RecordKey> after;
  while (replica_->leaving() > 0) {
    absl::StatusOr<std::vector<RecordKey>> page = replica_->Leaving(after, kOffersPerFrame);
    if (!page.ok()) return page.status();
    if (absl::Status status = AskFor(*page, Question::kRecord); !status.ok()) return status;
    if (page->size() < kOffersPerFrame) break;
    after = page->back();
  }
  session_.RequestOffers();
  return absl::OkStatus();
}

absl::Status BundleExport::AskForWhatLeft() {
  auto rows = replica_->store().Scan(Table::kMeta, storage::KeyRange::Prefix(storage::DuePrefix(peer_)));
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
    if (const auto record = storage::ParseDueKey(rows->key()); record.has_value()) left_.push_back(*record);
  }
  if (!rows->status().ok()) return rows->status();
  return AskFor(left_, Question::kRecordOutside);
}

// After what was written to them.
absl::Status BundleExport::OfferWhatLeft() { return AskFor(left_, Question::kPlaceOutside); }

absl::Status BundleExport::AskForStubs() {
  v1::SyncFrame nothing;
  nothing.mutable_stubs()->mutable_ranges()->set_roots(true);
  return session_.Receive(nothing);
}

bool BundleExport::Carry(v1::SyncFrame& frame) {
  switch (frame.body_case()) {
    case v1::SyncFrame::kHello:
    case v1::SyncFrame::kTerms:
    case v1::SyncFrame::kMembership:
    case v1::SyncFrame::kChanges:
    case v1::SyncFrame::kStates:
      return true;
    case v1::SyncFrame::kVectors: {
      // Which record lies where; everything else answers what was never asked.
      v1::Vectors told;
      for (const v1::RecordVector& entry : frame.vectors().record()) {
        if (entry.outside()) *told.add_record() = entry;
      }
      *frame.mutable_vectors() = std::move(told);
      return frame.vectors().record_size() > 0;
    }
    case v1::SyncFrame::kStubs: {
      v1::Stubs told;
      *told.mutable_stub() = std::move(*frame.mutable_stubs()->mutable_stub());
      for (v1::StubBytes& stub : *told.mutable_stub()) stub.set_reply(true);
      *frame.mutable_stubs() = std::move(told);
      return frame.stubs().stub_size() > 0;
    }
    default:
      return false;
  }
}

absl::StatusOr<bool> BundleExport::Next(v1::SyncFrame* frame) {
  while (true) {
    absl::StatusOr<bool> filled = session_.Next(frame);
    if (!filled.ok()) return filled;
    if (session_.closing()) {
      return absl::InternalError(absl::StrCat("le lot s'arrête : ", session_.progress().goodbye_message));
    }
    if (*filled && frame->has_hello()) CompleteGreeting(*frame->mutable_hello());
    if (*filled && Carry(*frame)) return true;
    if (*filled) continue;
    if (script_.empty()) return FillLast(frame);
    const std::function<absl::Status()> say = std::move(script_.front());
    script_.pop_front();
    if (absl::Status status = say(); !status.ok()) return status;
  }
}

void BundleExport::CompleteGreeting(v1::Hello& hello) const {
  if (options_.receiver.empty()) {
    hello.mutable_terms()->set_grants(options_.scope.everything() ? "" : options_.scope.ToText());
  }
  hello.clear_cursor();
  const auto had = ReadReceipt(replica_->store(), storage::HadKey(peer_));
  // Of another scope it is another feed; and a record that was given up since waits for all of it.
  const Scope shared = replica_->scope().Intersect(replica_->ScopeOf(peer_));
  if (!had.has_value() || had->scope != shared.ToText() || !replica_->lost().empty()) return;
  hello.mutable_cursor()->set_incarnation(had->had.incarnation);
  hello.mutable_cursor()->set_position(had->had.position);
}

// What was written while the bundle was made is in it, and is told again by the next one: a record may have moved in
// meanwhile, and be here by its last changes alone.
bool BundleExport::FillLast(v1::SyncFrame* frame) {
  frame->Clear();
  if (last_frames_ == 0 && (unreadable_ || session_.progress().unreadable > 0)) ++last_frames_;
  switch (last_frames_++) {
    case 0:
      frame->mutable_changes()->set_feed_position(header_.feed_to());
      return true;
    case 1:
      frame->mutable_check()->set_digest(replica_->tree().Digest(session_.shared()));
      frame->mutable_check()->set_feed_head(replica_->progress().feed_head);
      frame->mutable_check()->set_unreadable(session_.progress().unreadable);
      return true;
    default:
      return false;
  }
}

// ---- Import ----

BundleImport::BundleImport(Replica* replica, std::string name)
    : replica_(replica), session_(replica, {/*caller=*/false, std::move(name), SiteId()}) {}

absl::Status BundleImport::Begin(const v1::BundleHeader& header) {
  const auto sender = SiteId::FromBytes(header.site());
  if (!sender.has_value() || sender->empty()) return absl::InvalidArgumentError("le lot ne dit pas de qui il vient");
  const SiteId& own = replica_->identity().site;
  if (*sender == own) return absl::InvalidArgumentError("ce lot vient de ce site : il est pour un autre");
  if (!header.receiver().empty() && header.receiver() != own.bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("ce lot est pour ", Quote(header.receiver_name().empty() ? "un autre site" : header.receiver_name()),
                     ", et non pour ce site"));
  }
  header_ = header;
  sender_ = *sender;
  auto loading = replica_->store().Get(Table::kMeta, storage::kLoadingKey);
  if (!loading.ok()) return loading.status();
  const std::string bytes = loading->value_or("");
  ByteReader reader(bytes);
  if (!header.id().empty() && reader.String() == header.id()) taken_ = reader.Varint();
  return absl::OkStatus();
}

absl::Status BundleImport::NoteGreeting(const v1::Hello& hello) {
  BundleReceipt receipt;
  receipt.had = {hello.cursor().incarnation(), hello.cursor().position()};
  receipt.scope = Scope::Parse(hello.terms().holds()).value_or(Scope()).ToText();
  replica_->PutMeta(storage::BundleKey(sender_), EncodeBundleReceipt(receipt));
  const bool of_this_feed = receipt.had.incarnation == replica_->identity().incarnation;
  return of_this_feed ? ForgetDue(receipt.had.position) : absl::OkStatus();
}

absl::Status BundleImport::WhyEnded() {
  if (!session_.fault().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("le lot dit ce qui ne se comprend pas : ", session_.fault()));
  }
  v1::SyncFrame goodbye;
  if (absl::StatusOr<bool> filled = session_.Next(&goodbye); !filled.ok()) return filled.status();
  return absl::FailedPreconditionError(
      absl::StrCat("le lot n'a pas pu être pris en entier : ", session_.progress().goodbye_message));
}

absl::Status BundleImport::Receive(const v1::SyncFrame& frame) {
  // By the greeting and the terms all that follows is understood.
  if (received_ > 0 && received_ < taken_ && !frame.has_terms()) {
    ++received_;
    return absl::OkStatus();
  }
  v1::SyncFrame heard = frame;
  if (frame.has_hello()) {
    if (!header_.receiver().empty()) {
      if (absl::Status status = NoteGreeting(frame.hello()); !status.ok()) return status;
    }
    // Nobody is there to whom the feed from there on would go.
    heard.mutable_hello()->clear_cursor();
  }
  ends_whole_ = ends_whole_ || (frame.has_changes() && frame.changes().change_size() == 0 &&
                                frame.changes().feed_position() == header_.feed_to());
  if (absl::Status status = session_.Receive(heard); !status.ok()) return status;
  if (session_.closing()) return WhyEnded();
  // The frames before this one are settled, too.
  if (received_ > taken_ && !session_.has_gap()) {
    std::string loading;
    ByteWriter writer(&loading);
    writer.String(header_.id());
    writer.Varint(received_);
    replica_->PutMeta(std::string(storage::kLoadingKey), std::move(loading));
  }
  ++received_;
  return absl::OkStatus();
}

absl::Status BundleImport::Settle() {
  v1::SyncFrame frame;
  while (true) {
    absl::StatusOr<bool> filled = session_.Next(&frame);
    if (!filled.ok()) return filled.status();
    if (!*filled) return absl::OkStatus();
    if (!frame.has_vectors()) continue;
    if (absl::Status status = NoteDue(frame.vectors()); !status.ok()) return status;
  }
}

// What this site would answer now, it answers with its next bundle.
absl::Status BundleImport::NoteDue(const v1::Vectors& vectors) {
  for (const v1::RecordVector& entry : vectors.record()) {
    const auto id = RecordId::FromBytes(entry.record());
    if (!entry.outside() || !id.has_value()) continue;
    replica_->PutMeta(storage::DueKey(sender_, {static_cast<uint16_t>(entry.kind()), *id}),
                      EncodeCount(replica_->progress().feed_head));
  }
  return absl::OkStatus();
}

absl::Status BundleImport::ForgetDue(uint64_t had) {
  auto rows = replica_->store().Scan(Table::kMeta, storage::KeyRange::Prefix(storage::DuePrefix(sender_)));
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
    const absl::StatusOr<uint64_t> noted = DecodeCount(rows->value());
    // A bundle that took in the feed that far took in the answer.
    if (!noted.ok() || *noted < had) replica_->PutMeta(std::string(rows->key()), std::nullopt);
  }
  return rows->status();
}

bool BundleImport::FollowsWhatWasHad() const {
  if (header_.whole()) return true;
  const auto had = ReadReceipt(replica_->store(), storage::HadKey(sender_));
  return had.has_value() && had->had.incarnation == header_.incarnation() &&
         had->had.position >= header_.feed_from() && had->scope == header_.scope();
}

void BundleImport::KeepHad(bool complete) {
  const std::string key = storage::HadKey(sender_);
  if (!complete) {
    // What was had before still was, unless something of it misses: then the sender is to tell everything.
    if (session_.has_gap()) replica_->PutMeta(key, std::nullopt);
    return;
  }
  const auto had = ReadReceipt(replica_->store(), key);
  const bool further = had.has_value() && had->had.incarnation == header_.incarnation() &&
                       had->scope == header_.scope() && had->had.position >= header_.feed_to();
  if (further) return;
  replica_->PutMeta(key, EncodeBundleReceipt({{header_.incarnation(), header_.feed_to()}, header_.scope()}));
}

absl::StatusOr<BundleOutcome> BundleImport::Finish() {
  const SyncProgress& progress = session_.progress();
  BundleOutcome outcome;
  outcome.equal = progress.agreements > 0;
  outcome.twin = session_.settles_continuity();
  outcome.gaps = !outcome.equal && (session_.has_gap() || !FollowsWhatWasHad());
  outcome.changes = progress.changes_received;
  outcome.states = progress.states_received;
  outcome.stubs = progress.stubs_received;
  outcome.leaving = replica_->leaving();
  KeepHad(!outcome.gaps && !outcome.twin && ends_whole_);
  replica_->PutMeta(std::string(storage::kLoadingKey), std::nullopt);
  return outcome;
}

}  // namespace maillage::replication
