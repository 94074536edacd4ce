// One site's copy of the database, seen by its single writer: local writes, changes and states from peers, and the
// batch that makes them durable together.
#ifndef MAILLAGE_REPLICATION_REPLICA_H_
#define MAILLAGE_REPLICATION_REPLICA_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/change.h"
#include "replication/change_signature.h"
#include "replication/evicted_record.h"
#include "replication/feed_entry.h"
#include "replication/fingerprint_tree.h"
#include "replication/held_reports.h"
#include "replication/hybrid_clock.h"
#include "replication/index_source.h"
#include "replication/local_meta.h"
#include "replication/membership.h"
#include "replication/ports.h"
#include "replication/record_reader.h"
#include "replication/record_state.h"
#include "replication/record_traces.h"
#include "replication/record_id.h"
#include "replication/renounce.h"
#include "replication/revoked_authors.h"
#include "replication/scope.h"
#include "replication/site_reports.h"
#include "replication/stub.h"
#include "storage/store.h"

namespace maillage::replication {

// Not thread-safe; one per store. Writes collect in an open batch, which later reads of this class see, until
// Commit makes them durable and visible to everyone else, or Discard forgets them.
//
// After Commit fails its outcome is unknown: every later write returns FailedPrecondition, and the owner opens the
// store again (with continuity_proven = false, so that no dot is used twice).
class Replica {
 public:
  struct Options {
    SiteId site;
    // Must outlive the replica; null: no index.
    const IndexSource* index = nullptr;
    // The store vouches that nothing acknowledged is missing. Otherwise a new incarnation is taken.
    bool continuity_proven = true;
    // Why not, where it isn't.
    ContinuityDoubt doubt = ContinuityDoubt::kStoreDamaged;
    // What the site was told when it joined; empty: it belongs to no network.
    v1::NetworkFile network = {};
    // Of this site, where it belongs to a network; must outlive the replica.
    const SigningKey* key = nullptr;
    // Null: signatures are verified as they come. Must outlive the replica.
    ChangeVerifier* verifier = nullptr;
  };

  // All pointers must outlive the replica. FailedPrecondition where the store belongs to another site.
  static absl::StatusOr<std::unique_ptr<Replica>> Open(storage::Store* store, WallClock* clock,
                                                       Random* random, const Options& options);

  // Starts over from what the store holds now, after it was opened again: forgets the open batch and a failed commit,
  // and takes a new incarnation unless `continuity_proven`. After an error no write is taken until a later Reload.
  absl::Status Reload(bool continuity_proven);

  struct LocalWrite {
    RecordKey record;
    // What the person had read; must be covered by the record's vector.
    VersionVector context;
    // In any order; each cell once.
    std::vector<Operation> operations;
    std::string person;
    // Empty: not to be remembered.
    std::string request_id;
  };
  // Issues one change. FailedPrecondition where the context holds what this site has not received, or dots that it has
  // given up since; PermissionDenied where this site may not write it (rights.h); InvalidArgument beyond the limits of
  // tuning.h.
  absl::StatusOr<Dot> Write(LocalWrite write);
  // For a record that this site makes.
  RecordId NewRecordId() { return record_ids_.Next(identity_.site); }
  // Of a request that found nothing to change in the record: its retry shall do nothing either, whatever others have
  // written meanwhile. NotFound where the record isn't here.
  absl::Status RememberRequest(const std::string& request_id, const RecordKey& record);

  enum class Applied : uint8_t {
    kApplied,
    // Seen before.
    kDuplicate,
    // Something that the change builds on has not arrived.
    kMissingCauses,
    // A change under a name of this site that it didn't write, while changes that it did write may clash with it: not
    // applied. The caller finds out what the peer holds, calls Renounce, and applies it then.
    kTwin,
    // Under its dot this site holds another change: its author exists twice.
    kClash,
    // Of a record that this site handed over, and whose keeper has it: not applied, unless it is to come back.
    kHandedOver,
  };
  struct ApplyResult {
    Applied outcome;
    RecordKey record;
    // In the feed; for kApplied.
    uint64_t position = 0;
    // What is held instead; for kClash.
    std::optional<Change> held = std::nullopt;
    std::string held_hash = {};
  };
  // A change as its author encoded it. InvalidArgument where it is malformed, or not of whom it says
  // (replica_membership.cc), or where internal values are withheld that this site may read; PermissionDenied where its author may not
  // write it. A site that may only read keeps it without them. What a revocation makes void is applied
  // without effect, and noted in quarantine. `returns`: the record is to come back, should this site have handed it over.
  absl::StatusOr<ApplyResult> Apply(std::string_view change_bytes, const SiteId& source, bool returns = false);

  // Joins a whole state; false where it brought nothing. InvalidArgument where it is malformed; Aborted where it is
  // what Apply calls kTwin.
  absl::StatusOr<bool> Merge(const RecordKey& record, std::string_view state_bytes,
                             const SiteId& source);

  // Keeps what could not be applied, once however often it comes, as far as tuning.h's limits go.
  absl::Status Quarantine(const QuarantineEntry& entry);
  // Takes a row that is there out of quarantine, by its key in the meta table.
  void ForgetQuarantined(std::string key);
  // Goes to disk with the next commit of something else: a hint is worth no synced write of its own.
  void SetCursor(const SiteId& peer, const PeerCursor& cursor);

  // ---- Is this site the only continuation of itself? (continuity.cc; README.md tells the whole) ----

  // What is held of the changes of a site, by incarnation.
  std::map<uint64_t, KnownAuthor> KnownOf(const SiteId& site) const;
  // What somebody else holds of this site's changes: kNone where it is no news.
  absl::StatusOr<ContinuityDoubt> Judge(uint64_t incarnation, const KnownAuthor& claim);
  // Another site holds all that this one wrote up to a position of the feed. Goes to disk like a cursor.
  void Witness(uint64_t position);

  struct OwnChange {
    uint64_t position = 0;
    RecordKey record;
    Dot dot;
    std::string hash;
    HybridTime time;
  };
  // Own changes that nobody is known to hold, in feed order; committed ones.
  absl::StatusOr<std::vector<OwnChange>> UnwitnessedChanges() const;
  // Whether the store holds this very change: in the history, or alive in a state that came whole. Its position there
  // doesn't matter.
  absl::StatusOr<bool> Holds(const OwnChange& change) const;
  // Gives up the dots of the unwitnessed changes, except those at the positions `held`, and takes a new incarnation; not
  // where no dot had to be given up and `must_renew` is false. Commits what is open, and then this. What keeps its dot is
  // witnessed from then on, unless it is a twin's word (kTwinMet), or `only` names the records that it is about and
  // others hold changes that aren't held either.
  absl::Status Renounce(ContinuityDoubt doubt, const std::set<uint64_t>& held, bool must_renew,
                        const absl::flat_hash_set<RecordKey>* only = nullptr);

  // ---- What this site holds, and what it lets go (replica_scope.cc; README.md, "A site's territory") ----

  // As the list of sites says, of what the site may hold; as of the last commit. All of it where the list says nothing.
  Scope ScopeOf(const SiteId& site) const;
  const Scope& scope() const { return scope_; }
  // Grows with every change of anybody's scope.
  uint64_t scope_version() const { return scope_version_; }
  // How many records lie outside of this site's scope and weren't handed over yet; as of the last commit.
  uint64_t leaving() const { return leaving_; }
  // They, by key: at most `limit` of those that follow `after`.
  absl::StatusOr<std::vector<RecordKey>> Leaving(const std::optional<RecordKey>& after, size_t limit) const;
  // How often since the opening something that this site had told that it holds stopped being so, as of the last commit: a record
  // left its scope, own changes took new dots, an entry of its feed couldn't be read. What it told is good as long as this is the same.
  uint64_t withdrawals() const { return withdrawals_; }
  void NoteWithdrawal() {
    ++withdrawals_;
    ++open_withdrawals_;
  }
  // All of this site's scope was found equal to what another site holds, which holds all of it.
  void NoteComplete();
  // When that was first so since the scope was last widened, in milliseconds since 1970; 0: not yet. A site that holds
  // everything is as complete as the world.
  uint64_t complete_millis() const;

  // Lets a record go of which `keeper`, whose scope it lies in, holds all that `kept` covers. False, and nothing done, where
  // that is not all that is here, or the record lies in this site's scope.
  absl::StatusOr<bool> Evict(const RecordKey& record, const VersionVector& kept, const SiteId& keeper);

  // ---- What stands for records that aren't here (replica_stubs.cc; stub.h) ----

  // The stubs that the records of each partition refer to, under storage::kStubPartition; as of the last commit, like tree().
  const FingerprintTree& stub_tree() const { return stub_tree_; }
  // Grows with every change of stub_tree().
  uint64_t stub_version() const { return stub_version_; }
  // What a peer shows of a record. Kept where a record here refers to it and it isn't here itself; false where that isn't
  // so, or it brought nothing.
  absl::StatusOr<bool> MergeStub(const RecordId& id, const Stub& told);
  // What is shown of a record here, from its state or from what peers showed; with the open batch.
  absl::StatusOr<std::optional<Stub>> FindShown(const RecordId& id) const;
  // Tells references and stubs from the states, as if there were none; commits. For repairs.
  absl::Status RebuildStubs();

  // Of the last time that this site became a new incarnation.
  const ContinuityNote& continuity_note() const { return note_; }
  // How often this store was opened, this time included.
  uint64_t opening() const { return opening_; }
  // Random, of this opening.
  uint64_t instance() const { return instance_; }

  // ---- Who belongs to the network (replica_membership.cc; membership.h) ----

  // As of the last commit; never null. The value may be kept and read by other threads.
  const std::shared_ptr<const Membership>& membership() const { return membership_; }
  // Grows with every change of it.
  uint64_t membership_version() const { return membership_version_; }
  // What a member may hold; everything of a site that isn't one: what it gets is for the session to decide.
  Scope RightsOf(const SiteId& site) const;
  // Whether internal values are for that site; yes of one that isn't a member: what it gets is for the session to decide.
  bool MayReadInternal(const SiteId& site) const;
  // How many entries were new or had new signatures. InvalidArgument where one wasn't taken; the others are, all the same.
  // A revocation takes back, in the same commit, what it makes void; what is open is committed before.
  absl::StatusOr<size_t> AddMembership(const v1::MembershipLog& log);
  // Grows with every revocation that is followed: states may have changed, and the feed says nothing of it.
  uint64_t revocation_version() const { return revocation_version_; }
  // Whose changes are void, with the open batch.
  const RevokedAuthors& revoked() const { return open_revoked_.has_value() ? *open_revoked_ : revoked_; }

  // ---- What sites tell of themselves (replica_reports.cc; site_reports.h) ----

  // They are nobody's data: here as soon as they come, and on disk with KeepReports.
  const SiteReports& reports() const { return reports_; }
  // As of the last commit.
  const HeldReports& held_reports() const { return held_; }
  // What came from a peer, or is here instead: of the same site, and no older. InvalidArgument as SiteReports::Add has it.
  absl::StatusOr<SiteReports::Entry> AddReport(const v1::SignedSiteReport& told);
  // All that a peer holds, as far as the two share it, was found to be here up to a position of its feed, in this opening of its
  // store: another one may be of an older copy, whose feed goes on differently. With the open batch; forgotten at the end.
  void NoteFed(const SiteId& peer, const FedUpTo& position) { open_fed_[peer] = position; }
  // Something that others reckon with has changed since this site's last report.
  bool ReportIsOutdated() const;
  // Puts what came since into the open batch.
  void KeepReports();
  bool HasUnsavedReports() const { return !unsaved_reports_.empty(); }
  // Signs what this site is as of the last commit, for all others. Nothing where it belongs to no network.
  void PublishReport(const v1::SiteFacts& facts);

  // For the owner's own entries of the meta table.
  void PutMeta(std::string key, std::optional<std::string> value);

  // Everything since the last Commit or Discard, at once and synced. OK and no I/O where there is nothing.
  absl::Status Commit();
  void Discard();

  // With the open batch.
  absl::StatusOr<std::optional<RecordState>> State(const RecordKey& record) const;
  absl::StatusOr<std::optional<RequestOutcome>> FindRequest(std::string_view request_id) const;
  // Ids of records of the kind under a prefix of the index table, with the open batch; sorted, each once.
  absl::StatusOr<std::vector<RecordId>> FindInIndex(uint16_t kind, std::string_view prefix);

  // As of the last commit.
  const FingerprintTree& tree() const { return tree_; }
  const LocalProgress& progress() const { return committed_; }
  const LocalIdentity& identity() const { return committed_identity_; }
  absl::StatusOr<std::optional<PeerCursor>> Cursor(const SiteId& peer) const;
  const storage::Store& store() const { return *store_; }
  // What was found damaged when the store was read last, and what to do, in French; empty where
  // nothing was.
  const std::string& damage() const { return damage_; }
  // A commit failed: nothing is written until the store is opened again.
  bool failed() const { return failed_; }
  // Bytes that wait for Commit.
  size_t open_batch_bytes() const;
  // A repair gave the record up: it waits for a peer. Once its state is here again, its own history is applied to it.
  bool IsLost(const RecordKey& record) const { return lost_.contains(record); }
  const std::set<RecordKey>& lost() const { return lost_; }

  // ---- For repairs (record_repair.h, repair.h), which vouch for what they write.
  // The open batch changes the record.
  bool HasOpenChanges(const RecordKey& record) const;
  // Into the open batch, as it is. The tree follows with ReloadTree.
  void PutRow(storage::Table table, std::string key, std::optional<std::string> value);
  void SetLost(const RecordKey& record, bool lost);
  void TakeNewIncarnation();
  // Moves the feed's head up to rows that are there.
  void LengthenFeed(uint64_t head);
  // `told` was progress() at one moment, `counted` is what the states of that moment call for.
  void CorrectCounts(const LocalProgress& told, const LocalProgress& counted);
  absl::Status ReloadTree();

  WallClock& wall_clock() { return *wall_; }
  Random& random() { return *random_; }

 private:
  using Traces = RecordTraces;
  struct Staged {
    // As the store has it; nothing for a new record.
    std::optional<std::string> stored;
    // Of `stored`; computed once the record changes.
    Traces before;
    RecordState state;
    // The encoded state is no longer than this.
    size_t longest = 0;
    // From then on staged_index_ stands for the index table where this record is concerned.
    bool changed = false;
    // As this site handed it over, once or more.
    std::optional<EvictedRecord> evicted;
    // Changes of the open batch, in their order, as they are encoded (own ones with room for their signature): the store doesn't
    // have them yet.
    std::vector<std::pair<Dot, std::string>> applied;
    // What staged_index_ holds of this record; stale while the record is in unindexed_.
    std::vector<std::string> index_keys;
  };
  struct TreeUpdate {
    storage::PartitionKey partition;
    uint64_t position;
    std::optional<Fingerprint> before;
    std::optional<Fingerprint> after;
  };

  Replica(storage::Store* store, WallClock* clock, Random* random, const Options& options);

  absl::Status Load(const Options& options);
  absl::Status LoadTree();
  absl::Status LoadLost();
  bool InHistory(const RecordKey& record, const Dot& dot) const;
  // Applies to a lost record that came back what its history holds beyond.
  absl::Status RecoverHistory(const RecordKey& record, Staged& staged);
  absl::Status LoadRequests();
  absl::Status LoadMembership();
  bool Signs() const { return key_ != nullptr && membership_->founded(); }
  std::string NewSalt();
  // Signs a change of this site's, where it belongs to a network.
  void SignOwn(std::string& bytes) const;
  // OK, or InvalidArgument, in French: why a change isn't its author's, or its author may write nothing.
  absl::Status CheckAuthor(const Change& change, std::string_view bytes);
  const Membership& open_membership() const { return open_membership_.has_value() ? *open_membership_ : *membership_; }
  void KeepMembership();
  absl::Status LoadReports();
  void FollowReports();

  // ---- replica_rights.cc
  // OK, or PermissionDenied: whether this site may write a change, as things stand.
  absl::Status CheckOwnRights(const Change& change, const Staged& staged);
  // The same of any author, by all that they ever might.
  absl::Status CheckRightsOf(const Change& change, const Staged& staged);
  // In which territories the record lay for somebody who had read `context`. Nothing where the history doesn't tell.
  absl::StatusOr<std::optional<std::vector<std::string>>> TerritoriesAsRead(const RecordKey& record, const Staged& staged,
                                                                            const VersionVector& context) const;
  absl::Status QuarantineVoid(const Change& change, std::string_view bytes, const SiteId& source);
  // Makes the states of what is committed what they are without void changes. Nothing else may be open.
  absl::Status FollowRevocations(RevokedAuthors revoked);
  absl::Status TakeBack(const RecordKey& record);
  void Remember(const std::string& request_id, const RequestOutcome& outcome);
  // Adds to the batch the removal of what exceeds kRememberedRequests; how many of the oldest.
  size_t ForgetOldRequests();
  void KeepRequests(size_t forgotten);
  absl::Status LoadContinuity();
  void RenewIncarnation(ContinuityDoubt doubt, uint64_t incarnation, uint64_t renamed);
  absl::StatusOr<Staged*> Stage(const RecordKey& record);
  // InvalidArgument where a local change would make a record too long, or one that is noticeably longer. Deleting is free.
  static absl::Status CheckLength(Staged& staged, const Change& change, size_t change_bytes);
  // To be called before the first change of a staged record's state.
  void Touch(const RecordKey& record, Staged& staged);
  Traces TracesOf(const RecordKey& record, const RecordState& state, std::string_view bytes) const;
  Actor ActorFor(const Staged& staged) const;
  // Where it is a change of this site's own that is to be signed with the others of its batch, its row waits for Commit.
  uint64_t AppendToFeed(FeedEntry entry, const std::optional<Dot>& dot, bool sign = false);
  // Signs what this site wrote in the open batch, and puts it there.
  void SignOpenChanges();
  absl::Status LoadScopes();
  absl::Status LoadOwnScope();
  absl::Status LoadComplete();
  // Rows that say how far bundles brought others' feeds (bundle.h).
  absl::StatusOr<std::vector<std::string>> HadKeys() const;
  absl::Status ReadEvicted(const RecordKey& record, Staged& staged) const;
  // What is shown of a record, and whether the record itself is here; with the open batch.
  struct ShownRecord {
    std::optional<Stub> stub;
    bool here = false;
  };
  absl::Status LoadStubs();
  absl::Status LoadStubTree();
  absl::StatusOr<ShownRecord> ShownAfter(const RecordId& id) const;
  absl::Status FinishStubs();
  absl::Status FinishStub(const RecordId& id);
  absl::Status FinishStubRow(const storage::PartitionKey& referrers, const RecordId& id,
                             const std::optional<Fingerprint>& after);
  absl::Status KeepStub(const RecordId& id, const ShownRecord& shown, bool wanted);
  void ApplyStubUpdates();
  void DiscardStubs();
  void PutIndex(std::string key);
  void DeleteIndex(std::string key);
  // After a commit that changed records of sites.
  absl::Status FollowScopes();
  absl::Status FindLeavingAnew();
  absl::Status FindLeaving();
  void NoteLeaving(const RecordKey& record, const Traces& before, const Traces& after);
  absl::Status EvictHistory(const RecordKey& record);
  // A change under this site's name that it did not write, and that its own may clash with.
  // kDuplicate, or kClash where that can be told.
  absl::StatusOr<ApplyResult> CompareWithHeld(const Change& change, std::string_view bytes,
                                              const SiteId& source);
  absl::StatusOr<bool> IsTwins(const Change& change, std::string_view bytes, bool covered);
  absl::StatusOr<bool> HasUnwitnessed(uint64_t incarnation);
  absl::StatusOr<bool> HoldsAlive(const OwnChange& change) const;
  // Empty where the history doesn't have it.
  absl::StatusOr<std::string> FindChange(const RecordKey& record, const Staged& staged, const Dot& dot) const;
  // Where this site belongs to a network: salt and chain.
  absl::Status PrepareToSign(const Staged& staged, Change& change);
  // OK, or InvalidArgument where a change of the network doesn't say what it follows. Tells everybody where it follows another
  // change than is held.
  absl::Status CheckChain(const Change& change, std::string_view bytes, const Staged& staged);
  // Both are signed, and one of them is a lie.
  absl::Status TellEquivocation(const Change& change, std::string_view held, std::string_view told);
  absl::StatusOr<std::optional<HistoryRow>> FindInHistory(const RecordKey& record, const Dot& dot) const;
  absl::StatusOr<std::optional<std::string>> HashOfOwn(uint64_t incarnation, uint64_t sequence) const;
  absl::StatusOr<RecordBefore> ReadBefore(const RecordKey& record);
  struct Renames {
    // Positions of all changes whose dots have to be given up, with their new sequence numbers.
    std::map<RecordKey, std::map<uint64_t, uint64_t>> by_record;
    // Nothing that isn't held was passed over.
    bool complete = true;
  };
  // `only`: null, or of these records. `older`: none where all would be of the present incarnation.
  absl::StatusOr<Renames> ChooseRenames(const std::set<uint64_t>& held,
                                        const absl::flat_hash_set<RecordKey>* only, bool older);
  absl::Status RenameRecord(const RecordKey& record, const std::map<uint64_t, uint64_t>& new_sequences,
                            uint64_t incarnation, std::map<RecordKey, std::vector<Renaming>>& renamed);
  // `chain`: of each actor the hash of its last renamed change; follows.
  void PutRenamed(const HistoricChange& renamed, bool history_broken, std::map<Actor, std::string>& chain);
  absl::Status RenameRequests(const std::map<RecordKey, std::vector<Renaming>>& renamed);
  void NoteAuthor(const Actor& actor, uint64_t site_sequence, std::string_view bytes);
  absl::Status NoteSeenElsewhere(const RecordKey& record, const VersionVector& vector);
  void PutContinuity();
  // Lets the clock learn from the values of a state that came from elsewhere.
  void ObserveNewTimes(const RecordState& theirs, const VersionVector& known);
  void IndexStagedRecords();
  void KeepCursors();
  void FinishRecord(const RecordKey& record, const Staged& staged, std::vector<TreeUpdate>& updates);
  void UpdateIndex(const Traces& before, const Traces& after);
  void UpdateFingerprints(const RecordKey& record, const Traces& before, const Traces& after,
                          std::vector<TreeUpdate>& updates);
  void UpdateCounts(uint16_t kind, const Traces& before, const Traces& after);

  storage::Store* const store_;
  WallClock* const wall_;
  Random* const random_;
  const IndexSource* const index_;
  HybridClock clock_;
  const v1::NetworkFile network_;
  const SigningKey* const key_;
  ChangeVerifier* const verifier_;
  RecordIdSource record_ids_;
  std::shared_ptr<const Membership> membership_;
  RevokedAuthors revoked_;
  uint64_t revocation_version_ = 0;
  uint64_t membership_version_ = 0;
  uint64_t followed_membership_ = 0;
  SiteReports reports_;
  HeldReports held_;
  std::set<SiteId> unsaved_reports_;
  std::map<SiteId, FedUpTo> fed_;
  std::map<SiteId, FedUpTo> open_fed_;
  // A report or a part of a feed came of these.
  std::set<SiteId> sites_to_follow_;
  FingerprintTree tree_;
  FingerprintTree stub_tree_;
  uint64_t stub_version_ = 0;
  // Records that something refers to, and perhaps others: most changes are of none of these, and look nothing up.
  absl::flat_hash_set<RecordId> referred_to_;
  // Some references couldn't be read.
  bool any_may_be_referred_to_ = false;
  LocalProgress committed_;
  LocalIdentity committed_identity_;
  std::string damage_;
  std::set<RecordKey> lost_;
  // Valid as of the last commit, and not on disk yet.
  absl::flat_hash_map<SiteId, PeerCursor> unsaved_cursors_;
  // Ids of the requests in the meta table, the oldest first.
  std::deque<std::string> remembered_;
  using AuthorKey = std::pair<SiteId, uint64_t>;
  absl::flat_hash_map<AuthorKey, KnownAuthor> authors_;
  WitnessMark witness_;
  bool witness_unsaved_ = false;
  // Incarnations before this one of which no change is unwitnessed.
  std::set<uint64_t> witnessed_incarnations_;
  absl::flat_hash_map<RecordKey, std::vector<Renaming>> renounced_;
  ContinuityNote note_;
  uint64_t opening_ = 0;
  uint64_t instance_ = 0;
  absl::flat_hash_map<SiteId, Scope> scopes_;
  Scope scope_;
  uint64_t scope_version_ = 0;
  uint64_t leaving_ = 0;
  uint64_t withdrawals_ = 0;
  // The scope that was found complete, and when.
  std::optional<std::pair<Scope, uint64_t>> complete_;
  // Some record was handed over.
  bool any_evicted_ = false;

  // The open batch.
  LocalIdentity identity_;
  LocalProgress open_;
  storage::CommitBatch batch_;
  absl::flat_hash_map<RecordKey, std::unique_ptr<Staged>> staged_;
  absl::flat_hash_map<std::string, RequestOutcome> requests_;
  // Their ids in the order of their writing.
  std::vector<std::string> new_requests_;
  // Index keys of staged records, brought up to date when they are asked for.
  std::set<std::string, std::less<>> staged_index_;
  std::vector<RecordKey> unindexed_;
  std::set<std::string> quarantined_;
  absl::flat_hash_map<SiteId, PeerCursor> cursors_;
  // Hashed once they are committed: a batch may hold a thousand changes of one author.
  struct OpenAuthor {
    uint64_t site_sequence = 0;
    std::string bytes;
  };
  absl::flat_hash_map<AuthorKey, OpenAuthor> open_authors_;
  // The same in the batch that is being committed.
  absl::flat_hash_map<AuthorKey, KnownAuthor> closing_authors_;
  std::optional<Membership> open_membership_;
  std::optional<RevokedAuthors> open_revoked_;
  // Of records that were handed over.
  std::vector<TreeUpdate> open_updates_;
  uint64_t open_leaving_ = 0;
  uint64_t open_withdrawals_ = 0;
  // Records whose stubs may change: they changed themselves, or what refers to them did.
  std::set<RecordId> stubs_touched_;
  std::set<std::string> removed_references_;
  std::set<std::string> added_references_;
  // Told by peers, or of records that are handed over in this batch.
  std::map<RecordId, Stub> open_stubs_;
  std::vector<TreeUpdate> open_stub_updates_;
  // Rows of the feed that wait for their signature.
  std::vector<std::pair<uint64_t, FeedEntry>> unsigned_;
  size_t unsigned_bytes_ = 0;
  // Not of what is open: what others signed together comes in parts.
  VerifiedRoots verified_roots_;
  bool dirty_ = false;
  bool failed_ = false;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_REPLICA_H_
