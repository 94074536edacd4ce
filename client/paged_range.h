// Lists that come in pages (AIP-158), read as one range.
#ifndef MAILLAGE_CLIENT_PAGED_RANGE_H_
#define MAILLAGE_CLIENT_PAGED_RANGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace maillage::client {

// DataLoss, in French: how many items of a list a node couldn't read, and what to do.
inline absl::Status UnreadableItems(int64_t count) {
  return absl::DataLossError(std::to_string(count) +
                             (count == 1 ? " fiche au moins manque à cette liste, endommagée"
                                         : " fiches au moins manquent à cette liste, endommagées") +
                             " sur le disque du nœud ; « maillage doctor » dit ce qu'il en est, « "
                             "maillage doctor --repair » répare");
}

// An input range of absl::StatusOr<T>. Pages are fetched as the walk reaches them, and an error is
// the last element: DataLoss after all that could be read, where the node left damaged records out.
// To be walked once, by one thread.
//
//   for (absl::StatusOr<Stored<v1::Actor>>& actor : client.List<v1::Actor>()) {
//     if (!actor.ok()) return actor.status();
//     …
//   }
template <typename T>
class PagedRange {
 public:
  struct Page {
    std::vector<T> items;
    // Empty on the last page.
    std::string next_page_token;
    // Items that the node left out because it can't read them; at least so many.
    int64_t unreadable = 0;
  };
  // The page at a token; the first page for an empty one.
  using Fetch = std::function<absl::StatusOr<Page>(const std::string& page_token)>;

  explicit PagedRange(Fetch fetch) : fetch_(std::move(fetch)) {}

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = absl::StatusOr<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = value_type*;
    using reference = value_type&;

    explicit Iterator(PagedRange* range) : range_(range) {}
    reference operator*() const { return *range_->current_; }
    pointer operator->() const { return &*range_->current_; }
    Iterator& operator++() {
      range_->Advance();
      return *this;
    }
    void operator++(int) { range_->Advance(); }
    bool operator==(std::default_sentinel_t) const { return !range_->current_.has_value(); }

   private:
    PagedRange* range_;
  };

  Iterator begin() {
    if (!started_) Advance();
    return Iterator(this);
  }
  std::default_sentinel_t end() { return std::default_sentinel; }

 private:
  void Advance() {
    current_.reset();
    while (next_ == page_.items.size()) {
      if (started_ && page_.next_page_token.empty()) return TellUnreadable();
      absl::StatusOr<Page> page = fetch_(page_.next_page_token);
      started_ = true;
      next_ = 0;
      page_ = {};
      if (!page.ok()) {
        current_.emplace(page.status());
        return;
      }
      page_ = *std::move(page);
      unreadable_ += page_.unreadable;
    }
    current_.emplace(std::move(page_.items[next_++]));
  }

  void TellUnreadable() {
    const int64_t count = std::exchange(unreadable_, 0);
    if (count > 0) current_.emplace(UnreadableItems(count));
  }

  Fetch fetch_;
  bool started_ = false;
  Page page_;
  size_t next_ = 0;
  int64_t unreadable_ = 0;
  std::optional<absl::StatusOr<T>> current_;
};

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_PAGED_RANGE_H_
