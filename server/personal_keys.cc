#include "server/personal_keys.h"

#include <sodium/core.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/backup_files.h"
#include "storage/keys.h"

namespace maillage::server {

using replication::SubjectKeys;
using storage::Table;

namespace {

namespace fs = std::filesystem;

absl::Status Refused(const fs::path& file, const char* why) {
  return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ", why));
}

absl::StatusOr<SubjectKeys> Create(const fs::path& file, replication::Random& random) {
  SubjectKeys keys = SubjectKeys::Generate(random);
  if (absl::Status written = WriteWholeFile(file, keys.Encode()); !written.ok()) return written;
  if (absl::Status synced = SyncFolder(file.parent_path()); !synced.ok()) return synced;
  return keys;
}

}  // namespace

absl::StatusOr<SubjectKeys> ReadPersonalKeys(const fs::path& file) {
  if (sodium_init() < 0) return absl::InternalError("libsodium ne démarre pas");
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) return absl::NotFoundError(absl::StrCat(file.string(), " n'est pas là"));
  constexpr fs::perms kOthers = fs::perms::group_all | fs::perms::others_all;
  if ((status.permissions() & kOthers) != fs::perms::none) {
    return Refused(file, "les clés des données personnelles sont lisibles par d'autres ; faites « chmod 600 »");
  }
  const absl::StatusOr<std::string> bytes = ReadWholeFile(file);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<SubjectKeys> keys = SubjectKeys::Decode(*bytes);
  if (!keys.ok()) return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ", keys.status().message()));
  return keys;
}

absl::StatusOr<SubjectKeys> LoadOrCreatePersonalKeys(const fs::path& data, storage::Store& store, replication::Random& random) {
  const fs::path file = data / kPersonalKeysFile;
  const absl::StatusOr<std::optional<std::string>> noted = store.Get(Table::kMeta, storage::kPersonalKeysKey);
  if (!noted.ok()) return noted.status();
  absl::StatusOr<SubjectKeys> keys = ReadPersonalKeys(file);
  if (absl::IsNotFound(keys.status())) {
    if (noted->has_value()) {
      return Refused(file,
                     "ce fichier manque, et sans lui les données personnelles de cette base sont illisibles ; remettez-le (une copie est "
                     "à côté de chaque sauvegarde : personal-….key), ou mettez ce dossier de côté et rejoignez le réseau");
    }
    keys = Create(file, random);
  }
  if (!keys.ok()) return keys.status();
  if (noted->has_value()) {
    return **noted == keys->id() ? std::move(keys) : Refused(file, "ces clés sont celles d'une autre base de données");
  }
  storage::CommitBatch batch;
  batch.Put(Table::kMeta, std::string(storage::kPersonalKeysKey), keys->id());
  if (absl::Status committed = store.Commit(batch); !committed.ok()) return committed;
  return keys;
}

fs::path PersonalKeysBeside(const fs::path& backup, const std::string& id) {
  return backup.parent_path() / absl::StrCat("personal-", id, ".key");
}

}  // namespace maillage::server
