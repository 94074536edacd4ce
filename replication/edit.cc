#include "replication/edit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "replication/value_codec.h"

namespace maillage::replication {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Elements of a SET (with an empty value) or entries of a MAP, by the key of their cell.
using Elements = std::map<std::string, std::string>;

absl::StatusOr<Elements> ElementsOf(const FieldSchema& field, const Message& message) {
  Elements elements;
  const auto& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, field.descriptor);
  for (int i = 0; i < size; ++i) {
    std::string encoded = EncodeElement(message, *field.descriptor, i);
    if (field.rule == v1::SET) {
      if (encoded.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(field.descriptor->name(), "[", i, "] : élément vide"));
      }
      elements[std::move(encoded)] = "";
      continue;
    }
    const Message& entry = reflection.GetRepeatedMessage(message, field.descriptor, i);
    std::string key = IsSet(entry, *field.key) ? EncodeValue(entry, *field.key) : "";
    if (key.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(field.descriptor->name(), "[", i, "] : il manque ",
                                                     field.key->name()));
    }
    elements[std::move(key)] = std::move(encoded);
  }
  return elements;
}

class Planner {
 public:
  Planner(const RecordState& state, const VersionVector& context)
      : state_(state), context_(context) {}

  void PlanSingle(const FieldSchema& field, const Message& content) {
    const bool set = IsSet(content, *field.descriptor);
    const Cell* cell = state_.Find(Number(field));
    if (!set) {
      if (field.rule == v1::REGISTER) Remove(field, cell);
      return;
    }
    std::string value = EncodeValue(content, *field.descriptor);
    if (field.rule == v1::COUNTER) {
      PlanCounter(field, cell, value);
    } else if (field.rule == v1::MAX) {
      if (cell == nullptr || Winner(cell->versions).value < value) Put(field, "", std::move(value));
    } else if (!Holds(cell, value)) {
      Put(field, "", std::move(value));
    }
  }

  absl::Status PlanWhole(const FieldSchema& field, const Message& content) {
    absl::StatusOr<Elements> wanted = ElementsOf(field, content);
    if (!wanted.ok()) return wanted.status();
    const auto [begin, end] = state_.FieldCells(Number(field));
    for (const Cell* cell = begin; cell != end; ++cell) {
      if (wanted->find(cell->key) == wanted->end()) Remove(field, cell);
    }
    PutAll(field, *wanted);
    return absl::OkStatus();
  }

  absl::Status PlanAdditions(const FieldSchema& field, const Message& additions) {
    absl::StatusOr<Elements> wanted = ElementsOf(field, additions);
    if (!wanted.ok()) return wanted.status();
    PutAll(field, *wanted);
    return absl::OkStatus();
  }

  absl::Status PlanRemovals(const FieldSchema& field, const Message& removals) {
    absl::StatusOr<Elements> unwanted = ElementsOf(field, removals);
    if (!unwanted.ok()) return unwanted.status();
    for (const auto& [key, value] : *unwanted) Remove(field, state_.Find(Number(field), key));
    return absl::OkStatus();
  }

  std::vector<Operation> Take() {
    std::vector<Operation> operations;
    for (auto& [cell, operation] : operations_) operations.push_back(std::move(operation));
    return operations;
  }

 private:
  static uint32_t Number(const FieldSchema& field) {
    return static_cast<uint32_t>(field.descriptor->number());
  }

  // Nobody has to be told: the value is what readers see, and nothing else is beside it.
  static bool Holds(const Cell* cell, const std::string& value) {
    return cell != nullptr && Winner(cell->versions).value == value && OtherVersions(*cell).empty();
  }

  void PutAll(const FieldSchema& field, const Elements& elements) {
    for (const auto& [key, value] : elements) {
      if (Holds(state_.Find(Number(field), key), value)) {
        // The same edit may have planned its removal: what it asks for by name counts.
        operations_.erase({Number(field), key});
      } else {
        Put(field, key, value);
      }
    }
  }

  void PlanCounter(const FieldSchema& field, const Cell* cell, const std::string& value) {
    int64_t wanted = 0;
    const int64_t held = cell == nullptr ? 0 : CounterSum(*cell);
    if (absl::SimpleAtoi(value, &wanted) && wanted != held) {
      // Sums wrap around, as those of CounterSum do.
      const auto added = static_cast<uint64_t>(wanted) - static_cast<uint64_t>(held);
      Put(field, "", absl::StrCat(static_cast<int64_t>(added)));
    }
  }

  void Put(const FieldSchema& field, std::string key, std::string value) {
    const uint32_t number = Number(field);
    operations_[{number, key}] = {number, field.rule, key, std::move(value), field.territory,
                                  field.internal, field.personal};
  }

  void Remove(const FieldSchema& field, const Cell* cell) {
    if (cell == nullptr) return;
    const bool seen = std::any_of(cell->versions.begin(), cell->versions.end(),
                                  [this](const Version& v) { return context_.Covers(v.dot); });
    if (!seen) return;
    operations_[{cell->field, cell->key}] = {cell->field, field.rule, cell->key, std::nullopt,
                                             field.territory, field.internal, field.personal};
  }

  const RecordState& state_;
  const VersionVector& context_;
  std::map<std::pair<uint32_t, std::string>, Operation> operations_;
};

bool HoldsElements(const FieldSchema& field) {
  return field.rule == v1::SET || field.rule == v1::MAP;
}

absl::Status CheckOnlyElements(const KindSchema& kind, const Message* message) {
  if (message == nullptr) return absl::OkStatus();
  for (const FieldSchema* field : SetFields(kind, *message)) {
    if (!HoldsElements(*field)) {
      return absl::InvalidArgumentError(absl::StrCat(
          field->descriptor->name(), " : ce champ n'a qu'une valeur, on n'y ajoute ni n'en retire rien"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Operation>> PlanEdit(const KindSchema& kind, const RecordState& state,
                                                const VersionVector& context, const Edit& edit) {
  for (const Message* message : {edit.additions, edit.removals}) {
    if (absl::Status status = CheckOnlyElements(kind, message); !status.ok()) return status;
  }
  Planner planner(state, context);
  for (const FieldSchema* field : edit.fields) {
    if (edit.content == nullptr) break;
    if (!HoldsElements(*field)) {
      planner.PlanSingle(*field, *edit.content);
    } else if (absl::Status status = planner.PlanWhole(*field, *edit.content); !status.ok()) {
      return status;
    }
  }
  for (const FieldSchema& field : kind.fields) {
    if (!HoldsElements(field)) continue;
    if (edit.removals != nullptr) {
      absl::Status status = planner.PlanRemovals(field, *edit.removals);
      if (!status.ok()) return status;
    }
    if (edit.additions != nullptr) {
      absl::Status status = planner.PlanAdditions(field, *edit.additions);
      if (!status.ok()) return status;
    }
  }
  return planner.Take();
}

std::vector<const FieldSchema*> SetFields(const KindSchema& kind, const Message& message) {
  std::vector<const FieldSchema*> fields;
  for (const FieldSchema& field : kind.fields) {
    const bool set = field.descriptor->is_repeated()
                         ? message.GetReflection()->FieldSize(message, field.descriptor) > 0
                         : IsSet(message, *field.descriptor);
    if (set) fields.push_back(&field);
  }
  return fields;
}

Operation DeleteOperation(const VersionVector& covered) {
  return {kLifeField, v1::REGISTER, "", ToProto(covered).SerializeAsString(), false};
}

Operation UndeleteOperation() { return {kLifeField, v1::REGISTER, "", std::nullopt, false}; }

}  // namespace maillage::replication
