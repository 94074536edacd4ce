// The files of client/import/mappings, compiled into the program.
#ifndef MAILLAGE_CLIENT_IMPORT_SHIPPED_MAPPINGS_H_
#define MAILLAGE_CLIENT_IMPORT_SHIPPED_MAPPINGS_H_

#include <string_view>

#include "absl/types/span.h"

namespace maillage::client {

struct ShippedMapping {
  // File name without ".toml".
  std::string_view name;
  std::string_view toml;
};

// In alphabetical order.
absl::Span<const ShippedMapping> ShippedMappings();

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_SHIPPED_MAPPINGS_H_
