// Read tokens that clients send back (replication/version_vector.h).
#include <string>

#include "replication/version_vector.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {

bool FuzzEtag(std::string_view bytes) {
  const auto vector = replication::DecodeEtag(bytes);
  if (!vector.ok()) {
    RequireRefusal(vector.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  for (size_t i = 0; i < vector->entries().size(); ++i) {
    const auto& entry = vector->entries()[i];
    MAILLAGE_REQUIRE(entry.n > 0);
    MAILLAGE_REQUIRE(i == 0 || vector->entries()[i - 1].actor < entry.actor);
  }
  const std::string etag = EncodeEtag(*vector);
  MAILLAGE_REQUIRE(etag.find_first_of("+/ \n") == std::string::npos);
  const auto again = replication::DecodeEtag(etag);
  MAILLAGE_REQUIRE(again.ok() && *again == *vector);
  // A set of dots is covered by itself, and adds nothing to itself.
  MAILLAGE_REQUIRE(vector->Covers(*again) && vector->CountBeyond(*again) == 0);
  replication::VersionVector merged = *vector;
  merged.Merge(*again);
  MAILLAGE_REQUIRE(merged == *vector);
  MAILLAGE_REQUIRE(vector->empty() == (vector->CountBeyond({}) == 0));
  return true;
}

}  // namespace maillage::fuzz
