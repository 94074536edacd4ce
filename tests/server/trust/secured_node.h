// Members of a network as nodes in this process: real certificates, real TLS on loopback.
#ifndef MAILLAGE_TESTS_SERVER_TRUST_SECURED_NODE_H_
#define MAILLAGE_TESTS_SERVER_TRUST_SECURED_NODE_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "proto/membership.grpc.pb.h"
#include "server/node.h"
#include "server/trust/credentials.h"
#include "tests/replication/support/network.h"
#include "tests/server/node_client.h"
#include "tests/storage/temporary_folder.h"

namespace maillage::server {

// A node of the site whose key is `key`; talks to its client over the Unix socket. The certificate is of `issued_millis`;
// 0: of now.
class SecuredNode : public NodeClient {
 public:
  SecuredNode(replication::testing::TestNetwork& network, std::string site, const replication::SigningKey& key,
              std::vector<std::string> peers = {}, uint64_t issued_millis = 0);

  void Start(std::vector<std::string> peers);
  void Stop() { node_.reset(); }
  // HOST:PORT of its TLS.
  std::string address() const { return config_.listen; }
  std::string data() const { return config_.data.string(); }
  // Of the site itself, for calls from afar.
  TlsIdentity identity() const;
  // Into the log of this node, as `maillage` commands do.
  grpc::Status Tell(const v1::SignedEntry& entry);

 private:
  storage::TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<Node> node_;
  std::string key_pem_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_TESTS_SERVER_TRUST_SECURED_NODE_H_
