// Codes of invitations, and certificates, as people type and peers show them (server/trust/join_code.h, certificate.h).
#include <string>

#include "server/trust/certificate.h"
#include "server/trust/join_code.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

bool TakesCode(std::string_view bytes) {
  const auto code = server::ParseJoinCode(bytes);
  if (!code.ok()) {
    RequireRefusal(code.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  MAILLAGE_REQUIRE(code->authority.size() == server::kFingerprintSize && code->secret.size() == server::kJoinSecretSize);
  MAILLAGE_REQUIRE(code->expires_millis % 60'000 == 0);
  const auto again = server::ParseJoinCode(server::FormatJoinCode(*code));
  MAILLAGE_REQUIRE(again.ok() && *again == *code);
  return true;
}

bool TakesCertificate(std::string_view bytes) {
  const auto certificate = server::Certificate::Parse(bytes);
  if (!certificate.ok()) {
    RequireRefusal(certificate.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  MAILLAGE_REQUIRE(certificate->public_key().size() == replication::kPublicKeySize);
  // Of whom it claims to be, it says; whether that is so, another question.
  MAILLAGE_REQUIRE(!certificate->SignedBy(std::string(replication::kPublicKeySize, '\0')));
  return true;
}

bool TakesRequest(std::string_view bytes) {
  v1::JoinRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  const server::JoinCode code{"savoie", 60'000, std::string(server::kFingerprintSize, '\x11'),
                              std::string(server::kJoinSecretSize, '\x5c')};
  // Nobody guesses.
  RequireRefusal(server::CheckJoinRequest(code, request, 0), absl::StatusCode::kPermissionDenied);
  return false;
}

}  // namespace

bool FuzzJoin(std::string_view bytes) {
  const bool code = TakesCode(bytes);
  const bool certificate = TakesCertificate(bytes);
  return TakesRequest(bytes) || code || certificate;
}

}  // namespace maillage::fuzz
