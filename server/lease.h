// The first of two witnesses that a data folder is the one that ran last: a small file outside of it. A restored folder
// doesn't fit the lease that stayed behind, and a folder copied elsewhere has none. (The other witness is what the peers
// know: replication/README.md.)
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

namespace maillage::server {

// What the file says: text, one "name value" per line, the last of which is a BLAKE2b-256 of those before it.
struct LeaseTerms {
  SiteId site;
  uint64_t incarnation = 0;
  // How often the store had been opened, the running time included.
  uint64_t opening = 0;
  // The node issues no own change beyond this number without raising it here first.
  uint64_t reserved_sequence = 0;
  // Set by a clean shutdown: exactly where it stopped.
  struct End {
    uint64_t sequence = 0;
    uint64_t feed_head = 0;
    bool operator==(const End&) const = default;
  };
  std::optional<End> end;

  bool operator==(const LeaseTerms&) const = default;
};
std::string EncodeLease(const LeaseTerms& terms);
// DataLoss on anything that EncodeLease did not write.
absl::StatusOr<LeaseTerms> DecodeLease(std::string_view text);

// What the store says of itself before it is opened for writing.
struct StoreFacts {
  SiteId site;
  uint64_t incarnation = 0;
  uint64_t opening = 0;
  uint64_t sequence = 0;
  uint64_t feed_head = 0;
};

// Whether the store is the one that the lease speaks of. Pure. Empty: it is. Otherwise what doesn't fit, in French.
// `terms` is nothing where there is no readable lease.
std::string Contradiction(const std::optional<LeaseTerms>& terms, const StoreFacts& store);

// Numbers reserved at a time: an import of a thousand records writes the file once at most, and a crash makes no more
// of them doubtful than that.
inline constexpr uint64_t kReservedSequences = 10'000;

// The file, held with flock while it lives. Not thread-safe.
class Lease {
 public:
  // Makes the file where there is none. FailedPrecondition, in French, where another process holds it or it can't be
  // written.
  static absl::StatusOr<std::unique_ptr<Lease>> Take(const std::filesystem::path& file);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // As it was found; nothing where the file is new or damaged.
  const std::optional<LeaseTerms>& found() const { return found_; }

  // Replaces the file, synced. An error leaves the old one.
  absl::Status Write(const LeaseTerms& terms);
  const LeaseTerms& terms() const { return terms_; }

 private:
  Lease(std::filesystem::path file, int lock) : file_(std::move(file)), lock_(lock) {}

  const std::filesystem::path file_;
  const int lock_;
  std::optional<LeaseTerms> found_;
  LeaseTerms terms_;
};

// DATA.lease, beside the data folder.
std::filesystem::path DefaultLease(const std::filesystem::path& data);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_LEASE_H_
