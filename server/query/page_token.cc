#include "server/query/page_token.h"

#include <sodium.h>

#include <cstddef>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/stubs/logging.h"
#include "server/query/collation.h"
#include "server/query/limits.h"

namespace maillage {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// A token is, in URL-safe base64:
//   version 1, 1 byte
//   hash of the scope, 16 bytes
//   sort key and id, each a varint of its length and its bytes
//   hash of all before, 16 bytes: a token that was cut or mistyped goes nowhere
constexpr char kVersion = 1;
constexpr size_t kHashBytes = crypto_generichash_BYTES_MIN;

// BLAKE2b.
std::string Hash(const std::string& bytes) {
  std::string hash(kHashBytes, '\0');
  const int result = crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                                        reinterpret_cast<const unsigned char*>(bytes.data()),
                                        bytes.size(), nullptr, 0);
  GOOGLE_CHECK_EQ(result, 0);
  return hash;
}

std::string WithLengths(const std::vector<std::string>& texts) {
  std::string bytes;
  StringOutputStream stream(&bytes);
  CodedOutputStream out(&stream);
  for (const std::string& text : texts) {
    out.WriteVarint32(static_cast<uint32_t>(text.size()));
    out.WriteString(text);
  }
  out.Trim();
  return bytes;
}

bool ReadText(CodedInputStream* in, std::string* text) {
  uint32_t size;
  return in->ReadVarint32(&size) && size <= kMaxPageTokenBytes &&
         in->ReadString(text, static_cast<int>(size));
}

std::string Header(PageScope scope) {
  scope.push_back(CollationVersion());
  return kVersion + Hash(WithLengths(scope));
}

absl::Status Refused(const char* why) {
  return absl::InvalidArgumentError(
      std::string("page_token\u00A0: ") + why +
      "\u00A0; reprendre la liste à sa première page, sans page_token");
}

}  // namespace

std::string EncodePageToken(const PageScope& scope, const PagePosition& position) {
  std::string bytes = Header(scope) + WithLengths({position.sort_key, position.id});
  bytes += Hash(bytes);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<PagePosition> DecodePageToken(const PageScope& scope, std::string_view token) {
  const std::string header = Header(scope);
  std::string bytes;
  if (token.size() > kMaxPageTokenBytes ||
      !absl::WebSafeBase64Unescape({token.data(), token.size()}, &bytes) ||
      bytes.size() < header.size() + kHashBytes) {
    return Refused("ce n'est pas un jeton de page");
  }
  const size_t body_end = bytes.size() - kHashBytes;
  if (Hash(bytes.substr(0, body_end)) != bytes.substr(body_end)) {
    return Refused("ce jeton de page est abîmé");
  }
  if (bytes.substr(0, header.size()) != header) {
    return Refused(
        "ce jeton de page est celui d'une autre liste (autre filtre, tri, type ou version)");
  }
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()) + header.size(),
                      static_cast<int>(body_end - header.size()));
  PagePosition position;
  if (!ReadText(&in, &position.sort_key) || !ReadText(&in, &position.id) ||
      in.CurrentPosition() != static_cast<int>(body_end - header.size())) {
    return Refused("ce jeton de page est abîmé");
  }
  return position;
}

}  // namespace maillage
