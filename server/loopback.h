// Which addresses are this machine's alone.
#ifndef MAILLAGE_SERVER_LOOPBACK_H_
#define MAILLAGE_SERVER_LOOPBACK_H_

#include <string_view>

namespace maillage::server {

// The part before the last colon of HOST:PORT.
inline std::string_view HostOf(std::string_view address) { return address.substr(0, address.rfind(':')); }

// Of HOST:PORT.
inline bool IsLoopback(std::string_view address) {
  const std::string_view host = HostOf(address);
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_LOOPBACK_H_
