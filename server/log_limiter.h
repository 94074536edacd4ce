// Keeps a flood of like events from filling the log.
#ifndef MAILLAGE_SERVER_LOG_LIMITER_H_
#define MAILLAGE_SERVER_LOG_LIMITER_H_

#include <cstdint>
#include <optional>

namespace maillage::server {

// Not thread-safe. At most `lines` lines in each period of `period_millis`.
class LogLimiter {
 public:
  LogLimiter(uint32_t lines, uint64_t period_millis) : lines_(lines), period_millis_(period_millis) {}

  // Whether to write this event, and how many before it were not written; nothing: not to be written.
  std::optional<uint64_t> Admit(uint64_t now_millis) {
    if (now_millis < begin_millis_ || now_millis - begin_millis_ >= period_millis_) {
      begin_millis_ = now_millis;
      written_ = 0;
    }
    if (written_ == lines_) {
      ++suppressed_;
      return std::nullopt;
    }
    ++written_;
    const uint64_t suppressed = suppressed_;
    suppressed_ = 0;
    return suppressed;
  }

 private:
  const uint32_t lines_;
  const uint64_t period_millis_;
  uint64_t begin_millis_ = 0;
  uint32_t written_ = 0;
  uint64_t suppressed_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_LOG_LIMITER_H_
