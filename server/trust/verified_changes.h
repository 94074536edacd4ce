// Signatures that were verified off the writer's thread.
#ifndef MAILLAGE_SERVER_TRUST_VERIFIED_CHANGES_H_
#define MAILLAGE_SERVER_TRUST_VERIFIED_CHANGES_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "proto/sync.pb.h"
#include "replication/change_signature.h"
#include "server/trust/door.h"

namespace maillage::server {

// A signature takes 50 us to verify, about what the writer needs for all else of a change. The threads that read from peers
// verify what came, each link's on its own, while the writer is busy with what came before; the writer then only looks
// whether that was done, and verifies itself what wasn't. Thread-safe.
class VerifiedChanges final : public replication::ChangeVerifier {
 public:
  explicit VerifiedChanges(std::shared_ptr<const Door> door) : door_(std::move(door)) {}

  // Verifies the changes of a frame and remembers those that are their authors'.
  void Look(const v1::SyncFrame& frame);

  bool Verify(std::string_view bytes, const replication::NetworkId& network, std::string_view key) override;

 private:
  const std::shared_ptr<const Door> door_;
  std::mutex mutex_;
  // Hashes of change and key. Forgotten once they were asked for, and all at once should nobody ask.
  absl::flat_hash_set<std::string> verified_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_VERIFIED_CHANGES_H_
