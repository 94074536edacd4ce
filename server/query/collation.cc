#include "server/query/collation.h"

#include <cstddef>
#include <cstdint>

#include "google/protobuf/stubs/logging.h"
#include "unicode/coll.h"
#include "unicode/locid.h"
#include "unicode/stringpiece.h"
#include "unicode/unistr.h"

namespace maillage {
namespace {

icu::StringPiece Piece(std::string_view text) {
  return {text.data(), static_cast<int32_t>(text.size())};
}

const icu::Collator& FrenchCollator() {
  static const icu::Collator& collator = *[] {
    UErrorCode error = U_ZERO_ERROR;
    icu::Collator* french = icu::Collator::createInstance(icu::Locale::getFrench(), error);
    GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
    // Decomposed letters, as some keyboards write them, are equal to composed ones.
    french->setAttribute(UCOL_NORMALIZATION_MODE, UCOL_ON, error);
    GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
    return french;
  }();
  return collator;
}

}  // namespace

int CompareFrench(std::string_view left, std::string_view right) {
  UErrorCode error = U_ZERO_ERROR;
  const UCollationResult result = FrenchCollator().compareUTF8(Piece(left), Piece(right), error);
  GOOGLE_CHECK(U_SUCCESS(error)) << u_errorName(error);
  return result;
}

std::string FrenchSortKey(std::string_view text) {
  const icu::UnicodeString utf16 = icu::UnicodeString::fromUTF8(Piece(text));
  std::string key(128, '\0');
  const auto write = [&] {
    return static_cast<size_t>(FrenchCollator().getSortKey(
        utf16, reinterpret_cast<uint8_t*>(key.data()), static_cast<int32_t>(key.size())));
  };
  size_t size = write();
  if (size > key.size()) {
    key.resize(size);
    size = write();
  }
  GOOGLE_CHECK_GT(size, 0u);
  // Without the zero byte that ends it.
  key.resize(size - 1);
  return key;
}

std::string CollationVersion() {
  UVersionInfo version;
  FrenchCollator().getVersion(version);
  return std::string(reinterpret_cast<const char*>(version), sizeof(version));
}

}  // namespace maillage
