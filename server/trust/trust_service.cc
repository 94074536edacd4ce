#include "server/trust/trust_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/grpc_status.h"

namespace maillage::server {
namespace {

using replication::Member;
using replication::Membership;
using replication::Replica;

v1::MemberInfo Describe(const Member& member, const SiteId& here) {
  v1::MemberInfo info;
  info.set_name(member.name);
  info.set_site_id(FormatSiteId(member.site));
  info.set_role(member.role);
  info.set_territory(member.territory.ToText());
  info.set_revoked(member.revoked);
  info.set_reason(member.reason);
  info.set_here(member.site == here);
  info.set_revocation_pending(member.revocation_pending && !member.revoked);
  info.set_equivocated(member.equivocated);
  return info;
}

const Member* FindMember(const Membership& membership, const std::string& name) {
  if (const Member* member = membership.FindByName(name)) return member;
  for (const auto& [site, member] : membership.members()) {
    if (FormatSiteId(site) == name) return &member;
  }
  return nullptr;
}

absl::Status NoNetwork() {
  return absl::FailedPreconditionError("ce nœud n'appartient à aucun réseau : maillage init, ou maillage join");
}

absl::Status DescribeLast(const Replica& replica, const std::string& name, v1::DescribeLastValidResponse& response) {
  const Membership& membership = *replica.membership();
  if (!membership.founded()) return NoNetwork();
  const Member* const member = FindMember(membership, name);
  if (member == nullptr) {
    return absl::NotFoundError(absl::StrCat("aucun membre « ", name, " » ; maillage members les montre"));
  }
  *response.mutable_member() = Describe(*member, replica.identity().site);
  for (const auto& [incarnation, known] : replica.KnownOf(member->site)) {
    v1::LastValid& last = *response.mutable_last()->add_last();
    last.set_incarnation(incarnation);
    last.set_site_sequence(known.site_sequence);
    last.set_hash(known.hash);
  }
  uint64_t records = 0;
  for (const auto& [partition, sum] : replica.tree().Partitions(replica.ScopeOf(member->site))) records += sum.count;
  response.set_held_records(records);
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* TrustService::ListMembers(grpc::CallbackServerContext* context,
                                                    const v1::ListMembersRequest*, v1::ListMembersResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  writer_->Post([](Replica&) {},
                [this, reactor, response](const absl::Status&) {
                  const Replica& replica = writer_->replica();
                  const Membership& membership = *replica.membership();
                  if (membership.founded()) {
                    response->set_network_id(FormatSiteId(*SiteId::FromBytes(membership.network().bytes())));
                    response->set_network_name(membership.network_name());
                  }
                  for (const auto& [site, member] : membership.members()) {
                    *response->add_members() = Describe(member, replica.identity().site);
                  }
                  std::sort(response->mutable_members()->begin(), response->mutable_members()->end(),
                            [](const v1::MemberInfo& a, const v1::MemberInfo& b) {
                              return std::tie(a.name(), a.site_id()) < std::tie(b.name(), b.site_id());
                            });
                  reactor->Finish(grpc::Status::OK);
                });
  return reactor;
}

grpc::ServerUnaryReactor* TrustService::GetMembershipLog(grpc::CallbackServerContext* context,
                                                         const v1::GetMembershipLogRequest*,
                                                         v1::MembershipLog* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (trust_ == nullptr) {
    reactor->Finish(ToGrpcStatus(NoNetwork()));
    return reactor;
  }
  writer_->Post([](Replica&) {},
                [this, reactor, response](const absl::Status&) {
                  *response = writer_->replica().membership()->Log();
                  reactor->Finish(grpc::Status::OK);
                });
  return reactor;
}

grpc::ServerUnaryReactor* TrustService::AddMembershipEntries(grpc::CallbackServerContext* context,
                                                             const v1::MembershipLog* request,
                                                             v1::AddMembershipEntriesResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (trust_ == nullptr) {
    reactor->Finish(ToGrpcStatus(NoNetwork()));
    return reactor;
  }
  auto outcome = std::make_shared<absl::Status>();
  writer_->Post(
      [this, request, response, outcome](Replica& replica) {
        *outcome = writer_->MayWrite();
        if (!outcome->ok()) return;
        const absl::StatusOr<size_t> added = replica.AddMembership(*request);
        *outcome = added.status();
        if (added.ok()) response->set_added(static_cast<uint32_t>(*added));
      },
      [this, outcome, reactor](const absl::Status& committed) {
        trust_->door()->Follow(writer_->replica().membership());
        reactor->Finish(ToGrpcStatus(outcome->ok() ? committed : *outcome));
      });
  return reactor;
}

grpc::ServerUnaryReactor* TrustService::DescribeLastValid(grpc::CallbackServerContext* context,
                                                          const v1::DescribeLastValidRequest* request,
                                                          v1::DescribeLastValidResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  writer_->Post([](Replica&) {},
                [this, reactor, request, response](const absl::Status&) {
                  reactor->Finish(ToGrpcStatus(DescribeLast(writer_->replica(), request->site(), *response)));
                });
  return reactor;
}

grpc::ServerUnaryReactor* TrustService::RenewCertificate(grpc::CallbackServerContext* context,
                                                         const v1::RenewCertificateRequest*,
                                                         v1::RenewCertificateResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const std::vector<grpc::string_ref> pem = context->auth_context()->FindPropertyValues("x509_pem_cert");
  if (trust_ == nullptr || pem.empty()) {
    reactor->Finish({grpc::StatusCode::FAILED_PRECONDITION, "un certificat se renouvelle par le réseau, avec l'ancien"});
    return reactor;
  }
  // The connection has proven the key, and the door, just now, that it is a member's.
  const absl::StatusOr<Certificate> old = Certificate::Parse({pem[0].data(), pem[0].size()});
  absl::StatusOr<std::string> issued =
      old.ok() ? trust_->Issue(old->public_key()) : absl::StatusOr<std::string>(old.status());
  if (issued.ok()) response->set_certificate(*std::move(issued));
  reactor->Finish(ToGrpcStatus(issued.status()));
  return reactor;
}

}  // namespace maillage::server
