#include "server/trust/local_node.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"

namespace maillage::server {
namespace {

// The writer may be in the middle of a long step.
constexpr std::chrono::seconds kPatience{30};

}  // namespace

LocalNode::LocalNode(const std::filesystem::path& socket)
    : socket_(socket),
      stub_(v1::TrustService::NewStub(grpc::CreateChannel(
          absl::StrCat("unix:", std::filesystem::absolute(socket).string()), grpc::InsecureChannelCredentials()))) {}

absl::Status LocalNode::ToAbsl(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return absl::UnavailableError(absl::StrCat(
        socket_.string(), " : aucun nœud n'y répond. Démarrez-le (maillaged --data …) ; s'il tourne, il faut être son "
                          "utilisateur, de son groupe, ou root."));
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::StatusOr<v1::MembershipLog> LocalNode::Log() {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::MembershipLog log;
  const grpc::Status status = stub_->GetMembershipLog(&context, {}, &log);
  if (!status.ok()) return ToAbsl(status);
  return log;
}

absl::StatusOr<v1::DescribeLastValidResponse> LocalNode::DescribeLastValid(const std::string& site) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::DescribeLastValidRequest request;
  request.set_site(site);
  v1::DescribeLastValidResponse response;
  const grpc::Status status = stub_->DescribeLastValid(&context, request, &response);
  if (!status.ok()) return ToAbsl(status);
  return response;
}

absl::Status LocalNode::Add(const v1::SignedEntry& entry) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::MembershipLog log;
  *log.add_entry() = entry;
  v1::AddMembershipEntriesResponse response;
  return ToAbsl(stub_->AddMembershipEntries(&context, log, &response));
}

}  // namespace maillage::server
