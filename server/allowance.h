// What one site may cost this node in the long run: a token bucket.
#ifndef MAILLAGE_SERVER_ALLOWANCE_H_
#define MAILLAGE_SERVER_ALLOWANCE_H_

#include <algorithm>
#include <cstdint>

namespace maillage::server {

// Not thread-safe. `burst` at once, and `per_second` for ever.
class Allowance {
 public:
  Allowance(double per_second, double burst) : per_second_(per_second), burst_(burst), left_(burst) {}

  void Spend(double amount, uint64_t now_millis) {
    Refill(now_millis);
    left_ -= amount;
  }
  // How long whoever spends has to wait; 0: not at all.
  uint64_t WaitMillis(uint64_t now_millis) {
    Refill(now_millis);
    return left_ >= 0 ? 0 : static_cast<uint64_t>(-left_ / per_second_ * 1'000) + 1;
  }

 private:
  // A clock that is set back gives nothing, and takes nothing.
  void Refill(uint64_t now_millis) {
    const uint64_t passed = now_millis > last_millis_ && last_millis_ > 0 ? now_millis - last_millis_ : 0;
    left_ = std::min(burst_, left_ + per_second_ * static_cast<double>(passed) / 1'000);
    last_millis_ = now_millis;
  }

  const double per_second_;
  const double burst_;
  double left_;
  uint64_t last_millis_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_ALLOWANCE_H_
