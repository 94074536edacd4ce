// Errors in what a person typed: which input, at which column, what is wrong and what would be
// right.
#ifndef MAILLAGE_SERVER_QUERY_INPUT_ERROR_H_
#define MAILLAGE_SERVER_QUERY_INPUT_ERROR_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace maillage {

// InvalidArgument: « filtre, colonne 9 : champ inconnu… ». `what` is the input's name ("filtre"),
// `position` a byte of `input`; columns count characters from 1.
absl::Status InputError(std::string_view what, std::string_view input, size_t position,
                        std::string_view message);

// The name that `typed` was probably meant to be, regardless of accents and case: apart by at most
// a third of its letters, rounded up (Levenshtein distance). Empty if there is none.
std::string Nearest(std::string_view typed, const std::vector<std::string>& names);

// « typed » (« name » ?) where there is a nearest name, « typed » otherwise.
std::string QuoteWithSuggestion(std::string_view typed, const std::vector<std::string>& names);

}  // namespace maillage

#endif  // MAILLAGE_SERVER_QUERY_INPUT_ERROR_H_
