// What makes a data folder a member's: the network that it belongs to, and its certificate. Both are public; the keys lie
// beside them (key_file.h).
#ifndef MAILLAGE_SERVER_TRUST_NETWORK_FILE_H_
#define MAILLAGE_SERVER_TRUST_NETWORK_FILE_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/membership.pb.h"

namespace maillage::server {

inline constexpr char kNetworkFile[] = "network.pb";
inline constexpr char kCertificateFile[] = "certificate.pem";

// NotFound where the folder belongs to no network; DataLoss where the file is damaged.
absl::StatusOr<v1::NetworkFile> ReadNetworkFile(const std::filesystem::path& data);
absl::Status WriteNetworkFile(const std::filesystem::path& data, const v1::NetworkFile& network);

absl::StatusOr<std::string> ReadCertificate(const std::filesystem::path& data);
// In the place of the one there is, whole or not at all.
absl::Status WriteCertificate(const std::filesystem::path& data, const std::string& pem);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_TRUST_NETWORK_FILE_H_
