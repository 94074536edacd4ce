// Dates as French offices write them in a cell.
#ifndef MAILLAGE_CLIENT_IMPORT_FRENCH_DATE_H_
#define MAILLAGE_CLIENT_IMPORT_FRENCH_DATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace maillage::client {

// One or several dates as ISO 8601 (AAAA, AAAA-MM or AAAA-MM-JJ), in the order of the text, each
// once. Reads
//   2021, 2021-02, 2021-02-01, 01/02/2021, 1.2.2021, 02/2021,
//   1er février 2021, lundi 1 févr. 2021, mars 2021, 1 & 2 avril 2021, 23& 26 mars, 7 avril 2021,
//   du 3 au 5 mai 2021, 3-5 mai 2021, du 30 avril au 2 mai 2021 (every day, 31 at most);
// a year counts for the days and months before it that have none. InvalidArgument, in French, for
// anything else: impossible days, missing years, years of two digits, words that aren't part of a
// date.
absl::StatusOr<std::vector<std::string>> ParseFrenchDates(std::string_view text);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_FRENCH_DATE_H_
