// Manifests of backups (server/backup_files.h). An even first byte: the rest is JSON, to which the right hash is given; an
// odd one: the rest is the file.
#include <sodium.h>

#include <filesystem>
#include <string>

#include "absl/strings/escaping.h"
#include "nlohmann/json.hpp"
#include "server/backup_files.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using Json = nlohmann::json;

std::string HashOf(const std::string& text) {
  std::string digest(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  return absl::BytesToHexString(digest);
}

std::string Sealed(std::string_view text) {
  const auto within = [](int depth, Json::parse_event_t, Json&) { return depth < 64; };
  const Json backup = Json::parse(text, within, /*allow_exceptions=*/false);
  if (backup.is_discarded()) return std::string(text);
  return Json{{"backup", backup}, {"blake2b", HashOf(backup.dump())}}.dump();
}

// Files are read and written at these paths.
void RequireInside(const std::string& path) {
  MAILLAGE_REQUIRE(!path.empty() && path[0] != '/');
  const auto within = (std::filesystem::path("backup") / path).lexically_normal();
  MAILLAGE_REQUIRE(within.begin()->string() == "backup" && within != "backup");
}

}  // namespace

bool FuzzManifest(std::string_view bytes) {
  const bool sealed = TakeByte(bytes) % 2 == 0;
  const auto manifest = server::ParseManifest(sealed ? Sealed(bytes) : std::string(bytes));
  if (!manifest.ok()) {
    if (!absl::IsFailedPrecondition(manifest.status())) {
      RequireRefusal(manifest.status(), absl::StatusCode::kDataLoss);
    }
    return false;
  }
  for (const server::BackupFile& file : manifest->files) RequireInside(file.path);
  manifest->bytes();
  const auto again = server::ParseManifest(FormatManifest(*manifest));
  MAILLAGE_REQUIRE(again.ok() && *again == *manifest);
  return true;
}

}  // namespace maillage::fuzz
