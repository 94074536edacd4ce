// When what lies at a position of the feed was saved here: for who asks how old the oldest unsent change is.
#ifndef MAILLAGE_SERVER_FEED_TIMES_H_
#define MAILLAGE_SERVER_FEED_TIMES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace maillage::server {

// Remembers heads of the feed as they grew, at most kMost of them: where there are more, every second of the older ones is
// forgotten, and ages are told too young by so much. Not thread-safe.
class FeedTimes {
 public:
  // `head` at the start: what lies up to there was saved at a time that isn't known.
  explicit FeedTimes(uint64_t head) : begin_(head) {}

  // After each commit that changed records.
  void Note(uint64_t head, uint64_t now_millis) {
    const uint64_t last = growths_.empty() ? begin_ : growths_.back().head;
    if (head <= last) return;
    growths_.push_back({head, now_millis});
    if (growths_.size() > kMost) Thin();
  }

  // When the first entry behind `position` was saved; nothing where that was before the start, or there is none.
  std::optional<uint64_t> SavedAfter(uint64_t position) const {
    if (position < begin_) return std::nullopt;
    for (const Growth& growth : growths_) {
      if (growth.head > position) return growth.millis;
    }
    return std::nullopt;
  }

  static constexpr size_t kMost = 4096;

 private:
  struct Growth {
    uint64_t head = 0;
    uint64_t millis = 0;
  };

  void Thin() {
    std::deque<Growth> kept;
    for (size_t i = 0; i < growths_.size(); ++i) {
      const bool is_recent = i >= growths_.size() / 2;
      if (is_recent || i % 2 == 1) kept.push_back(growths_[i]);
    }
    growths_ = std::move(kept);
  }

  const uint64_t begin_;
  std::deque<Growth> growths_;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_FEED_TIMES_H_
