#include "server/trust/join_code.h"

#include <sodium/utils.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"

namespace maillage::server {
namespace {

using replication::Hash256;
using replication::kJoinDomain;

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t kGroup = 5;
constexpr char kFormat = 1;
constexpr size_t kCheckSize = 2;
constexpr size_t kBodySize = 1 + 4 + kFingerprintSize + kJoinSecretSize;
constexpr uint64_t kMinuteMillis = 60'000;

std::string ToBase32(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    for (count += 8; count >= 5; count -= 5) text.push_back(kDigits[bits >> (count - 5) & 31]);
  }
  if (count > 0) text.push_back(kDigits[bits << (5 - count) & 31]);
  return text;
}

std::optional<std::string> FromBase32(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == '-' || absl::ascii_isspace(static_cast<unsigned char>(letter))) continue;
    char digit = absl::ascii_tolower(static_cast<unsigned char>(letter));
    if (digit == 'o') digit = '0';
    if (digit == 'i' || digit == 'l') digit = '1';
    const size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 5 | static_cast<uint32_t>(value);
    count += 5;
    if (count >= 8) bytes.push_back(static_cast<char>(bits >> (count -= 8) & 255));
  }
  return bytes;
}

std::string CheckOf(std::string_view site, std::string_view body) {
  return Hash256(absl::StrCat(ToAbsl(site), ".", ToAbsl(body))).substr(0, kCheckSize);
}

// What a request is about.
std::string Claim(const JoinCode& code, const v1::JoinRequest& request) {
  std::string claim(kJoinDomain);
  claim.push_back('\0');
  claim.append(code.authority);
  claim.push_back(static_cast<char>(request.site().size()));
  claim.append(request.site());
  claim.append(request.key());
  claim.append(request.authority_key());
  return claim;
}

// BLAKE2b takes keys of 16 bytes and more.
std::string Proof(const JoinCode& code, const v1::JoinRequest& request) {
  return Hash256(Claim(code, request), Hash256(code.secret));
}

}  // namespace

std::string FormatJoinCode(const JoinCode& code) {
  const auto minutes = static_cast<uint32_t>(code.expires_millis / kMinuteMillis);
  std::string body(1, kFormat);
  for (int shift = 24; shift >= 0; shift -= 8) body.push_back(static_cast<char>(minutes >> shift & 255));
  body.append(code.authority).append(code.secret);
  const std::string digits = ToBase32(body + CheckOf(code.site, body));
  std::string text = code.site + ".";
  for (size_t i = 0; i < digits.size(); i += kGroup) {
    if (i > 0) text.push_back('-');
    text.append(digits, i, kGroup);
  }
  return text;
}

absl::StatusOr<JoinCode> ParseJoinCode(std::string_view text) {
  const absl::Status wrong = absl::InvalidArgumentError(
      "ce n'est pas un code d'invitation, ou une lettre y est fausse : recopiez-le tel que l'antenne le montre, "
      "« savoie.8h2kq-… »");
  const std::string_view stripped = ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
  const size_t dot = stripped.find('.');
  if (dot == std::string_view::npos || dot == 0) return wrong;
  JoinCode code;
  code.site = stripped.substr(0, dot);
  const std::optional<std::string> bytes = FromBase32(stripped.substr(dot + 1));
  if (!bytes.has_value() || bytes->size() != kBodySize + kCheckSize) return wrong;
  const std::string body = bytes->substr(0, kBodySize);
  if (bytes->substr(kBodySize) != CheckOf(code.site, body)) return wrong;
  if (body[0] != kFormat) return absl::InvalidArgumentError("ce code est d'une autre version de Maillage : mettez ce site à jour");
  for (size_t i = 1; i < 5; ++i) code.expires_millis = code.expires_millis << 8 | static_cast<uint8_t>(body[i]);
  code.expires_millis *= kMinuteMillis;
  code.authority = body.substr(5, kFingerprintSize);
  code.secret = body.substr(5 + kFingerprintSize);
  return code;
}

std::string Fingerprint(std::string_view public_key) { return Hash256(public_key).substr(0, kFingerprintSize); }

std::string FingerprintText(std::string_view fingerprint) {
  const std::string hex = absl::BytesToHexString(ToAbsl(fingerprint));
  std::string text;
  for (size_t i = 0; i < hex.size(); i += 4) absl::StrAppend(&text, text.empty() ? "" : " ", hex.substr(i, 4));
  return text;
}

v1::JoinRequest MakeJoinRequest(const JoinCode& code, const replication::SigningKey& key,
                                std::string_view authority_key) {
  v1::JoinRequest request;
  request.set_site(code.site);
  request.set_key(key.public_key());
  request.set_authority_key(std::string(authority_key));
  request.set_proof(Proof(code, request));
  request.set_signature(key.Sign(kJoinDomain, Claim(code, request)));
  return request;
}

absl::Status CheckJoinRequest(const JoinCode& code, const v1::JoinRequest& request, uint64_t now_millis) {
  if (now_millis >= code.expires_millis) return absl::PermissionDeniedError("le code a expiré ; demandez-en un autre à l'antenne");
  if (request.site() != code.site) {
    return absl::PermissionDeniedError(absl::StrCat("le code n'est pas pour « ", request.site(), " »"));
  }
  const std::string proof = Proof(code, request);
  if (request.proof().size() != proof.size() || sodium_memcmp(request.proof().data(), proof.data(), proof.size()) != 0) {
    return absl::PermissionDeniedError("le code est faux");
  }
  if (!replication::VerifySignature(request.key(), kJoinDomain, Claim(code, request), request.signature())) {
    return absl::PermissionDeniedError("la clé présentée n'est pas celle de qui demande");
  }
  return absl::OkStatus();
}

}  // namespace maillage::server
