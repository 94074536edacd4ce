// Numbers as French spreadsheets print them. No floating point anywhere.
#ifndef MAILLAGE_CLIENT_IMPORT_NUMBER_H_
#define MAILLAGE_CLIENT_IMPORT_NUMBER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace maillage::client {

// "120", "1 234" (thousands by spaces of any sort). InvalidArgument, in French, for anything else.
absl::StatusOr<uint64_t> ParseCount(std::string_view text);

// Minor units of a currency with two decimals: "64 000,00", "64000", "1 234,5 €" give 6400000,
// 6400000, 123450. InvalidArgument, in French, for more than two decimals, for "1.500" and
// "1,500.00", which are read differently from country to country, for what is negative or too
// large.
absl::StatusOr<int64_t> ParseAmount(std::string_view text);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_NUMBER_H_
