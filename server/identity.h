// Who this site is: an Ed25519 key in the data folder, made at the first start.
#ifndef MAILLAGE_SERVER_IDENTITY_H_
#define MAILLAGE_SERVER_IDENTITY_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "proto/id.h"

namespace maillage::server {

// The site's id: the first half of BLAKE2b-256 of the public key whose seed is `folder`/identity.key (32 bytes, mode
// 0600). Makes the key where there is none. FailedPrecondition where the file is readable by others or is no key.
absl::StatusOr<SiteId> LoadOrCreateIdentity(const std::filesystem::path& folder);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_IDENTITY_H_
