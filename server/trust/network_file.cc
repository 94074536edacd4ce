#include "server/trust/network_file.h"

#include "absl/strings/str_cat.h"
#include "server/backup_files.h"

namespace maillage::server {

namespace fs = std::filesystem;

absl::StatusOr<v1::NetworkFile> ReadNetworkFile(const fs::path& data) {
  const absl::StatusOr<std::string> bytes = ReadWholeFile(data / kNetworkFile);
  if (!bytes.ok()) return bytes.status();
  v1::NetworkFile network;
  if (!network.ParseFromString(*bytes) || network.network().empty()) {
    return absl::DataLossError(absl::StrCat((data / kNetworkFile).string(),
                                            " est endommagé ; reprenez-le d'une sauvegarde de ce site"));
  }
  return network;
}

absl::Status WriteNetworkFile(const fs::path& data, const v1::NetworkFile& network) {
  return ReplaceFile(data / kNetworkFile, network.SerializeAsString());
}

absl::StatusOr<std::string> ReadCertificate(const fs::path& data) { return ReadWholeFile(data / kCertificateFile); }

absl::Status WriteCertificate(const fs::path& data, const std::string& pem) {
  return ReplaceFile(data / kCertificateFile, pem);
}

}  // namespace maillage::server
