// The file with the keys under which this node's database is encrypted where it says something of persons.
#ifndef MAILLAGE_SERVER_PERSONAL_KEYS_H_
#define MAILLAGE_SERVER_PERSONAL_KEYS_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "replication/ports.h"
#include "replication/subject_keys.h"
#include "storage/store.h"

namespace maillage::server {

// In the data folder, of mode 0600.
inline constexpr char kPersonalKeysFile[] = "personal.key";

// The keys of this database. They are made, and noted in `store`, where it has none yet. In French: FailedPrecondition where they
// are missing, of another database, readable by others, or damaged.
absl::StatusOr<replication::SubjectKeys> LoadOrCreatePersonalKeys(const std::filesystem::path& data, storage::Store& store,
                                                                  replication::Random& random);

// NotFound where the file isn't there; errors as above.
absl::StatusOr<replication::SubjectKeys> ReadPersonalKeys(const std::filesystem::path& file);

// The copy that stands beside the backups of a database, once for all that are in one folder: what a key was destroyed for is gone
// from all of them with the next backup. `id` is that of the keys, in hexadecimal.
std::filesystem::path PersonalKeysBeside(const std::filesystem::path& backup, const std::string& id);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_PERSONAL_KEYS_H_
