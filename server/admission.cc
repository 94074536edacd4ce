#include "server/admission.h"

namespace maillage::server {

std::vector<uint64_t> Admission::Admit(uint64_t now_millis) {
  std::vector<uint64_t> admitted;
  while (!waiting_.empty() && progress_millis_.size() < places_) {
    admitted.push_back(waiting_.front());
    progress_millis_[waiting_.front()] = now_millis;
    waiting_.pop_front();
  }
  return admitted;
}

void Admission::NoteProgress(uint64_t link, uint64_t now_millis) {
  const auto found = progress_millis_.find(link);
  if (found != progress_millis_.end()) found->second = now_millis;
}

void Admission::Leave(uint64_t link) {
  if (progress_millis_.erase(link) == 0) std::erase(waiting_, link);
}

std::vector<uint64_t> Admission::Stalled(uint64_t now_millis, uint64_t patience_millis) const {
  std::vector<uint64_t> stalled;
  if (waiting_.empty()) return stalled;
  for (const auto& [link, progress] : progress_millis_) {
    // A clock that was set back makes nobody a laggard.
    if (now_millis > progress && now_millis - progress >= patience_millis) stalled.push_back(link);
  }
  return stalled;
}

}  // namespace maillage::server
