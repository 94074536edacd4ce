// Stops writing before the disk is full or after it failed, and starts again by itself.
#ifndef MAILLAGE_SERVER_RECOVERY_H_
#define MAILLAGE_SERVER_RECOVERY_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "proto/status_service.pb.h"
#include "replication/ports.h"
#include "server/disk.h"
#include "server/writer.h"

namespace maillage::server {

// Lives on the writer's thread. Three states, told by NodeStatus:
//
//   WRITING               ── less than the reserve is free ──▶  READ_ONLY_DISK_FULL
//   READ_ONLY_DISK_FULL   ── twice the reserve is free ──────▶  WRITING
//   either                ── a commit failed ────────────────▶  READ_ONLY_STORE_ERROR (READ_ONLY_DISK_FULL if the disk
//                            said that it is full), and the store has to be opened again
//   the store to reopen   ── the disk has room and takes a probe, and `reopen` succeeds ──▶  WRITING
class Recovery final : public WriteGuard {
 public:
  struct Ports {
    replication::WallClock* clock = nullptr;
    Disk* disk = nullptr;
    // The folder that the store is in.
    std::filesystem::path folder;
    // Below this, nothing is written.
    uint64_t reserve_bytes = 0;
    // Opens the store again, and the replica on it; continuity is settled when it returns OK.
    std::function<absl::Status()> reopen;
    // Told at each change of state, after it.
    std::function<void()> changed;
  };

  explicit Recovery(Ports ports);

  // Looks at the disk where it is due. After a change of the clock of any size at most kMaxReopenMillis late.
  void BeforeBatch(size_t bytes_before) override;
  void OnCommitFailed(const absl::Status& error) override;
  absl::Status MayWrite() const override;

  // Whether what peers send is stored. False in both read-only states.
  bool writing() const { return state_ == v1::NodeStatus::WRITING; }
  // A commit failed, and nothing has been reopened since: sessions can't go on.
  bool store_failed() const { return store_failed_; }
  void Describe(v1::NodeStatus& status) const;

 private:
  void Look(uint64_t now);
  void TryReopen(uint64_t now);
  void StopForSpace(uint64_t now);
  void Resume(uint64_t now);
  void Enter(v1::NodeStatus::WriteState state, std::string reason, uint64_t now);
  void ReadFreeBytes();
  std::string FullText() const;

  const Ports ports_;
  v1::NodeStatus::WriteState state_ = v1::NodeStatus::WRITING;
  std::string reason_;
  uint64_t since_millis_ = 0;
  bool store_failed_ = false;
  uint64_t free_bytes_ = 0;
  uint64_t next_look_millis_ = 0;
  size_t bytes_since_look_ = 0;
  uint64_t next_reopen_millis_ = 0;
  uint64_t reopen_delay_millis_ = 0;
  uint64_t failed_commits_ = 0;
  uint64_t reopened_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECOVERY_H_
