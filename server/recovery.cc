#include "server/recovery.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/peer_text.h"
#include "server/tuning.h"
#include "spdlog/spdlog.h"

namespace maillage::server {

using v1::NodeStatus;

namespace {

uint64_t Mebibytes(uint64_t bytes) { return bytes >> 20; }

// The wall clock may jump; nothing waits longer than it would have.
bool IsDue(uint64_t due, uint64_t now, uint64_t longest) { return now >= due || due - now > longest; }

}  // namespace

Recovery::Recovery(Ports ports) : ports_(std::move(ports)), since_millis_(ports_.clock->NowMillis()) {}

void Recovery::BeforeBatch(size_t bytes_before) {
  bytes_since_look_ += bytes_before;
  const uint64_t now = ports_.clock->NowMillis();
  const bool due = store_failed_ ? IsDue(next_reopen_millis_, now, kMaxReopenMillis)
                                 : IsDue(next_look_millis_, now, kDiskLookMillis);
  if (bytes_since_look_ < kDiskLookBytes && !due) return;
  bytes_since_look_ = 0;
  next_look_millis_ = now + kDiskLookMillis;
  Look(now);
}

void Recovery::ReadFreeBytes() {
  const absl::StatusOr<uint64_t> free = ports_.disk->FreeBytes(ports_.folder);
  // A file system that doesn't tell is no reason to stop: a commit will meet what is wrong.
  free_bytes_ = free.ok() ? *free : UINT64_MAX;
}

void Recovery::Look(uint64_t now) {
  ReadFreeBytes();
  if (store_failed_) {
    TryReopen(now);
  } else if (writing()) {
    if (free_bytes_ < ports_.reserve_bytes) StopForSpace(now);
  } else if (free_bytes_ >= 2 * ports_.reserve_bytes) {
    Resume(now);
  }
}

std::string Recovery::FullText() const {
  return absl::StrCat("le disque est presque plein : ", Mebibytes(free_bytes_), " Mio libres, et il en faut ",
                      Mebibytes(2 * ports_.reserve_bytes),
                      " pour écrire ; libérez de la place sur le disque de « ", ports_.folder.string(),
                      " », l'écriture reprendra d'elle-même");
}

void Recovery::StopForSpace(uint64_t now) { Enter(NodeStatus::READ_ONLY_DISK_FULL, FullText(), now); }

void Recovery::Resume(uint64_t now) { Enter(NodeStatus::WRITING, "", now); }

void Recovery::OnCommitFailed(const absl::Status& error) {
  const uint64_t now = ports_.clock->NowMillis();
  ++failed_commits_;
  store_failed_ = true;
  reopen_delay_millis_ = kFirstReopenMillis;
  next_reopen_millis_ = now + reopen_delay_millis_;
  const bool full = absl::IsResourceExhausted(error);
  Enter(full ? NodeStatus::READ_ONLY_DISK_FULL : NodeStatus::READ_ONLY_STORE_ERROR,
        absl::StrCat("une écriture a échoué, le nœud rouvre sa base dès que le disque répond : ",
                     std::string(error.message())),
        now);
}

void Recovery::TryReopen(uint64_t now) {
  absl::Status status;
  if (free_bytes_ < 2 * ports_.reserve_bytes) {
    status = absl::ResourceExhaustedError(FullText());
  } else {
    status = ports_.disk->TryWrite(ports_.folder);
  }
  if (status.ok()) status = ports_.reopen();
  if (status.ok()) {
    store_failed_ = false;
    ++reopened_;
    return Resume(now);
  }
  reopen_delay_millis_ = std::min(2 * reopen_delay_millis_, kMaxReopenMillis);
  next_reopen_millis_ = now + reopen_delay_millis_;
  reason_ = absl::StrCat("une écriture a échoué, et le disque ne répond pas encore bien : ",
                         std::string(status.message()), " ; prochain essai dans ",
                         reopen_delay_millis_ / 1000, " s");
  spdlog::warn("store not reopened next_try_ms={} error=\"{}\"", reopen_delay_millis_, status.ToString());
}

void Recovery::Enter(NodeStatus::WriteState state, std::string reason, uint64_t now) {
  state_ = state;
  reason_ = std::move(reason);
  since_millis_ = now;
  if (writing()) {
    spdlog::critical("writing resumed free_mib={} reopened={}", Mebibytes(free_bytes_), reopened_);
  } else {
    spdlog::critical("writing stopped state={} reason=\"{}\"", NodeStatus::WriteState_Name(state), reason_);
  }
  ports_.changed();
}

absl::Status Recovery::MayWrite() const {
  if (writing()) return absl::OkStatus();
  const std::string text = absl::StrCat("le nœud est en lecture seule, rien n'a été écrit : ", reason_);
  return state_ == NodeStatus::READ_ONLY_DISK_FULL ? absl::ResourceExhaustedError(text)
                                                   : absl::UnavailableError(text);
}

void Recovery::Describe(NodeStatus& status) const {
  status.set_write_state(state_);
  SetMillis(since_millis_, status.mutable_write_state_time());
  status.set_read_only_reason(reason_);
  status.set_free_disk_bytes(free_bytes_ == UINT64_MAX ? 0 : free_bytes_);
  status.set_failed_commits(failed_commits_);
  status.set_store_reopenings(reopened_);
}

}  // namespace maillage::server
