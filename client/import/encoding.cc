#include "client/import/encoding.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_split.h"
#include "client/import/concat.h"

namespace maillage::client {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kUtf16BigMark = "\xFE\xFF";
constexpr std::string_view kUtf16LittleMark = "\xFF\xFE";

// More control characters than one in so many bytes of the head: no text.
constexpr size_t kBinaryHead = 4096;
constexpr size_t kBinaryShare = 20;

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7F;
}

bool IsAscii(std::string_view bytes) {
  for (char c : bytes) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

bool IsUtf8(std::string_view bytes) {
  if (IsAscii(bytes)) return true;
  UErrorCode error = U_ZERO_ERROR;
  int32_t length = 0;
  u_strFromUTF8(nullptr, 0, &length, bytes.data(), static_cast<int32_t>(bytes.size()), &error);
  return error == U_BUFFER_OVERFLOW_ERROR || U_SUCCESS(error);
}

std::string Convert(std::string_view bytes, const char* codepage) {
  const icu::UnicodeString text(bytes.data(), static_cast<int32_t>(bytes.size()), codepage);
  std::string utf8;
  return text.toUTF8String(utf8);
}

// Most lines that aren't ASCII are valid UTF-8.
bool IsMostlyUtf8(std::string_view bytes) {
  size_t valid = 0, invalid = 0;
  for (const absl::string_view part : absl::StrSplit(ToAbsl(bytes), '\n')) {
    const std::string_view line = ToStd(part);
    if (IsAscii(line)) continue;
    ++(IsUtf8(line) ? valid : invalid);
  }
  return valid > invalid;
}

absl::Status CheckIsText(std::string_view bytes) {
  const auto refuse = [](std::string_view what) {
    return absl::InvalidArgumentError(
        Concat("ce fichier est ", what,
               ", pas un tableau en texte : ouvrez-le dans un tableur et enregistrez-le au "
               "format « CSV UTF-8 »"));
  };
  if (bytes.starts_with("PK\x03\x04")) return refuse("un classeur (xlsx ou ods)");
  if (bytes.starts_with("\xD0\xCF\x11\xE0")) return refuse("un classeur (xls)");
  if (bytes.starts_with("%PDF")) return refuse("un PDF");
  const std::string_view head = bytes.substr(0, kBinaryHead);
  const std::string_view first_line = head.substr(0, head.find_first_of("\r\n"));
  if (std::any_of(first_line.begin(), first_line.end(), IsControl) ||
      static_cast<size_t>(std::count_if(head.begin(), head.end(), IsControl)) >
          head.size() / kBinaryShare) {
    return refuse("binaire");
  }
  return absl::OkStatus();
}

void Compose(DecodedText& decoded) {
  if (IsAscii(decoded.text)) return;
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error) || nfc->isNormalizedUTF8(decoded.text, error)) return;
  std::string composed;
  icu::StringByteSink<std::string> sink(&composed);
  nfc->normalizeUTF8(0, decoded.text, sink, nullptr, error);
  if (U_FAILURE(error)) return;
  decoded.text = std::move(composed);
  decoded.composed = true;
}

}  // namespace

absl::StatusOr<DecodedText> DecodeText(std::string_view bytes) {
  if (bytes.size() > static_cast<size_t>(INT32_MAX)) {
    return absl::InvalidArgumentError("ce fichier dépasse 2 Go : coupez-le en plusieurs");
  }
  DecodedText decoded;
  if (bytes.starts_with(kUtf16BigMark) || bytes.starts_with(kUtf16LittleMark)) {
    decoded.text = Convert(bytes, "UTF-16");
    decoded.encoding = "UTF-16";
    Compose(decoded);
    return decoded;
  }
  const bool marked = bytes.starts_with(kUtf8Mark);
  if (marked) bytes.remove_prefix(kUtf8Mark.size());
  if (absl::Status text = CheckIsText(bytes); !text.ok()) return text;
  decoded.encoding = marked ? "UTF-8 (BOM)" : "UTF-8";
  if (IsUtf8(bytes)) {
    decoded.text = std::string(bytes);
  } else if (marked || IsMostlyUtf8(bytes)) {
    decoded.text = Convert(bytes, "UTF-8");
    decoded.damaged = true;
  } else {
    decoded.text = Convert(bytes, "windows-1252");
    decoded.encoding = "Windows-1252";
  }
  Compose(decoded);
  return decoded;
}

}  // namespace maillage::client
