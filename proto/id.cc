#include "proto/id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "proto/absl_view.h"

namespace maillage {
namespace {

constexpr size_t kUuidLength = 36;

bool IsDashPosition(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string FormatUuid(const RecordId& id) {
  const std::string hex = absl::BytesToHexString(ToAbsl(id.bytes()));
  std::string uuid;
  for (const char digit : hex) {
    if (IsDashPosition(uuid.size())) uuid.push_back('-');
    uuid.push_back(digit);
  }
  return uuid;
}

std::optional<RecordId> ParseUuid(std::string_view text) {
  if (text.size() != kUuidLength) return std::nullopt;
  std::string hex;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsDashPosition(i)) {
      if (text[i] != '-') return std::nullopt;
    } else if (absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) {
      hex.push_back(text[i]);
    } else {
      return std::nullopt;
    }
  }
  return RecordId::FromBytes(absl::HexStringToBytes(hex));
}

std::string FormatSiteId(const SiteId& id) { return absl::BytesToHexString(ToAbsl(id.bytes())); }

}  // namespace maillage
