// Identifiers of requests.
#ifndef MAILLAGE_CLIENT_UUID_H_
#define MAILLAGE_CLIENT_UUID_H_

#include <string>

namespace maillage::client {

// A version 4 UUID (RFC 9562) from the system's randomness, as text. Thread-safe.
std::string RandomUuid();

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_UUID_H_
