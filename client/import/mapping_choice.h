// Which mapping reads a file.
#ifndef MAILLAGE_CLIENT_IMPORT_MAPPING_CHOICE_H_
#define MAILLAGE_CLIENT_IMPORT_MAPPING_CHOICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/import/importer.h"
#include "client/import/mapping.h"

namespace maillage::client {

// The mapping that the options give or name; else the one shipped mapping whose columns are those
// of the header; else, where the header is made of field names as exports have them, the kind of
// those fields. Errors as PlanImport; NotFound lists the header and the mappings, and says how to
// write one.
absl::StatusOr<Mapping> ChooseMapping(const ImportOptions& options,
                                      absl::Span<const std::string> header);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_MAPPING_CHOICE_H_
