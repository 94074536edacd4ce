#include "client/uuid.h"

#include <cstdlib>

#include "proto/id.h"
#include "sodium.h"

namespace maillage::client {

std::string RandomUuid() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) std::abort();
  std::string bytes(RecordId::kSize, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  return FormatUuid(*RecordId::FromBytes(bytes));
}

}  // namespace maillage::client
