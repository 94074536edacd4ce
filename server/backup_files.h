// The files of a backup: copies with checksums, and the manifest that vouches for them. Messages are for people, in
// French.
#ifndef MAILLAGE_SERVER_BACKUP_FILES_H_
#define MAILLAGE_SERVER_BACKUP_FILES_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage::server {

inline constexpr char kManifestFile[] = "manifest.json";
inline constexpr char kIdentityFile[] = "identity.key";
// Where systemd put the site's key for this service (LoadCredentialEncrypted=identity.key); nothing where it didn't.
std::optional<std::filesystem::path> IdentityCredential();
// Of a member of a network (server/trust/README.md), and what was done to the node (audit_log.h); those that are there belong to a
// copy of the node.
inline constexpr const char* kTrustFiles[] = {"certificate.pem", "authority.key", "network.pb", "audit.log"};
inline constexpr char kStoreFolder[] = "store";
inline constexpr uint64_t kManifestFormat = 1;

struct BackupFile {
  // Relative to the backup, with '/'.
  std::string path;
  uint64_t bytes = 0;
  // BLAKE2b-256, in hexadecimal.
  std::string blake2b;

  bool operator==(const BackupFile&) const = default;
};

struct BackupManifest {
  struct Kind {
    uint64_t records = 0;
    uint64_t deleted = 0;
    bool operator==(const Kind&) const = default;
  };
  std::string site;
  // In hexadecimal, as NodeStatus has them.
  std::string site_id;
  std::string incarnation;
  std::string root;
  // Names the keys of what it says of persons, in hexadecimal; empty: it is of a version that encrypted nothing.
  std::string personal_keys;
  // Since 1970.
  uint64_t time_millis = 0;
  uint64_t feed_head = 0;
  // By the kind's name.
  std::map<std::string, Kind> kinds;
  std::vector<BackupFile> files;

  uint64_t bytes() const;
  bool operator==(const BackupManifest&) const = default;
};

// JSON: {"blake2b": of the text of "backup", "backup": {…}}.
std::string FormatManifest(const BackupManifest& manifest);
// DataLoss where a byte of it is damaged; FailedPrecondition where its format is of a later version.
absl::StatusOr<BackupManifest> ParseManifest(const std::string& text);

// Called with the bytes of each step; false stops with Cancelled.
using ByteProgress = std::function<bool(uint64_t bytes)>;

// Reads the file and, unless `to` is empty, writes it there: a new file that only its owner may read, synced. The
// `path` of what it returns is empty.
absl::StatusOr<BackupFile> CopyFile(const std::filesystem::path& from, const std::filesystem::path& to,
                                    const ByteProgress& progress);
// A new file that only its owner may read, synced.
absl::Status WriteWholeFile(const std::filesystem::path& file, const std::string& contents);
// Replaces a file, synced: after a crash it has its old contents or its new ones. Its owner alone may read it.
absl::Status ReplaceFile(const std::filesystem::path& file, const std::string& contents);
absl::StatusOr<std::string> ReadWholeFile(const std::filesystem::path& file);
// So that names made, moved or removed in the folder survive a power cut.
absl::Status SyncFolder(const std::filesystem::path& folder);
// A new folder that only its owner may enter.
absl::Status MakeFolder(const std::filesystem::path& folder);
// With all that it contains; OK where there is none.
absl::Status RemoveTree(const std::filesystem::path& folder);

// Reads the manifest of `backup` and every file that it names: NotFound where there is no manifest, DataLoss with
// the list of what is damaged, missing or too much.
absl::StatusOr<BackupManifest> VerifyBackup(const std::filesystem::path& backup, const ByteProgress& progress);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_BACKUP_FILES_H_
