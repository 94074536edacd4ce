// The one-time code that lets one machine join: read over the phone, or sent by message. It is worth nothing without an
// operator who compares fingerprints, and nothing after fifteen minutes.
#ifndef MAILLAGE_SERVER_TRUST_JOIN_CODE_H_
#define MAILLAGE_SERVER_TRUST_JOIN_CODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/membership.pb.h"
#include "replication/signing.h"

namespace maillage::server {

inline constexpr uint64_t kJoinCodeLifeMillis = uint64_t{15} * 60 * 1000;
inline constexpr size_t kFingerprintSize = 16;
// 80 bits: each guess is a call to a port that is open for fifteen minutes.
inline constexpr size_t kJoinSecretSize = 10;

struct JoinCode {
  std::string site;
  // Since 1970, at whole minutes.
  uint64_t expires_millis = 0;
  // First 16 bytes of BLAKE2b-256 of the authority's public key.
  std::string authority;
  std::string secret;

  bool operator==(const JoinCode&) const = default;
};

// "savoie.8h2kq-…": the site's name, then in Crockford's base 32, in groups of five:
//
//   format:1 = 1  expires in minutes since 1970:4  authority:16  secret:10  check:2
//
// The check is the first two bytes of BLAKE2b-256 of the name and all before it: a slip of the pen is told as such.
std::string FormatJoinCode(const JoinCode& code);
// InvalidArgument, in French, where it is no code. Takes capitals, spaces, and O, I, L for the digits that they look like.
absl::StatusOr<JoinCode> ParseJoinCode(std::string_view text);

// As in JoinCode::authority, of any key.
std::string Fingerprint(std::string_view public_key);
// "3f2a 91bc …": in groups of four, to be read aloud.
std::string FingerprintText(std::string_view fingerprint);

// Who asks knows the code's secret, and holds the key: BLAKE2b-256, keyed with the secret, over
//
//   "maillage join request" NUL  authority:16  length of name:1 name  key:32  authority key: 0 or 32
//
// The request's signature, by `key`, is over the same.
v1::JoinRequest MakeJoinRequest(const JoinCode& code, const replication::SigningKey& key,
                                std::string_view authority_key);
// PermissionDenied, in French, where the request isn't of this code.
absl::Status CheckJoinRequest(const JoinCode& code, const v1::JoinRequest& request, uint64_t now_millis);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_JOIN_CODE_H_
