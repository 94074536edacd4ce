#include "server/identity.h"

#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/backup_files.h"
#include "server/trust/key_file.h"

namespace maillage::server {

absl::StatusOr<replication::SigningKey> LoadIdentity(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kIdentityFile;
  const std::optional<std::filesystem::path> credential = IdentityCredential();
  std::error_code error;
  if (credential.has_value() && std::filesystem::exists(file, error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        file.string(), " : systemd garde déjà la clé de ce site ; une fois sûr que c'est la même, effacez ce fichier"));
  }
  if (credential.has_value()) return ReadKey(*credential, KeyKeeper::kSystemd);
  absl::StatusOr<replication::SigningKey> key = ReadKey(file);
  if (!absl::IsNotFound(key.status())) return key;
  return absl::NotFoundError(absl::StrCat(file.string(), " : la clé du site n'est pas ici. Si systemd la garde, lancez la commande par "
                                          "« systemd-run --pipe -p LoadCredentialEncrypted=identity.key … »"));
}

absl::StatusOr<replication::SigningKey> LoadOrCreateIdentity(const std::filesystem::path& folder) {
  absl::StatusOr<replication::SigningKey> key = LoadIdentity(folder);
  return absl::IsNotFound(key.status()) ? CreateKey(folder / kIdentityFile) : std::move(key);
}

}  // namespace maillage::server
