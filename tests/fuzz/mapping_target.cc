// Mapping files of imports, in TOML (client/import/mapping.h).
#include <string>
#include <vector>

#include "client/import/mapping.h"
#include "client/kinds.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {

bool FuzzMapping(std::string_view bytes) {
  const auto mapping = client::ParseMapping(bytes, "essai.toml");
  if (!mapping.ok()) {
    RequireRefusal(mapping.status(), absl::StatusCode::kInvalidArgument);
    MAILLAGE_REQUIRE(ToStd(mapping.status().message()).starts_with("essai.toml"));
    return false;
  }
  MAILLAGE_REQUIRE(!mapping->name.empty() && !mapping->columns.empty());
  MAILLAGE_REQUIRE(mapping->descriptor == client::FindKind(mapping->kind));
  // A file with just these columns can be read.
  std::vector<std::string> header;
  for (const client::ColumnMapping& column : mapping->columns) header.push_back(column.header);
  const auto bound = BindColumns(*mapping, header);
  if (!bound.ok()) RequireRefusal(bound.status(), absl::StatusCode::kInvalidArgument);
  return true;
}

}  // namespace maillage::fuzz
