// Conversations without a network: what one site has to say to another goes into a file, and the answer into the next file
// that comes back. Both ends run the ordinary session. The other end of the one that writes is played from what is
// known of the receiver: what it holds, and, by its last bundle, how far it had this site's feed. README.md, "Bundles".
#ifndef MAILLAGE_REPLICATION_BUNDLE_H_
#define MAILLAGE_REPLICATION_BUNDLE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/bundle.pb.h"
#include "proto/sync.pb.h"
#include "replication/replica.h"
#include "replication/scope.h"
#include "replication/sync_session.h"

namespace maillage::replication {

// How far a feed was had, in the meta table: this site's, as another one's last bundle said (`bundle/`); another one's,
// here, by bundles (`had/`). Unlike a cursor it is no hint: nothing is compared afterwards.
//
//   incarnation:8 position:varint scope:string (golden/meta)
struct BundleReceipt {
  PeerCursor had;
  // What whoever had it held then; of what it was had.
  std::string scope;
  bool operator==(const BundleReceipt&) const = default;
};
std::string EncodeBundleReceipt(const BundleReceipt& receipt);
absl::StatusOr<BundleReceipt> DecodeBundleReceipt(std::string_view bytes);

// Not thread-safe. The replica may be written to between two calls; what is written goes into the bundle, too.
class BundleExport {
 public:
  struct Options {
    // This site's name.
    std::string name;
    // Empty: a snapshot, for whoever begins with it.
    SiteId receiver;
    std::string receiver_name;
    // Of a snapshot.
    Scope scope;
    // Everything, whatever the receiver is known to have.
    bool whole = false;
  };

  // `replica` must outlive it. FailedPrecondition, in French, where the receiver is this site.
  static absl::StatusOr<std::unique_ptr<BundleExport>> Begin(Replica* replica, Options options);

  const v1::BundleHeader& header() const { return header_; }
  // The next frame; false after the last.
  absl::StatusOr<bool> Next(v1::SyncFrame* frame);
  // How many changes and states the frames held.
  uint64_t records() const { return session_.progress().changes_sent + session_.progress().states_sent; }

 private:
  BundleExport(Replica* replica, Options options);

  // What the receiver is taken to say. Each is answered before the next.
  absl::Status Greet();
  absl::Status AskForAll();
  absl::Status AskForWhatMoved();
  absl::Status AskForWhatLeaves();
  absl::Status AskForWhatLeft();
  absl::Status OfferWhatLeft();
  absl::Status AskForStubs();
  enum class Question : uint8_t {
    // Of what the receiver may hold: everything.
    kRecord,
    // Of what it held, and that now lies outside: everything; where it went, and that it is kept.
    kRecordOutside,
    kPlaceOutside,
  };
  absl::Status AskFor(const std::vector<RecordKey>& records, Question question);
  // Nothing is left of the frame where the receiver has no use for it.
  static bool Carry(v1::SyncFrame& frame);
  // Says what bundles brought, and of a snapshot whom it is for.
  void CompleteGreeting(v1::Hello& hello) const;
  bool FillLast(v1::SyncFrame* frame);

  Replica* const replica_;
  const Options options_;
  SiteId peer_;
  v1::BundleHeader header_;
  PeerCursor had_;
  SyncSession session_;
  // Records that lie outside of what the two share, and that the receiver holds or held.
  std::vector<RecordKey> left_;
  // Something that may have moved can't be read here: the bundle has what it has, and doesn't say that it has all.
  bool unreadable_ = false;
  std::deque<std::function<absl::Status()>> script_;
  int last_frames_ = 0;
};

struct BundleOutcome {
  // Both hold the same of what they share.
  bool equal = false;
  // Something that came before misses: the next bundle to the sender says so, and its answer brings all.
  bool gaps = false;
  // A site exists twice, and only a conversation can settle that: nothing more was taken.
  bool twin = false;
  uint64_t changes = 0;
  uint64_t states = 0;
  uint64_t stubs = 0;
  // Records that wait for the sender's word that it has them.
  uint64_t leaving = 0;
};

// Not thread-safe.
class BundleImport {
 public:
  // `replica` must outlive it. `name`: this site's.
  BundleImport(Replica* replica, std::string name);

  // InvalidArgument, in French, where the bundle isn't for this site, or comes from it.
  absl::Status Begin(const v1::BundleHeader& header);
  // Frames that an earlier attempt has taken: they are passed over.
  uint64_t taken() const { return taken_; }
  // Into the open batch, to be committed before Settle. InvalidArgument, FailedPrecondition: why nothing more of this
  // bundle can be taken, in French.
  absl::Status Receive(const v1::SyncFrame& frame);
  // After that commit; what it writes is to be committed, too, before the next frame.
  absl::Status Settle();
  // After the last commit. Writes what is to be remembered; to be committed.
  absl::StatusOr<BundleOutcome> Finish();

 private:
  absl::Status WhyEnded();
  absl::Status NoteGreeting(const v1::Hello& hello);
  absl::Status NoteDue(const v1::Vectors& vectors);
  // Whether nothing misses between what was had and what the bundle begins with.
  bool FollowsWhatWasHad() const;
  void KeepHad(bool complete);
  absl::Status ForgetDue(uint64_t had);

  Replica* const replica_;
  SyncSession session_;
  v1::BundleHeader header_;
  SiteId sender_;
  uint64_t taken_ = 0;
  uint64_t received_ = 0;
  // The sender said that all of its feed up to feed_to is in the bundle.
  bool ends_whole_ = false;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_BUNDLE_H_
