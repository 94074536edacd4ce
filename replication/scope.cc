#include "replication/scope.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/absl_view.h"
#include "proto/quote.h"
#include "replication/record_state.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

constexpr absl::string_view kAll = "*";
constexpr absl::string_view kNone = "-";

template <typename Element>
std::optional<std::set<Element>> Common(const std::optional<std::set<Element>>& a,
                                        const std::optional<std::set<Element>>& b) {
  if (!a.has_value()) return b;
  if (!b.has_value()) return a;
  std::set<Element> both;
  std::set_intersection(a->begin(), a->end(), b->begin(), b->end(), std::inserter(both, both.end()));
  return both;
}

template <typename Element>
bool ContainsAll(const std::optional<std::set<Element>>& a, const std::optional<std::set<Element>>& b) {
  if (!a.has_value()) return true;
  return b.has_value() && std::includes(a->begin(), a->end(), b->begin(), b->end());
}

template <typename Element>
std::string ListText(const std::optional<std::set<Element>>& list) {
  if (!list.has_value()) return std::string(kAll);
  return list->empty() ? std::string(kNone) : absl::StrJoin(*list, ",");
}

absl::Status NoScope(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quote(text), " n'est pas une étendue : donnez des départements (73,74), ou * pour tout"));
}

}  // namespace

absl::StatusOr<Scope> Scope::Parse(std::string_view text) {
  Scope scope;
  if (text.empty()) return scope;
  if (text.size() > kMaxValueBytes) return NoScope(text);
  const std::vector<absl::string_view> parts = absl::StrSplit(ToAbsl(text), '|');
  if (parts.size() > 2) return NoScope(text);
  if (parts[0] != kAll) scope.territories_.emplace();
  if (parts[0] != kAll && parts[0] != kNone) {
    for (const absl::string_view territory : absl::StrSplit(parts[0], ',')) {
      if (!IsTerritory(ToStd(territory))) return NoScope(text);
      scope.territories_->emplace(territory);
    }
  }
  if (parts.size() == 1 || parts[1] == kAll) return scope;
  scope.kinds_.emplace();
  if (parts[1] == kNone) return scope;
  for (const absl::string_view kind : absl::StrSplit(parts[1], ',')) {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(kind, &number) || number == 0 || number > UINT16_MAX) return NoScope(text);
    scope.kinds_->insert(static_cast<uint16_t>(number));
  }
  return scope;
}

std::string Scope::ToText() const {
  std::string text = ListText(territories_);
  if (kinds_.has_value()) absl::StrAppend(&text, "|", ListText(kinds_));
  return text;
}

bool Scope::Holds(const storage::PartitionKey& partition) const {
  // Whoever holds records holds the stubs that these refer to.
  const auto kind = static_cast<uint16_t>(partition.kind & ~storage::kStubPartition);
  if (kind == kSiteKind) return true;
  if (kinds_.has_value() && !kinds_->contains(kind)) return false;
  return partition.territory.empty() || !territories_.has_value() || territories_->contains(partition.territory);
}

bool Scope::HoldsAny(uint16_t kind, const std::vector<std::string>& territories) const {
  if (territories.empty()) return Holds({kind, ""});
  return std::any_of(territories.begin(), territories.end(),
                     [&](const std::string& territory) { return Holds({kind, territory}); });
}

bool Scope::Contains(const Scope& other) const {
  return ContainsAll(territories_, other.territories_) && ContainsAll(kinds_, other.kinds_);
}

Scope Scope::Intersect(const Scope& other) const {
  Scope both;
  both.territories_ = Common(territories_, other.territories_);
  both.kinds_ = Common(kinds_, other.kinds_);
  return both;
}

}  // namespace maillage::replication
