// The first of two witnesses that a data folder is the one that ran last: a small file outside of it. A restored folder
// doesn't fit the lease that stayed behind, a folder copied elsewhere has none, and a lease that was copied with it says
// so by itself. (The other witness is what the peers know: replication/README.md.)
#ifndef MAILLAGE_SERVER_LEASE_H_
#define MAILLAGE_SERVER_LEASE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/replica.h"

namespace maillage::server {

// Where a file is. A copy is elsewhere.
struct FilePlace {
  // Hash of the machine's name; "-" where it has none.
  std::string machine = "-";
  // The file's number and time of birth in its file system. Neither changes when it is renamed; a copy has others.
  std::string file = "-";
  bool operator==(const FilePlace&) const = default;
};

// What the store says of itself.
struct StoreFacts {
  SiteId site;
  uint64_t incarnation = 0;
  // How often the store had been opened, the running time included.
  uint64_t opening = 0;
  // Own changes that this incarnation has issued.
  uint64_t issued = 0;
  uint64_t feed_head = 0;
  bool operator==(const StoreFacts&) const = default;
};
// As of the last commit.
StoreFacts FactsOf(const replication::Replica& replica);
// Of a store that isn't open as a replica yet; nothing where it is new.
absl::StatusOr<std::optional<StoreFacts>> ReadFacts(const storage::ReadView& store);

// The file: text, one "name value" per line, the last of which is a BLAKE2b-256 of those before it.
struct LeaseTerms {
  // Of the store when this was written: it never has less afterwards.
  StoreFacts store;
  // Where the file was when it was written.
  FilePlace place;
  // Written by a clean stop: the store has exactly this until the next start.
  bool ended = false;

  bool operator==(const LeaseTerms&) const = default;
};
std::string EncodeLease(const LeaseTerms& terms);
// DataLoss on anything that EncodeLease did not write.
absl::StatusOr<LeaseTerms> DecodeLease(std::string_view text);

// Whether the store is the one that the lease speaks of, and the file where it was written. Pure. Empty: it is. Otherwise
// what doesn't fit, in French. `terms` is nothing where there is no readable lease.
std::string Contradiction(const std::optional<LeaseTerms>& terms, const FilePlace& place, const StoreFacts& store);

// The file, held with flock while this lives. Not thread-safe.
class Lease {
 public:
  // FailedPrecondition, in French, where another process holds it or the place can't be written to.
  static absl::StatusOr<std::unique_ptr<Lease>> Take(const std::filesystem::path& file);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Empty where the lease that was found fits the store.
  std::string Contradiction(const StoreFacts& store) const;

  // Writes the file where it is time: the store was opened anew, or became a new incarnation, or kLeaseMillis have passed
  // since the last time and changes were issued. An error leaves the old file, which then says less than it could.
  absl::Status Keep(const StoreFacts& store, uint64_t now_millis);
  // A clean stop: nothing is written to the store any more.
  absl::Status End(const StoreFacts& store);

 private:
  Lease(std::filesystem::path file, int lock) : file_(std::move(file)), lock_(lock) {}
  absl::Status Write(LeaseTerms terms);

  const std::filesystem::path file_;
  const int lock_;
  // As it was found; nothing where the file is missing or damaged.
  std::optional<LeaseTerms> found_;
  FilePlace found_place_;
  StoreFacts written_;
  uint64_t written_millis_ = 0;
};

// DATA.lease, beside the data folder.
std::filesystem::path DefaultLease(const std::filesystem::path& data);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_LEASE_H_
