#include "tests/server/node_client.h"

#include <gtest/gtest.h>

namespace maillage::server {
namespace {

std::string ActorName(const v1::Record& record) {
  v1::Actor actor;
  record.content().UnpackTo(&actor);
  return actor.name();
}

}  // namespace

void NodeClient::Connect(const std::string& address) {
  auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  records_ = v1::RecordService::NewStub(channel);
  status_ = v1::StatusService::NewStub(channel);
}

grpc::Status NodeClient::Create(const std::string& name, const std::string& request_id, v1::Record* record) {
  v1::Actor actor;
  actor.set_name(name);
  v1::CreateRecordRequest request;
  request.mutable_record()->mutable_content()->PackFrom(actor);
  request.mutable_context()->set_person("Awa");
  request.mutable_context()->set_request_id(request_id);
  grpc::ClientContext context;
  return records_->CreateRecord(&context, request, record);
}

v1::Record NodeClient::Create(const std::string& name) {
  v1::Record record;
  const grpc::Status status = Create(name, "", &record);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return record;
}

grpc::Status NodeClient::Get(const v1::Record& record) {
  v1::GetRecordRequest request;
  request.set_name(record.name());
  v1::Record answer;
  grpc::ClientContext context;
  return records_->GetRecord(&context, request, &answer);
}

std::string NodeClient::NameOf(const std::string& record) {
  v1::GetRecordRequest request;
  request.set_name(record);
  v1::Record response;
  grpc::ClientContext context;
  return records_->GetRecord(&context, request, &response).ok() ? ActorName(response) : "";
}

std::multiset<std::string> NodeClient::Names() {
  std::multiset<std::string> names;
  v1::ListRecordsRequest request;
  request.set_kind("actor");
  request.set_page_size(1000);
  do {
    v1::ListRecordsResponse page;
    grpc::ClientContext context;
    const grpc::Status listed = records_->ListRecords(&context, request, &page);
    EXPECT_TRUE(listed.ok()) << listed.error_message();
    for (const v1::Record& record : page.records()) names.insert(ActorName(record));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return names;
}

v1::NodeStatus NodeClient::Status() {
  v1::NodeStatus status;
  grpc::ClientContext context;
  EXPECT_TRUE(status_->GetStatus(&context, {}, &status).ok());
  return status;
}

v1::NodeStatus NodeClient::WaitFor(const std::function<bool(const v1::NodeStatus&)>& wanted) {
  v1::NodeStatus status = Status();
  while (!wanted(status)) status = Status();
  return status;
}

v1::NodeStatus NodeClient::WaitFor(v1::NodeStatus::WriteState state) {
  return WaitFor([state](const v1::NodeStatus& status) { return status.write_state() == state; });
}

grpc::Status NodeClient::Sync(const std::string& peer) {
  v1::SyncPeerRequest request;
  request.set_peer(peer);
  v1::PeerStatus response;
  grpc::ClientContext context;
  return status_->SyncPeer(&context, request, &response);
}

v1::PeerStatus NodeClient::Pause(const std::string& peer) {
  v1::PausePeerRequest request;
  request.set_peer(peer);
  v1::PeerStatus response;
  grpc::ClientContext context;
  EXPECT_TRUE(status_->PausePeer(&context, request, &response).ok());
  return response;
}

v1::PeerStatus NodeClient::Resume(const std::string& peer) {
  v1::ResumePeerRequest request;
  request.set_peer(peer);
  v1::PeerStatus response;
  grpc::ClientContext context;
  EXPECT_TRUE(status_->ResumePeer(&context, request, &response).ok());
  return response;
}

}  // namespace maillage::server
