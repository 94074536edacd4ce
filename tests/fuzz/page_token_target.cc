// Page tokens that clients send back (server/query/page_token.h). An odd first byte: the rest is a token. An even one: the
// rest is where a page ended, whose token comes back unharmed, harmed in one byte, and to another list.
#include <string>

#include "server/query/limits.h"
#include "server/query/page_token.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

const PageScope& Scope() {
  static const auto* const scope = new PageScope{"ListRecords", "actor", "name:eau", "name"};
  return *scope;
}

bool Same(const PagePosition& left, const PagePosition& right) {
  return left.sort_key == right.sort_key && left.id == right.id;
}

void RequireRefused(const PageScope& scope, const std::string& token) {
  RequireRefusal(DecodePageToken(scope, token).status(), absl::StatusCode::kInvalidArgument);
}

bool RequireComesBack(std::string_view bytes) {
  const std::string_view id = bytes.substr(bytes.size() / 2);
  const PagePosition position{std::string(bytes.substr(0, bytes.size() / 2)), std::string(id)};
  std::string token = EncodePageToken(Scope(), position);
  if (token.size() > kMaxPageTokenBytes) {
    RequireRefused(Scope(), token);
    return false;
  }
  const auto read = DecodePageToken(Scope(), token);
  MAILLAGE_REQUIRE(read.ok() && Same(*read, position));
  RequireRefused({"ListRecords", "event", "name:eau", "name"}, token);
  char& harmed = token[bytes.size() % token.size()];
  harmed = harmed == 'A' ? 'B' : 'A';
  const auto other = DecodePageToken(Scope(), token);
  // The last letter may have bits that say nothing.
  MAILLAGE_REQUIRE(!other.ok() || Same(*other, position));
  return true;
}

}  // namespace

bool FuzzPageToken(std::string_view bytes) {
  if (TakeByte(bytes) % 2 == 0) return RequireComesBack(bytes);
  const auto position = DecodePageToken(Scope(), bytes);
  if (!position.ok()) {
    RequireRefusal(position.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  const auto again = DecodePageToken(Scope(), EncodePageToken(Scope(), *position));
  MAILLAGE_REQUIRE(again.ok() && Same(*again, *position));
  return true;
}

}  // namespace maillage::fuzz
