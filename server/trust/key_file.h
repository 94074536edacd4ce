// Secret keys as files: 32 bytes, which nobody but their owner may read.
#ifndef MAILLAGE_SERVER_TRUST_KEY_FILE_H_
#define MAILLAGE_SERVER_TRUST_KEY_FILE_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/signing.h"

namespace maillage::server {

// The antenna's authority: it signs the membership log, and belongs to no process that talks to the network.
inline constexpr char kAuthorityFile[] = "authority.key";

// Who sees to it that nobody else reads the file.
enum class KeyKeeper : uint8_t {
  kFileMode,
  // A credential: systemd lets its service in by an access list, which modes don't show.
  kSystemd,
};
// NotFound where there is none; FailedPrecondition where others may read it, or it is no key. All in French.
absl::StatusOr<replication::SigningKey> ReadKey(const std::filesystem::path& file, KeyKeeper keeper = KeyKeeper::kFileMode);
// A new key in a new file of mode 0600, synced. FailedPrecondition where there is a file of that name.
absl::StatusOr<replication::SigningKey> CreateKey(const std::filesystem::path& file);
absl::StatusOr<replication::SigningKey> ReadOrCreateKey(const std::filesystem::path& file);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_KEY_FILE_H_
