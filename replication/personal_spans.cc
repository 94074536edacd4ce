#include "replication/personal_spans.h"

#include <algorithm>

#include "proto/change.pb.h"
#include "replication/feed_entry.h"
#include "replication/message_fields.h"
#include "replication/state_codec.h"

namespace maillage::replication {
namespace {

class Spans {
 public:
  explicit Spans(std::string_view row) : row_(row) {}

  // `part` is a view into the row.
  void Add(std::string_view part) {
    if (!part.empty()) spans_.push_back({static_cast<size_t>(part.data() - row_.data()), part.size()});
  }
  std::vector<Span> Take() {
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.offset < b.offset; });
    return std::move(spans_);
  }

 private:
  const std::string_view row_;
  std::vector<Span> spans_;
};

void AddPersonal(std::string_view operation, Spans& spans) {
  bool personal = false;
  std::string_view key;
  std::string_view value;
  ForEachField(operation, [&](const MessageField& field) {
    if (field.number == v1::Operation::kPersonalFieldNumber) personal = field.varint != 0;
    if (field.number == v1::Operation::kKeyFieldNumber) key = field.content.value_or("");
    if (field.number == v1::Operation::kValueFieldNumber) value = field.content.value_or("");
    return true;
  });
  if (!personal) return;
  spans.Add(key);
  spans.Add(value);
}

}  // namespace

std::vector<Span> PersonalInState(std::string_view state) {
  Spans spans(state);
  VisitPersonal(state, [&](std::string_view part) { spans.Add(part); });
  return spans.Take();
}

std::vector<Span> PersonalInFeedEntry(std::string_view entry) {
  Spans spans(entry);
  const absl::StatusOr<FeedEntry> decoded = DecodeFeedEntry(entry);
  if (!decoded.ok() || decoded->type != FeedEntry::Type::kChange) return {};
  ForEachField(entry.substr(entry.size() - decoded->change.size()), [&](const MessageField& field) {
    if (field.number == v1::Change::kOperationFieldNumber) AddPersonal(field.content.value_or(""), spans);
    return true;
  });
  return spans.Take();
}

}  // namespace maillage::replication
