#include "server/admin_service.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "replication/byte_codec.h"
#include "replication/repair.h"
#include "replication/scrub.h"
#include "server/backup.h"
#include "server/bundle_jobs.h"
#include "server/grpc_status.h"
#include "server/job_reactor.h"
#include "server/personal_keys.h"
#include "storage/keys.h"
#include "spdlog/spdlog.h"

namespace maillage::server {
namespace {

void FillReport(const replication::Schema& schema, const replication::ScrubReport& report, v1::ScrubReport& out) {
  out.set_damaged(report.damaged());
  out.set_records(report.records);
  out.set_waiting_records(report.waiting);
  for (size_t table = 0; table < storage::kTableCount; ++table) {
    v1::TableReport* row = out.add_tables();
    row->set_table(std::string(TableName(static_cast<storage::Table>(table))));
    row->set_checked(report.tables[table].checked);
    row->set_damaged(report.tables[table].damaged);
  }
  for (const replication::ScrubFinding& finding : report.findings) {
    v1::Finding* row = out.add_findings();
    row->set_table(std::string(TableName(finding.table)));
    row->set_key(absl::BytesToHexString(finding.key));
    row->set_what(finding.what);
    if (!finding.record.has_value()) continue;
    const replication::KindSchema* kind = schema.FindKind(finding.record->kind);
    row->set_record(absl::StrCat(kind != nullptr ? kind->name : absl::StrFormat("kind-%d", finding.record->kind), "/",
                                 FormatUuid(finding.record->id)));
  }
}

grpc::Status Busy() {
  return {grpc::StatusCode::ABORTED,
          "une sauvegarde, un examen ou un lot est déjà en cours sur ce nœud, ou il s'arrête ; réessayez ensuite"};
}

}  // namespace

AdminService::AdminService(Writer* writer, storage::RocksStore* disk_store, const storage::Store* store, Disk* disk,
                           replication::WallClock* clock, const replication::Schema* schema, Facts facts, std::function<void()> repaired)
    : writer_(writer),
      disk_store_(disk_store),
      store_(store),
      disk_(disk),
      clock_(clock),
      schema_(schema),
      facts_(std::move(facts)),
      repaired_(std::move(repaired)),
      thread_([this] { Loop(); }) {}

AdminService::~AdminService() { Shutdown(); }

void AdminService::Shutdown() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  {
    const std::lock_guard lock(mutex_);
    if (interrupt_) interrupt_();
  }
  if (thread_.joinable()) thread_.join();
}

void AdminService::Loop() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || job_; });
      // A job that was taken has a caller who waits for its end.
      if (!job_) return;
      job = std::exchange(job_, nullptr);
    }
    job();
  }
}

bool AdminService::Take(Job job, std::function<void()> interrupt) {
  {
    std::lock_guard lock(mutex_);
    if (busy_ || stopping_) return false;
    busy_ = true;
    job_ = std::move(job);
    interrupt_ = std::move(interrupt);
  }
  wake_.notify_all();
  return true;
}

void AdminService::Release() {
  const std::lock_guard lock(mutex_);
  interrupt_ = nullptr;
  busy_ = false;
}

bool AdminService::stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void AdminService::Note(const std::string& person, const char* action, const std::string& subject,
                        const absl::Status& outcome) const {
  if (facts_.audit == nullptr) return;
  facts_.audit->Note(person, action, subject, outcome.ok() ? "" : absl::StrCat("sans succès : ", outcome.message()));
}

grpc::ServerWriteReactor<v1::BackupProgress>* AdminService::Backup(grpc::CallbackServerContext*,
                                                                   const v1::BackupRequest* request) {
  auto* const reactor = new JobReactor<v1::BackupProgress>;
  const std::string folder = request->folder();
  const bool taken = Take([this, reactor, folder, person = request->person()] {
    const absl::Status made = MakeBackup(folder, [this, reactor](v1::BackupProgress progress) {
      return !stopping() && reactor->Tell(std::move(progress));
    });
    spdlog::log(made.ok() ? spdlog::level::info : spdlog::level::warn, "backup folder={} outcome=\"{}\"", folder,
                made.ok() ? "ok" : std::string(made.message()));
    Note(person, "backup", folder, made);
    Release();
    reactor->End(ToGrpcStatus(made));
  });
  if (!taken) reactor->End(Busy());
  return reactor;
}

absl::Status AdminService::MakeBackup(const std::string& folder,
                                      const std::function<bool(v1::BackupProgress)>& tell) {
  // What is copied is what the node has: it must not be a copy of damage.
  if (absl::Status whole = disk_store_->VerifyFiles(); !whole.ok()) return whole;
  BackupSource source{facts_.data, disk_, facts_.reserve_bytes, facts_.personal_keys, nullptr};
  source.checkpoint = [this](const std::filesystem::path& copy) -> absl::StatusOr<BackupManifest> {
    BackupManifest manifest;
    absl::Status copied;
    // Between two batches, so that copy and description are of one moment. It costs one flush and hard links.
    std::promise<void> done;
    writer_->Post([](replication::Replica&) {}, [&](const absl::Status& status) {
      copied = status.ok() ? disk_store_->Checkpoint(copy.string()) : status;
      if (copied.ok()) manifest = Describe(writer_->replica());
      done.set_value();
    });
    done.get_future().wait();
    if (!copied.ok()) return copied;
    return manifest;
  };
  const auto manifest = server::MakeBackup(source, folder, [&](uint64_t done, uint64_t total) {
    v1::BackupProgress progress;
    progress.set_bytes_done(done);
    progress.set_bytes_total(total);
    return tell(std::move(progress));
  });
  if (!manifest.ok()) return manifest.status();
  NoteBackup(manifest->time_millis);
  v1::BackupProgress last;
  last.set_bytes_done(manifest->bytes());
  last.set_bytes_total(manifest->bytes());
  last.mutable_summary()->set_folder(folder);
  last.mutable_summary()->set_files(manifest->files.size());
  last.mutable_summary()->set_bytes(manifest->bytes());
  last.mutable_summary()->set_feed_head(manifest->feed_head);
  last.mutable_summary()->set_root(manifest->root);
  last.mutable_summary()->set_personal_keys_file(PersonalKeysBeside(folder, manifest->personal_keys).string());
  tell(std::move(last));
  return absl::OkStatus();
}

grpc::ServerWriteReactor<v1::ScrubProgress>* AdminService::Scrub(grpc::CallbackServerContext*,
                                                                 const v1::ScrubRequest* request) {
  auto* const reactor = new JobReactor<v1::ScrubProgress>;
  const bool taken = Take([this, reactor, repair = request->repair(), person = request->person()] {
    const auto tell = [this, reactor](v1::ScrubProgress progress) {
      return !stopping() && reactor->Tell(std::move(progress));
    };
    const absl::Status examined = repair ? Repair(tell) : Examine(tell);
    if (repair) Note(person, "repair", facts_.site, examined);
    Release();
    reactor->End(ToGrpcStatus(examined));
  });
  if (!taken) reactor->End(Busy());
  return reactor;
}

grpc::ServerWriteReactor<v1::BundlePart>* AdminService::ExportBundle(grpc::CallbackServerContext*,
                                                                     const v1::ExportBundleRequest* request) {
  auto* const reactor = new JobReactor<v1::BundlePart>;
  const bool taken = Take(
      [this, reactor, request = *request] {
        const absl::Status made =
            server::ExportBundle(*writer_, *schema_, facts_.site, request,
                                 [reactor](v1::BundlePart part) { return reactor->Send(std::move(part)); });
        spdlog::info("bundle exported receiver=\"{}\" outcome=\"{}\"", request.receiver(),
                     made.ok() ? "ok" : std::string(made.message()));
        const bool snapshot = request.receiver().empty();
        Note(request.person(), snapshot ? "snapshot" : "bundle-export", snapshot ? request.scope() : request.receiver(), made);
        Release();
        reactor->End(ToGrpcStatus(made));
      },
      [reactor] { reactor->Abandon(); });
  if (!taken) reactor->End(Busy());
  return reactor;
}

grpc::ServerBidiReactor<v1::BundlePart, v1::ImportBundleProgress>* AdminService::ImportBundle(
    grpc::CallbackServerContext*) {
  auto* const reactor = new ReadingJobReactor<v1::BundlePart, v1::ImportBundleProgress>;
  reactor->BeginReading();
  const bool taken = Take(
      [this, reactor] {
        std::string person;
        const auto read = [reactor, &person]() -> std::optional<std::string> {
          std::optional<v1::BundlePart> part = reactor->Receive();
          if (!part.has_value()) return std::nullopt;
          if (!part->person().empty()) person = part->person();
          return std::move(*part->mutable_data());
        };
        const absl::Status taken_in = server::ImportBundle(
            *writer_, *schema_, facts_.site, read,
            [reactor](v1::ImportBundleProgress progress) { return reactor->Send(std::move(progress)); });
        spdlog::log(taken_in.ok() ? spdlog::level::info : spdlog::level::warn, "bundle imported outcome=\"{}\"",
                    taken_in.ok() ? "ok" : std::string(taken_in.message()));
        Note(person, "bundle-import", facts_.site, taken_in);
        Release();
        reactor->End(ToGrpcStatus(taken_in));
      },
      [reactor] { reactor->Abandon(); });
  if (!taken) reactor->End(Busy());
  return reactor;
}

replication::ScrubProgress AdminService::TellRows(const std::function<bool(v1::ScrubProgress)>& tell) const {
  return [&tell, total = disk_store_->ApproximateRows()](uint64_t rows) {
    v1::ScrubProgress progress;
    progress.set_rows_done(rows);
    progress.set_rows_total(std::max(rows, total));
    return tell(std::move(progress));
  };
}

absl::Status AdminService::Examine(const std::function<bool(v1::ScrubProgress)>& tell) {
  // Before the view: whoever holds one must not enter the store again.
  const replication::ScrubProgress progress = TellRows(tell);
  const std::unique_ptr<storage::ReadView> view = store_->Snapshot();
  const auto report = replication::Scrub(*view, schema_, progress);
  if (!report.ok()) return report.status();
  v1::ScrubProgress last;
  FillReport(*schema_, *report, *last.mutable_report());
  const uint64_t damaged = report->damaged();
  spdlog::log(damaged == 0 ? spdlog::level::info : spdlog::level::critical, "store examined records={} damaged={}",
              report->records, damaged);
  tell(std::move(last));
  return absl::OkStatus();
}

absl::Status AdminService::Repair(const std::function<bool(v1::ScrubProgress)>& tell) {
  const replication::Exclusively exclusively = [this](const std::function<absl::Status(replication::Replica&)>& step) {
    absl::Status done;
    const absl::Status committed = writer_->Run([&](replication::Replica& replica) {
      done = writer_->MayWrite();
      if (done.ok()) done = step(replica);
    });
    return done.ok() ? committed : done;
  };
  const auto report = replication::Repair(*store_, schema_, exclusively, TellRows(tell));
  writer_->Run([this](replication::Replica&) { repaired_(); }).IgnoreError();
  if (!report.ok()) return report.status();
  v1::ScrubProgress last;
  FillReport(*schema_, report->after, *last.mutable_report());
  v1::RepairSummary& summary = *last.mutable_repair();
  FillReport(*schema_, report->before, *summary.mutable_before());
  const replication::RepairTally& tally = report->done;
  summary.set_derived_rows(tally.derived_rows);
  summary.set_history_rows(tally.history_rows);
  summary.set_rebuilt_records(tally.rebuilt);
  summary.set_given_up_records(tally.given_up);
  summary.set_other_rows(tally.other_rows);
  summary.set_new_incarnation(tally.renewed);
  spdlog::critical("store repaired found={} remains={} rebuilt={} given_up={} waiting={} derived_rows={} history_rows={} "
                   "new_incarnation={}",
                   report->before.damaged(), report->after.damaged(), tally.rebuilt, tally.given_up,
                   report->after.waiting, tally.derived_rows, tally.history_rows, tally.renewed);
  tell(std::move(last));
  return absl::OkStatus();
}

void AdminService::NoteBackup(uint64_t time_millis) {
  std::string row;
  replication::ByteWriter(&row).Fixed64(time_millis);
  const absl::Status noted =
      writer_->Run([&](replication::Replica& replica) { replica.PutMeta(std::string(storage::kBackupKey), row); });
  // The copy is whole all the same.
  if (!noted.ok()) spdlog::warn("time of the backup not kept error=\"{}\"", noted.ToString());
}

BackupManifest AdminService::Describe(const replication::Replica& replica) const {
  BackupManifest manifest;
  manifest.site = facts_.site;
  manifest.site_id = FormatSiteId(replica.identity().site);
  manifest.incarnation = absl::StrFormat("%016x", replica.identity().incarnation);
  manifest.root = absl::BytesToHexString(replica.tree().Digest());
  manifest.time_millis = clock_->NowMillis();
  manifest.feed_head = replica.progress().feed_head;
  for (const auto& [number, counts] : replica.progress().kinds) {
    const replication::KindSchema* kind = schema_->FindKind(number);
    manifest.kinds[kind != nullptr ? kind->name : absl::StrFormat("kind-%d", number)] = {counts.alive,
                                                                                       counts.deleted};
  }
  return manifest;
}

}  // namespace maillage::server
