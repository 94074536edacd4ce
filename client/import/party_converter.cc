#include "client/import/party_converter.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/import/cell_text.h"
#include "client/import/concat.h"
#include "client/import/converter.h"
#include "client/import/number.h"
#include "client/import/party_resolver.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/quote.h"
#include "proto/records.pb.h"

namespace maillage::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DynamicCastToGenerated;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;

bool IsMessageOf(const FieldDescriptor& field, const Descriptor* type) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && field.message_type() == type;
}

// The key of the field's entries, if it is a Party; null otherwise.
const FieldDescriptor* PartyKey(const FieldDescriptor& field) {
  if (!field.is_repeated() || field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return nullptr;
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    const FieldDescriptor* part = field.message_type()->field(i);
    if (part->options().GetExtension(v1::key)) {
      return IsMessageOf(*part, v1::Party::descriptor()) ? part : nullptr;
    }
  }
  return nullptr;
}

const FieldDescriptor* MoneyPart(const FieldDescriptor& field) {
  for (int i = 0; i < field.message_type()->field_count(); ++i) {
    const FieldDescriptor* part = field.message_type()->field(i);
    if (IsMessageOf(*part, v1::Money::descriptor()) && !part->is_repeated()) return part;
  }
  return nullptr;
}

template <typename T>
T& Mutable(Message& message, const FieldDescriptor* field) {
  return *DynamicCastToGenerated<T>(message.GetReflection()->MutableMessage(&message, field));
}

bool HasEntry(const Message& owner, const FieldDescriptor* field, const FieldDescriptor* key,
              const v1::Party& party) {
  const Reflection& reflection = *owner.GetReflection();
  for (int i = 0; i < reflection.FieldSize(owner, field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(owner, field, i);
    if (MessageDifferencer::Equals(entry.GetReflection()->GetMessage(entry, key), party)) {
      return true;
    }
  }
  return false;
}

void SayHowResolved(const ResolvedParty& resolved, CellContext& cell) {
  const bool reference = resolved.party.party_case() == v1::Party::kActor;
  cell.Say(reference ? Severity::kUnderstood : Severity::kLeftAsText, resolved.explanation);
}

// Adds the entry; null, and a note, if there is one of that party already.
Message* AddEntry(const ResolvedParty& resolved, CellContext& cell) {
  const FieldPath& path = cell.target().field;
  const FieldDescriptor* key = PartyKey(*path.leaf);
  Message& owner = OwnerOf(cell.record(), path);
  if (HasEntry(owner, path.leaf, key, resolved.party)) {
    cell.Say(Severity::kRepaired, Concat(Quote(resolved.text), " y est déjà, gardé une fois"));
    return nullptr;
  }
  Message* entry = owner.GetReflection()->AddMessage(&owner, path.leaf);
  Mutable<v1::Party>(*entry, key) = resolved.party;
  for (const auto& [field, value] : cell.target().entry) {
    entry->GetReflection()->SetString(entry, field, value);
  }
  SayHowResolved(resolved, cell);
  return entry;
}

absl::Status PutSingleParty(std::string_view text, CellContext& cell) {
  const std::vector<ResolvedParty> parties =
      ResolveParties(text, cell.target().split, cell.directory());
  const FieldPath& path = cell.target().field;
  Message& owner = OwnerOf(cell.record(), path);
  if (parties.size() != 1 || owner.GetReflection()->HasField(owner, path.leaf)) {
    return absl::InvalidArgumentError(
        Concat(Quote(text), " : le champ ", path.name, " n'a place que pour un seul nom"));
  }
  Mutable<v1::Party>(owner, path.leaf) = parties[0].party;
  SayHowResolved(parties[0], cell);
  return absl::OkStatus();
}

std::string MoneyText(int64_t minor_units, std::string_view currency) {
  return absl::StrFormat("%d,%02d %s", minor_units / 100, minor_units % 100, currency);
}

}  // namespace

bool IsMoneyField(const FieldDescriptor& field) {
  return !field.is_repeated() && IsMessageOf(field, v1::Money::descriptor());
}

bool IsPartyField(const FieldDescriptor& field) {
  return PartyKey(field) != nullptr ||
         (!field.is_repeated() && IsMessageOf(field, v1::Party::descriptor()));
}

bool IsFundingField(const FieldDescriptor& field) {
  return PartyKey(field) != nullptr && MoneyPart(field) != nullptr;
}

absl::Status ConvertAmount(std::string_view text, CellContext& cell) {
  const absl::StatusOr<int64_t> minor_units = ParseAmount(text);
  if (!minor_units.ok()) return minor_units.status();
  const FieldPath& path = cell.target().field;
  Message& owner = OwnerOf(cell.record(), path);
  if (owner.GetReflection()->HasField(owner, path.leaf)) {
    return absl::InvalidArgumentError(
        Concat("le champ ", path.name, " a déjà une valeur, d'une autre colonne"));
  }
  auto& money = Mutable<v1::Money>(owner, path.leaf);
  money.set_minor_units(*minor_units);
  money.set_currency(cell.target().currency);
  cell.Say(Severity::kUnderstood,
           Concat(Quote(text), " se lit ", MoneyText(*minor_units, cell.target().currency)));
  return absl::OkStatus();
}

absl::Status ConvertParties(std::string_view text, CellContext& cell) {
  if (!cell.target().field.leaf->is_repeated()) return PutSingleParty(text, cell);
  const std::vector<ResolvedParty> parties =
      ResolveParties(text, cell.target().split, cell.directory());
  if (parties.size() > kMaxListItems) {
    return absl::InvalidArgumentError(
        Concat(parties.size(), " noms dans une cellule : ", kMaxListItems, " au plus"));
  }
  for (const ResolvedParty& resolved : parties) AddEntry(resolved, cell);
  return absl::OkStatus();
}

absl::Status ConvertFunding(std::string_view text, CellContext& cell) {
  std::string_view name = text;
  std::optional<int64_t> minor_units;
  if (const size_t equals = text.rfind('='); equals != std::string_view::npos) {
    const std::string_view amount = Trimmed(text.substr(equals + 1));
    name = Trimmed(text.substr(0, equals));
    const absl::StatusOr<int64_t> parsed = ParseAmount(amount);
    if (!parsed.ok()) return parsed.status();
    minor_units = *parsed;
  }
  const std::vector<ResolvedParty> parties = ResolveParties(name, {}, cell.directory());
  if (parties.size() != 1) {
    return absl::InvalidArgumentError(
        Concat(Quote(text), " : il manque le nom du bailleur devant le signe ="));
  }
  Message* entry = AddEntry(parties[0], cell);
  if (entry == nullptr) {
    return absl::InvalidArgumentError(
        Concat(Quote(name), " y est deux fois, avec deux montants peut-être différents"));
  }
  if (!minor_units) return absl::OkStatus();
  auto& money = Mutable<v1::Money>(*entry, MoneyPart(*cell.target().field.leaf));
  money.set_minor_units(*minor_units);
  money.set_currency(cell.target().currency);
  cell.Say(Severity::kUnderstood,
           Concat(Quote(text), " se lit ", MoneyText(*minor_units, cell.target().currency)));
  return absl::OkStatus();
}

}  // namespace maillage::client
