// How names are compared and searched: without accents, case, or the typist's choice of apostrophe and dash.
#ifndef MAILLAGE_PROTO_TEXT_FOLD_H_
#define MAILLAGE_PROTO_TEXT_FOLD_H_

#include <string>
#include <string_view>
#include <vector>

namespace maillage {

// Compatibility-decomposed (NFKD), without combining marks, case-folded, with œ and æ spelled out, every
// apostrophe as ', every dash as -, runs of white space (no-break ones too) as one space, trimmed.
// "  Fédération  de l’Œuvre" gives "federation de l'oeuvre". Invalid UTF-8 bytes become U+FFFD.
std::string FoldText(std::string_view utf8);

// The words of the folded text: maximal runs of letters and digits. "l’eau – Loire-Bretagne" gives
// l, eau, loire, bretagne.
std::vector<std::string> FoldedWords(std::string_view utf8);

}  // namespace maillage

#endif  // MAILLAGE_PROTO_TEXT_FOLD_H_
