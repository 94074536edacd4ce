#include "server/query/filter.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/stubs/logging.h"
#include "proto/merge.pb.h"
#include "proto/quote.h"
#include "server/query/condition.h"
#include "server/query/field_path.h"
#include "server/query/filter_syntax.h"

namespace maillage {

using google::protobuf::Descriptor;
using google::protobuf::Message;

struct Filter::Node {
  enum class Kind { kAll, kAny, kNone, kCondition };

  // Of the operands, all match, any does, or none.
  Kind kind = Kind::kAll;
  std::vector<Node> operands;
  std::optional<Condition> condition;

  bool Matches(const Message& message) const {
    const auto matches = [&](const Node& node) { return node.Matches(message); };
    switch (kind) {
      case Kind::kAll:
        return std::all_of(operands.begin(), operands.end(), matches);
      case Kind::kAny:
        return std::any_of(operands.begin(), operands.end(), matches);
      case Kind::kNone:
        return std::none_of(operands.begin(), operands.end(), matches);
      case Kind::kCondition:
        return condition->Matches(message);
    }
    return false;
  }
};

namespace {

// Gives a syntax tree its meaning for one kind.
class Binder {
 public:
  Binder(std::string_view filter, const Descriptor* kind) : filter_(filter), kind_(kind) {}

  absl::StatusOr<Filter::Node> Bind(const FilterSyntax& syntax) const {
    switch (syntax.kind) {
      case FilterSyntax::Kind::kAnd:
        return BindGroup(Filter::Node::Kind::kAll, syntax);
      case FilterSyntax::Kind::kOr:
        return BindGroup(Filter::Node::Kind::kAny, syntax);
      case FilterSyntax::Kind::kNot:
        return BindGroup(Filter::Node::Kind::kNone, syntax);
      case FilterSyntax::Kind::kLiteral:
        return BindLiteral(syntax.literal);
      case FilterSyntax::Kind::kRestriction:
        return BindRestriction(syntax);
    }
    return absl::InternalError("syntax of no kind");
  }

 private:
  absl::StatusOr<Filter::Node> BindGroup(Filter::Node::Kind kind,
                                         const FilterSyntax& syntax) const {
    Filter::Node group;
    group.kind = kind;
    for (const FilterSyntax& operand : syntax.operands) {
      absl::StatusOr<Filter::Node> node = Bind(operand);
      if (!node.ok()) return node;
      group.operands.push_back(*std::move(node));
    }
    return group;
  }

  // A word by itself is looked for in every searchable field. A lone * matches everything.
  absl::StatusOr<Filter::Node> BindLiteral(const FilterLiteral& literal) const {
    Filter::Node any;
    if (literal.IsAny()) return any;
    any.kind = Filter::Node::Kind::kAny;
    for (int i = 0; i < kind_->field_count(); ++i) {
      if (!kind_->field(i)->options().GetExtension(v1::searchable)) continue;
      absl::StatusOr<Filter::Node> node =
          BindCondition({kind_->field(i)}, FilterComparator::kHas, literal);
      if (!node.ok()) return node;
      any.operands.push_back(*std::move(node));
    }
    if (any.operands.empty()) {
      return FilterError(filter_, literal.position,
                         Quote(kind_->name()) +
                             " n'a pas de champ où chercher un mot seul\u00A0; écrire champ:mot");
    }
    return any;
  }

  absl::StatusOr<Filter::Node> BindRestriction(const FilterSyntax& syntax) const {
    FieldPathError error;
    const FieldPath path = ResolveFieldPath(syntax.path, kind_, &error);
    if (path.empty()) {
      return FilterError(filter_, syntax.position + error.position, error.message);
    }
    return BindCondition(path, syntax.comparator, syntax.literal);
  }

  absl::StatusOr<Filter::Node> BindCondition(const FieldPath& path, FilterComparator comparator,
                                             const FilterLiteral& literal) const {
    absl::StatusOr<Condition> condition = Condition::Make(path, comparator, literal);
    if (!condition.ok()) {
      return FilterError(filter_, literal.position, std::string(condition.status().message()));
    }
    Filter::Node node;
    node.kind = Filter::Node::Kind::kCondition;
    node.condition = *std::move(condition);
    return node;
  }

  const std::string_view filter_;
  const Descriptor* kind_;
};

}  // namespace

bool Filter::Matches(const Message& message) const {
  if (root_ == nullptr) return true;
  GOOGLE_CHECK_EQ(message.GetDescriptor(), kind_);
  return root_->Matches(message);
}

absl::StatusOr<Filter> ParseFilter(std::string_view text, const Descriptor* kind) {
  const absl::StatusOr<FilterSyntax> syntax = ParseFilterSyntax(text);
  if (!syntax.ok()) return syntax.status();
  if (syntax->kind == FilterSyntax::Kind::kAnd && syntax->operands.empty()) return Filter();
  absl::StatusOr<Filter::Node> root = Binder(text, kind).Bind(*syntax);
  if (!root.ok()) return root.status();
  return Filter(std::make_shared<const Filter::Node>(*std::move(root)), kind);
}

}  // namespace maillage
