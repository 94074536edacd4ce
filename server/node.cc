#include "server/node.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "proto/absl_view.h"
#include "proto/records.pb.h"
#include "replication/edit.h"
#include "replication/schema.h"
#include "replication/sealed_store.h"
#include "server/admin_service.h"
#include "server/audit_service.h"
#include "server/audit_trail.h"
#include "server/backup.h"
#include "server/identity.h"
#include "server/local_socket.h"
#include "server/lease.h"
#include "server/machine.h"
#include "server/console/health.h"
#include "server/console/http_server.h"
#include "server/console/metrics.h"
#include "server/loopback.h"
#include "server/peer_hub.h"
#include "server/personal_keys.h"
#include "server/resources.h"
#include "server/service_manager.h"
#include "server/quarantine_service.h"
#include "server/records/record_service.h"
#include "server/recovery.h"
#include "server/salvage.h"
#include "server/site_list.h"
#include "server/site_reporter.h"
#include "server/site_service.h"
#include "server/status_service.h"
#include "server/sync_stream.h"
#include "server/trust/certificate.h"
#include "server/trust/site_trust.h"
#include "server/trust/trust_service.h"
#include "server/tuning.h"
#include "server/writer.h"
#include "spdlog/spdlog.h"

namespace maillage::server {
namespace {

using replication::Replica;
using replication::Schema;

class SyncService final : public v1::SyncService::CallbackService {
 public:
  explicit SyncService(PeerHub* hub) : hub_(hub) {}

  grpc::ServerBidiReactor<v1::SyncFrame, v1::SyncFrame>* Sync(
      grpc::CallbackServerContext* context) override {
    AcceptedStream accepted = AcceptSyncStream(ProvenSite(*context));
    hub_->Accept(accepted.stream, context->peer());
    return accepted.reactor;
  }

 private:
  // The handshake has proven the key, and the door has let it in.
  static SiteId ProvenSite(const grpc::CallbackServerContext& context) {
    const std::vector<grpc::string_ref> pem = context.auth_context()->FindPropertyValues("x509_pem_cert");
    if (pem.empty()) return {};
    const auto certificate = Certificate::Parse({pem[0].data(), pem[0].size()});
    return certificate.ok() ? certificate->site() : SiteId();
  }

  PeerHub* const hub_;
};

// "127.0.0.1:0" with the port that was taken.
std::string WithPort(const std::string& listen, int port) {
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

void LimitTransport(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxAnswerBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  grpc::ResourceQuota quota("maillage");
  quota.Resize(kTransportMemoryBytes);
  builder.SetResourceQuota(quota);
}

class RunningNode final : public Node {
 public:
  explicit RunningNode(const NodePorts& ports) : ports_(ports) {
    if (ports_.disk == nullptr) ports_.disk = &machine_disk_;
  }
  ~RunningNode() override { Shutdown(); }

  std::string address() const override { return address_; }
  std::string http_address() const override { return http_ == nullptr ? "" : http_->address(); }

  absl::Status Open(const Config& config) {
    std::error_code error;
    std::filesystem::create_directories(config.data, error);
    if (error) {
      return absl::FailedPreconditionError(
          absl::StrCat(config.data.string(), " : création impossible (", error.message(), ")"));
    }
    if (absl::Status whole = CheckNotHalfRestored(config.data); !whole.ok()) return whole;
    if (absl::Status removed = RemoveBackupRemains(config.data); !removed.ok()) return removed;
    if (absl::Status completed = CompleteSalvage(config.data); !completed.ok()) return completed;
    absl::StatusOr<replication::SigningKey> identity = LoadOrCreateIdentity(config.data);
    if (!identity.ok()) return identity.status();
    const SiteId site = identity->site();
    if (absl::Status status = LoadTrust(config, *std::move(identity)); !status.ok()) return status;
    auto lease = Lease::Take(config.lease.empty() ? DefaultLease(config.data) : config.lease);
    if (!lease.ok()) return lease.status();
    lease_ = *std::move(lease);
    audit_ = std::make_unique<AuditTrail>(config.data, &clock_);
    storage::RocksOptions options = ports_.store;
    options.block_cache_bytes = config.cache_mib << 20;
    auto opened = storage::RocksStore::Open((config.data / "store").string(), options);
    if (!opened.ok()) return opened.status();
    store_ = std::move(opened->store);
    auto keys = LoadOrCreatePersonalKeys(config.data, *store_, random_);
    if (!keys.ok()) return keys.status();
    personal_keys_ = std::make_unique<replication::SubjectKeys>(*std::move(keys));
    sealed_ = std::make_unique<replication::SealedStore>(store_.get(), personal_keys_.get());
    if (absl::Status removed = RemoveSalvageRemains(config.data); !removed.ok()) return removed;
    if (absl::Status status = OpenReplica(site, opened->continuity_proven, opened->damage); !status.ok()) {
      return status;
    }
    if (!replica_->damage().empty())
      spdlog::critical("store damaged damage=\"{}\"", replica_->damage());
    const absl::StatusOr<replication::Scope> scope =
        PublishSite(Schema::BuiltIn(), *replica_, config.site, config.scope);
    // One damaged record, be it the site's own, is no reason to keep people from all others.
    if (absl::IsDataLoss(scope.status()))
      spdlog::critical("site record not published error=\"{}\"", scope.status().ToString());
    if (absl::IsInvalidArgument(scope.status())) {
      return absl::InvalidArgumentError(absl::StrCat("--scope ", config.scope, " : ", scope.status().message()));
    }
    if (!scope.ok() && !absl::IsDataLoss(scope.status())) return scope.status();
    if (scope.ok() && !config.scope.empty() && *scope != *ParseScope(Schema::BuiltIn(), config.scope)) {
      spdlog::warn("scope of the list of sites wins configured=\"{}\" list=\"{}\"", config.scope,
                   ScopeText(Schema::BuiltIn(), *scope));
    }
    return replica_->Commit();
  }

  absl::Status Serve(const Config& config) {
    WatchDisk(config);
    writer_ = std::make_unique<Writer>(replica_.get(), recovery_.get());
    writer_->Subscribe([this](uint64_t) { KeepLease(); });
    hub_ = std::make_unique<PeerHub>(
        writer_.get(), replica_.get(), config.site, config.peers, [this](const std::string& address) {
          return trust_ != nullptr ? trust_->Dial(address) : DialSyncStream(address);
        });
    if (trust_ != nullptr) {
      hub_->OnMembership([this](const auto& membership) {
        trust_->door()->Follow(membership);
        audit_->Follow(*membership);
      });
      hub_->OnRead([this](const v1::SyncFrame& frame) { trust_->verified().Look(frame); });
    }
    record_service_ = std::make_unique<RecordService>(&Schema::BuiltIn(), sealed_.get(), writer_.get());
    status_service_ = std::make_unique<StatusService>(
        writer_.get(), hub_.get(), recovery_.get(), &Schema::BuiltIn(),
        StatusService::Facts{config.site, clock_.NowMillis(), CertificateClock(),
                             [this, data = config.data](v1::NodeStatus& status) { DescribeMachine(data, status); }});
    reporter_ = std::make_unique<SiteReporter>(replica_.get(), [this] { return status_service_->ReportFacts(); });
    hub_->OnTick([this] { if (writer_->MayWrite().ok()) reporter_->Tick(hub_->ReportedLinks(), clock_.NowMillis()); });
    admin_service_ = std::make_unique<AdminService>(
        writer_.get(), store_.get(), sealed_.get(), ports_.disk, &clock_, &Schema::BuiltIn(),
        AdminService::Facts{config.site, config.data, ports_.disk_reserve_bytes, audit_.get(), personal_keys_.get()}, [this] { hub_->OnRepaired(); });
    site_service_ = std::make_unique<SiteService>(writer_.get(), &Schema::BuiltIn(), audit_.get());
    audit_service_ = std::make_unique<AuditService>(audit_.get());
    quarantine_service_ = std::make_unique<QuarantineService>(writer_.get(), sealed_.get(), &Schema::BuiltIn(), audit_.get());
    sync_service_ = std::make_unique<SyncService>(hub_.get());
    trust_service_ = std::make_unique<TrustService>(writer_.get(), trust_.get());
    if (absl::Status status = ListenLocally(config); !status.ok()) return status;
    if (absl::Status status = Listen(config); !status.ok()) return status;
    if (absl::Status status = ListenHttp(config); !status.ok()) return status;
    absl::Status started;
    absl::Status committed = writer_->Run([&](Replica&) { started = hub_->Start(); });
    if (trust_ != nullptr) trust_->KeepRenewed(config.peers);
    if (started.ok() && committed.ok()) service_ = std::make_unique<ServiceManager>([this] { return status_service_->Read(); });
    return started.ok() ? committed : started;
  }

  void Shutdown() override {
    if (std::exchange(shut_down_, true)) return;
    service_.reset();
    local_socket_.reset();
    http_.reset();
    if (server_ != nullptr) {
      if (writer_->MayWrite().ok()) writer_->Run([](Replica& replica) { replica.KeepReports(); }).IgnoreError();
      record_service_->Shutdown();
      admin_service_->Shutdown();
      std::promise<void> links_closed;
      writer_->Run([&](Replica&) { hub_->Shutdown([&] { links_closed.set_value(); }); }).IgnoreError();
      std::future<void> closed = links_closed.get_future();
      // Peers have a moment to take their leave; the server's shutdown ends the streams that are left.
      closed.wait_for(std::chrono::milliseconds(kGoodbyeMillis));
      const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(kGoodbyeMillis);
      server_->Shutdown(deadline);
      local_server_->Shutdown(deadline);
      writer_->Run([&](Replica&) { hub_->Abandon(); }).IgnoreError();
      closed.wait();
    }
    if (writer_ != nullptr) writer_->Stop();
    if (replica_ != nullptr && !replica_->failed() && writer_ != nullptr) {
      NoteLease(lease_->End(FactsOf(*replica_)));
    }
    server_.reset();
    local_server_.reset();
    replica_.reset();
    trust_.reset();
    sealed_.reset();
    store_.reset();
    lease_.reset();
  }

 private:
  // Where the folder belongs to a network. A node that belongs to none talks to its own machine alone.
  absl::Status LoadTrust(const Config& config, replication::SigningKey identity) {
    auto trust = SiteTrust::Load(config.data, std::move(identity), &clock_, &random_);
    if (trust.ok()) {
      trust_ = *std::move(trust);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(trust.status())) return trust.status();
    if (IsLoopback(config.listen)) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "--listen ", config.listen, " : ce dossier n'appartient à aucun réseau, et un nœud sans réseau n'écoute que sur sa propre "
        "machine (127.0.0.1). Fondez-en un (maillage init), ou rejoignez-en un (maillage join)."));
  }

  // As a new incarnation where the store or the lease can't vouch that it goes on alone from where it stopped.
  absl::Status OpenReplica(const SiteId& site, bool store_vouches, std::string doubt) {
    const auto facts = ReadFacts(*store_);
    if (!facts.ok()) return facts.status();
    replication::ContinuityDoubt kind = replication::ContinuityDoubt::kStoreDamaged;
    if (store_vouches && facts->has_value()) {
      doubt = lease_->Contradiction(**facts);
      kind = replication::ContinuityDoubt::kLease;
    }
    if (!doubt.empty()) spdlog::warn("continuity in doubt, new incarnation reason=\"{}\"", doubt);
    const bool continues = store_vouches && doubt.empty();
    Replica::Options options{site, &Schema::BuiltIn(), continues, kind};
    if (trust_ != nullptr) {
      options.network = trust_->network();
      options.key = &trust_->key();
      options.verifier = &trust_->verified();
    }
    auto replica = Replica::Open(sealed_.get(), &clock_, &random_, options);
    if (!replica.ok()) return replica.status();
    replica_ = *std::move(replica);
    if (trust_ != nullptr) {
      trust_->door()->Follow(replica_->membership());
      audit_->Follow(*replica_->membership());
    }
    noted_incarnation_ = replica_->identity().incarnation;
    if (!continues && facts->has_value()) audit_->Note("", "new-incarnation", FormatSiteId(site), doubt);
    // From here on a crash leaves a lease that doesn't fit, and costs one more incarnation.
    if (absl::Status kept = lease_->Keep(FactsOf(*replica_), clock_.NowMillis()); !kept.ok()) return kept;
    return store_vouches ? absl::OkStatus() : store_->SettleContinuity();
  }

  // The store goes on without it: at the next start the old lease costs a new incarnation.
  static void NoteLease(const absl::Status& written) {
    if (!written.ok()) spdlog::error("lease not written error=\"{}\"", written.ToString());
  }

  // On the writer's thread.
  void KeepLease() {
    NoteLease(lease_->Keep(FactsOf(*replica_), clock_.NowMillis()));
    const replication::LocalIdentity& identity = replica_->identity();
    if (std::exchange(noted_incarnation_, identity.incarnation) == identity.incarnation) return;
    audit_->Note("", "new-incarnation", FormatSiteId(identity.site), "ce que d'autres savent de ce site ne va pas avec ce qu'il a");
  }

  void WatchDisk(const Config& config) {
    Recovery::Ports ports;
    ports.clock = &clock_;
    ports.disk = ports_.disk;
    ports.folder = config.data;
    ports.reserve_bytes = ports_.disk_reserve_bytes;
    ports.reopen = [this] { return Reopen(); };
    ports.changed = [this] {
      if (hub_ != nullptr) hub_->OnWriteState(recovery_->writing(), recovery_->store_failed());
    };
    recovery_ = std::make_unique<Recovery>(std::move(ports));
  }

  // After a failed commit, on the writer's thread.
  absl::Status Reopen() {
    const auto doubt = store_->Reopen(std::chrono::milliseconds(kReopenPatienceMillis));
    if (!doubt.ok()) return doubt.status();
    spdlog::warn("continuity in doubt, new incarnation damage=\"{}\"", *doubt);
    if (absl::Status loaded = replica_->Reload(/*continuity_proven=*/false); !loaded.ok()) return loaded;
    KeepLease();
    return store_->SettleContinuity();
  }

  void RegisterServices(grpc::ServerBuilder& builder) {
    builder.RegisterService(record_service_.get());
    builder.RegisterService(status_service_.get());
    builder.RegisterService(sync_service_.get());
    builder.RegisterService(admin_service_.get());
    builder.RegisterService(site_service_.get());
    builder.RegisterService(trust_service_.get());
    builder.RegisterService(audit_service_.get());
    builder.RegisterService(quarantine_service_.get());
  }

  // For programs of this machine: a socket whose other end the kernel vouches for.
  absl::Status ListenLocally(const Config& config) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    LimitTransport(builder);
    RegisterServices(builder);
    auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
    local_server_ = builder.BuildAndStart();
    if (local_server_ == nullptr) return absl::InternalError("gRPC ne démarre pas");
    SetServing(*local_server_);
    const std::filesystem::path path = config.socket.empty() ? config.data / kSocketFile : config.socket;
    auto socket = LocalSocket::Listen(path, [acceptor = std::shared_ptr(std::move(acceptor))](int listener, int connection) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
      parameters.listener_fd = listener;
      parameters.fd = connection;
      acceptor->HandleNewConnection(&parameters);
    });
    if (!socket.ok()) return socket.status();
    local_socket_ = *std::move(socket);
    return absl::OkStatus();
  }

  absl::Status Listen(const Config& config) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(
        config.listen, trust_ != nullptr ? trust_->server_credentials() : grpc::InsecureServerCredentials(), &port);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    LimitTransport(builder);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMillis);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kMinPingIntervalMillis);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMillis);
    if (trust_ != nullptr) {
      builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionAgeMillis);
      builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kConnectionGraceMillis);
    }
    RegisterServices(builder);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return absl::UnavailableError(absl::StrCat(
          config.listen, " : impossible d'écouter ; l'adresse est-elle prise par un autre programme ?"));
    }
    address_ = WithPort(config.listen, port);
    SetServing(*server_);
    return absl::OkStatus();
  }

  absl::Status ListenHttp(const Config& config) {
    if (config.http.empty()) return absl::OkStatus();
    http_ = std::make_unique<HttpServer>();
    http_->Get("/livez", [this] { return Livez(status_service_->Read()); });
    http_->Get("/readyz", [this] { return Readyz(status_service_->Read()); });
    http_->Get("/metrics", [this] { return Metrics(status_service_->Read()); });
    return http_->Start(config.http);
  }

  // On the writer's thread.
  void DescribeMachine(const std::filesystem::path& data, v1::NodeStatus& status) const {
    status.set_disk_bytes(FileSystemBytes(data));
    status.set_memory_bytes(ResidentBytes());
    const auto sizes = store_->TableBytes();
    for (size_t table = 0; table < sizes.size(); ++table) {
      v1::TableSize* const size = status.add_tables();
      size->set_table(std::string(storage::TableName(static_cast<storage::Table>(table))));
      size->set_bytes(sizes[table]);
    }
  }

  std::function<uint64_t()> CertificateClock() const {
    if (trust_ == nullptr) return nullptr;
    return [this] { return trust_->certificate_until_millis(); };
  }

  static void SetServing(grpc::Server& server) {
    server.GetHealthCheckService()->SetServingStatus(true);
    for (const char* service : {v1::RecordService::service_full_name(),
                                v1::StatusService::service_full_name(),
                                v1::SyncService::service_full_name(),
                                v1::AdminService::service_full_name(),
                                v1::SiteService::service_full_name(),
                                v1::TrustService::service_full_name(),
                                v1::AuditService::service_full_name(),
                                v1::QuarantineService::service_full_name()}) {
      server.GetHealthCheckService()->SetServingStatus(service, true);
    }
  }

  NodePorts ports_;
  MachineDisk machine_disk_;
  MachineClock clock_;
  MachineRandom random_;
  std::unique_ptr<Lease> lease_;
  std::unique_ptr<AuditTrail> audit_;
  // As the audit log knows it.
  uint64_t noted_incarnation_ = 0;
  // Null: of no network.
  std::unique_ptr<SiteTrust> trust_;
  std::unique_ptr<storage::RocksStore> store_;
  std::unique_ptr<const replication::SubjectKeys> personal_keys_;
  // What everybody but the disk's own care goes through.
  std::unique_ptr<replication::SealedStore> sealed_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Recovery> recovery_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<PeerHub> hub_;
  std::unique_ptr<RecordService> record_service_;
  std::unique_ptr<StatusService> status_service_;
  std::unique_ptr<SiteReporter> reporter_;
  // Asks the status service.
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ServiceManager> service_;
  std::unique_ptr<SyncService> sync_service_;
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<SiteService> site_service_;
  std::unique_ptr<TrustService> trust_service_;
  std::unique_ptr<AuditService> audit_service_;
  std::unique_ptr<QuarantineService> quarantine_service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::Server> local_server_;
  std::unique_ptr<LocalSocket> local_socket_;
  std::string address_;
  bool shut_down_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::Start(const Config& config, const NodePorts& ports) {
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  auto node = std::make_unique<RunningNode>(ports);
  if (absl::Status status = node->Open(config); !status.ok()) return status;
  if (absl::Status status = node->Serve(config); !status.ok()) return status;
  return node;
}

}  // namespace maillage::server
