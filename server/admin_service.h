// The gRPC adapter of AdminService: long jobs on a thread of their own, one at a time, which tell how far they are.
#ifndef MAILLAGE_SERVER_ADMIN_SERVICE_H_
#define MAILLAGE_SERVER_ADMIN_SERVICE_H_

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "proto/admin_service.grpc.pb.h"
#include "replication/ports.h"
#include "replication/schema.h"
#include "replication/scrub.h"
#include "server/audit_trail.h"
#include "server/backup_files.h"
#include "replication/subject_keys.h"
#include "server/disk.h"
#include "server/writer.h"
#include "storage/rocks_store.h"

namespace maillage::server {

// Thread-safe.
class AdminService final : public v1::AdminService::CallbackService {
 public:
  struct Facts {
    std::string site;
    std::filesystem::path data;
    uint64_t reserve_bytes = 0;
    // Must outlive the service.
    const AuditTrail* audit = nullptr;
    // Must outlive it as well.
    const replication::SubjectKeys* personal_keys = nullptr;
  };

  // All pointers must outlive the service. `store` is what the replica reads, `disk_store` what is below it. `repaired` is called on the writer's thread once a repair has ended.
  AdminService(Writer* writer, storage::RocksStore* disk_store, const storage::Store* store, Disk* disk,
               replication::WallClock* clock, const replication::Schema* schema, Facts facts, std::function<void()> repaired);
  // Shuts down.
  ~AdminService() override;

  grpc::ServerWriteReactor<v1::BackupProgress>* Backup(grpc::CallbackServerContext* context,
                                                       const v1::BackupRequest* request) override;
  grpc::ServerWriteReactor<v1::ScrubProgress>* Scrub(grpc::CallbackServerContext* context,
                                                     const v1::ScrubRequest* request) override;

  grpc::ServerWriteReactor<v1::BundlePart>* ExportBundle(grpc::CallbackServerContext* context,
                                                         const v1::ExportBundleRequest* request) override;
  grpc::ServerBidiReactor<v1::BundlePart, v1::ImportBundleProgress>* ImportBundle(
      grpc::CallbackServerContext* context) override;

  // Stops the job under way, waits for its end, and takes no more. Idempotent.
  void Shutdown();

 private:
  using Job = std::function<void()>;

  void Loop();
  // False where a job runs already, or the node stops. `interrupt` ends what the job may be waiting for; called on another
  // thread, while the job runs.
  bool Take(Job job, std::function<void()> interrupt = nullptr);
  // By each job before it answers: its caller may ask for the next one at once, and what `interrupt` touches may go.
  void Release();
  bool stopping() const;
  // In the audit log: what was asked for, and how it ended.
  void Note(const std::string& person, const char* action, const std::string& subject, const absl::Status& outcome) const;
  // For whoever asks how old the last backup is.
  void NoteBackup(uint64_t time_millis);
  BackupManifest Describe(const replication::Replica& replica) const;
  // How far the reading of the store is. `tell` must outlive it.
  replication::ScrubProgress TellRows(const std::function<bool(v1::ScrubProgress)>& tell) const;
  absl::Status Examine(const std::function<bool(v1::ScrubProgress)>& tell);
  absl::Status Repair(const std::function<bool(v1::ScrubProgress)>& tell);
  absl::Status MakeBackup(const std::string& folder, const std::function<bool(v1::BackupProgress)>& tell);

  Writer* const writer_;
  storage::RocksStore* const disk_store_;
  const storage::Store* const store_;
  Disk* const disk_;
  replication::WallClock* const clock_;
  const replication::Schema* const schema_;
  const Facts facts_;
  const std::function<void()> repaired_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Job job_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> interrupt_ ABSL_GUARDED_BY(mutex_);
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_ADMIN_SERVICE_H_
