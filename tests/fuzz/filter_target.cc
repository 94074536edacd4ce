// Filters and orders of lists (server/query/): a byte chooses the kind, then the filter, 0x1f, and the order.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "server/query/filter.h"
#include "server/query/filter_syntax.h"
#include "server/query/limits.h"
#include "server/query/order.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

// An empty record and a full one, of each kind.
const std::vector<std::unique_ptr<Message>>& Samples(uint8_t choice) {
  static const auto* const samples = [] {
    auto* all = new std::vector<std::unique_ptr<Message>>[3];
    auto actor = std::make_unique<v1::Actor>();
    actor->set_name("Fédération de l'Œuvre");
    actor->set_department("73");
    actor->mutable_location()->set_latitude(45.5);
    actor->add_network_roles(v1::RELAY);
    actor->set_population(0);
    actor->set_last_verified("2021-02");
    all[0].push_back(std::make_unique<v1::Actor>());
    all[0].push_back(std::move(actor));
    auto project = std::make_unique<v1::Project>();
    project->set_title("Eau");
    project->add_countries("ML");
    project->mutable_budget()->set_minor_units(-1250);
    project->add_partners()->mutable_party()->set_text("Pays de Savoie");
    all[1].push_back(std::make_unique<v1::Project>());
    all[1].push_back(std::move(project));
    auto event = std::make_unique<v1::Event>();
    event->set_title("Webinaire");
    event->add_dates("2021-02-01");
    event->set_participants(120);
    all[2].push_back(std::make_unique<v1::Event>());
    all[2].push_back(std::move(event));
    return all;
  }();
  return samples[choice % 3];
}

size_t Depth(const FilterSyntax& syntax) {
  size_t depth = 0;
  for (const FilterSyntax& operand : syntax.operands) depth = std::max(depth, Depth(operand));
  return depth + 1;
}

bool RequireFilter(const std::string& text, const std::vector<std::unique_ptr<Message>>& samples) {
  const Descriptor* kind = samples[0]->GetDescriptor();
  const auto filter = ParseFilter(text, kind);
  if (!filter.ok()) {
    RequireRefusal(filter.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  MAILLAGE_REQUIRE(text.size() <= kMaxFilterBytes);
  // Each parenthesis has a conjunction, a disjunction and a negation inside at most.
  MAILLAGE_REQUIRE(Depth(*ParseFilterSyntax(text)) <= 4 * (kMaxFilterDepth + 1));
  const auto negation = ParseFilter("NOT (" + text + ")", kind);
  for (const auto& sample : samples) {
    const bool matches = filter->Matches(*sample);
    MAILLAGE_REQUIRE(!filter->MatchesAll() || matches);
    if (negation.ok()) MAILLAGE_REQUIRE(negation->Matches(*sample) != matches);
  }
  return true;
}

bool RequireOrder(const std::string& text, const std::vector<std::unique_ptr<Message>>& samples) {
  const auto order = ParseOrderBy(text, samples[0]->GetDescriptor());
  if (!order.ok()) {
    RequireRefusal(order.status(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  for (const auto& left : samples) {
    MAILLAGE_REQUIRE(order->empty() == order->SortKey(*left).empty());
    for (const auto& right : samples) {
      const int compared = order->Compare(*left, *right);
      const int back = order->Compare(*right, *left);
      MAILLAGE_REQUIRE((compared < 0) == (back > 0) && (compared == 0) == (back == 0));
    }
  }
  return true;
}

}  // namespace

bool FuzzFilter(std::string_view bytes) {
  const auto& samples = Samples(TakeByte(bytes));
  const std::vector<std::string> units = SplitUnits(bytes);
  const bool filtered = RequireFilter(units[0], samples);
  const bool ordered = RequireOrder(units.size() > 1 ? units[1] : "", samples);
  return filtered && ordered;
}

}  // namespace maillage::fuzz
