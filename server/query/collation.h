// French alphabetical order, by ICU: "École" between "école" and "Écologie", capitals and accents
// last to decide.
#ifndef MAILLAGE_SERVER_QUERY_COLLATION_H_
#define MAILLAGE_SERVER_QUERY_COLLATION_H_

#include <string>
#include <string_view>

namespace maillage {

// Less than, equal to or greater than 0, as `left` is to `right`. Thread-safe, as all here.
int CompareFrench(std::string_view left, std::string_view right);

// Bytes that compare as CompareFrench does; without zero bytes. Only for comparing with keys of the
// same CollationVersion.
std::string FrenchSortKey(std::string_view text);

// Changes whenever sort keys may.
std::string CollationVersion();

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_COLLATION_H_
