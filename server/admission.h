// Who of the sites that call in compares now, and who waits: in the order of their coming.
#ifndef MAILLAGE_SERVER_ADMISSION_H_
#define MAILLAGE_SERVER_ADMISSION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace maillage::server {

// Not thread-safe. A link holds a place from its admission until it leaves: because it agreed, ended or hung up.
class Admission {
 public:
  explicit Admission(size_t places) : places_(places) {}

  // Last in the queue. Each link once.
  void Arrive(uint64_t link) { waiting_.push_back(link); }
  // Those whose turn it is, which hold a place from now on.
  std::vector<uint64_t> Admit(uint64_t now_millis);
  // The link received or sent a frame. Nothing where it holds no place.
  void NoteProgress(uint64_t link, uint64_t now_millis);
  // Gives up its place, or its turn.
  void Leave(uint64_t link);
  // Those that hold a place without progress for `patience_millis`, while others wait for one.
  std::vector<uint64_t> Stalled(uint64_t now_millis, uint64_t patience_millis) const;

  size_t waiting() const { return waiting_.size(); }
  size_t admitted() const { return progress_millis_.size(); }

 private:
  const size_t places_;
  std::deque<uint64_t> waiting_;
  // When each that holds a place last made progress.
  std::map<uint64_t, uint64_t> progress_millis_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_ADMISSION_H_
