// The configuration of a node, in TOML (server/config.h).
#include "server/config.h"

#include <string>

#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {

bool FuzzConfig(std::string_view bytes) {
  server::Config config;
  if (const absl::Status read = server::ReadConfig(bytes, "essai.toml", config); !read.ok()) {
    RequireRefusal(read, absl::StatusCode::kInvalidArgument);
    MAILLAGE_REQUIRE(ToStd(read.message()).starts_with("essai.toml, ligne "));
    return false;
  }
  MAILLAGE_REQUIRE(config.cache_mib > 0);
  if (const absl::Status checked = server::CheckConfig(config); !checked.ok()) {
    RequireRefusal(checked, absl::StatusCode::kInvalidArgument);
  }
  return true;
}

}  // namespace maillage::fuzz
