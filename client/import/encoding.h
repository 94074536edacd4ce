// From a file's bytes to UTF-8 text, saying which encoding was understood.
#ifndef MAILLAGE_CLIENT_IMPORT_ENCODING_H_
#define MAILLAGE_CLIENT_IMPORT_ENCODING_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace maillage::client {

struct DecodedText {
  // Valid UTF-8 in composed form (NFC), without byte order mark.
  std::string text;
  // "UTF-8", "UTF-8 (BOM)", "UTF-16", "Windows-1252".
  std::string encoding;
  // Some characters were decomposed (e and a combining accent) and have been composed.
  bool composed = false;
  // Some bytes are not UTF-8 though the rest of the file is: U+FFFD stands in their place.
  bool damaged = false;
};

// A byte order mark decides; else valid UTF-8 is UTF-8. Anything else is Windows-1252, unless most
// lines with accents are UTF-8: then a few lines are damaged, and are told as such rather than all
// accents garbled. InvalidArgument for workbooks, PDF and other files that are no text.
absl::StatusOr<DecodedText> DecodeText(std::string_view bytes);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_ENCODING_H_
