#include "tests/replication/support/random_message.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replication/check.h"
#include "replication/edit.h"
#include "replication/value_codec.h"

namespace maillage::replication::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void FillMessage(SeededRandom& random, Message& message);

// Sets a singular field, or adds an element, through one call for both. Never the default value.
class Filler {
 public:
  Filler(SeededRandom& random, Message& message, const FieldDescriptor& field)
      : random_(random), message_(message), field_(field), r_(*message.GetReflection()) {}

  void Fill() {
    const bool many = field_.is_repeated();
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return many ? r_.AddString(&message_, &field_, Text())
                    : r_.SetString(&message_, &field_, Text());
      case FieldDescriptor::CPPTYPE_BOOL:
        return many ? r_.AddBool(&message_, &field_, random_.OneIn(2))
                    : r_.SetBool(&message_, &field_, true);
      case FieldDescriptor::CPPTYPE_INT32:
        return many ? r_.AddInt32(&message_, &field_, Number<int32_t>())
                    : r_.SetInt32(&message_, &field_, Number<int32_t>());
      case FieldDescriptor::CPPTYPE_INT64:
        return many ? r_.AddInt64(&message_, &field_, Number<int64_t>())
                    : r_.SetInt64(&message_, &field_, Number<int64_t>());
      case FieldDescriptor::CPPTYPE_UINT32:
        return many ? r_.AddUInt32(&message_, &field_, Number<uint32_t>())
                    : r_.SetUInt32(&message_, &field_, Number<uint32_t>());
      case FieldDescriptor::CPPTYPE_UINT64:
        return many ? r_.AddUInt64(&message_, &field_, Number<uint64_t>())
                    : r_.SetUInt64(&message_, &field_, Number<uint64_t>());
      default:
        return FillWide(many);
    }
  }

 private:
  void FillWide(bool many) {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM:
        return many ? r_.AddEnumValue(&message_, &field_, EnumNumber())
                    : r_.SetEnumValue(&message_, &field_, EnumNumber());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return many ? r_.AddDouble(&message_, &field_, Number<int32_t>() / 8.0)
                    : r_.SetDouble(&message_, &field_, Number<int32_t>() / 8.0);
      case FieldDescriptor::CPPTYPE_FLOAT:
        return many
                   ? r_.AddFloat(&message_, &field_, static_cast<float>(random_.Below(99) + 1) / 8)
                   : r_.SetFloat(&message_, &field_, static_cast<float>(random_.Below(99) + 1) / 8);
      default:
        return FillMessage(random_, many ? *r_.AddMessage(&message_, &field_)
                                         : *r_.MutableMessage(&message_, &field_));
    }
  }

  std::string Text() {
    static const std::string kTexts[] = {"Amis du Mali", "Pays de Savoie solidaires",
                                         "73",           "été",
                                         "l'eau",        "2021-02",
                                         "2021-02-01",   "x"};
    return kTexts[random_.Below(std::size(kTexts))];
  }
  template <typename Integer>
  Integer Number() {
    if (random_.OneIn(10)) return std::numeric_limits<Integer>::max();
    if (random_.OneIn(10) && std::numeric_limits<Integer>::min() != 0) {
      return std::numeric_limits<Integer>::min();
    }
    return static_cast<Integer>(1 + random_.Below(9));
  }
  int EnumNumber() {
    const auto& type = *field_.enum_type();
    return type
        .value(1 + static_cast<int>(random_.Below(static_cast<uint64_t>(type.value_count() - 1))))
        ->number();
  }

  SeededRandom& random_;
  Message& message_;
  const FieldDescriptor& field_;
  const Reflection& r_;
};

// Some of its fields, at least one.
void FillMessage(SeededRandom& random, Message& message) {
  const auto& type = *message.GetDescriptor();
  const auto sure = static_cast<int>(random.Below(static_cast<uint64_t>(type.field_count())));
  for (int i = 0; i < type.field_count(); ++i) {
    if (i == sure || random.OneIn(2)) Filler(random, message, *type.field(i)).Fill();
  }
}

// Entries without a key, and those whose key another has, go.
void KeepOneEntryPerKey(const FieldSchema& field, SeededRandom& random, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::set<std::string> keys;
  for (int i = reflection.FieldSize(message, field.descriptor) - 1; i >= 0; --i) {
    Message& entry = *reflection.MutableRepeatedMessage(&message, field.descriptor, i);
    Filler(random, entry, *field.key).Fill();
    if (keys.insert(EncodeValue(entry, *field.key)).second) continue;
    reflection.SwapElements(&message, field.descriptor, i,
                            reflection.FieldSize(message, field.descriptor) - 1);
    reflection.RemoveLast(&message, field.descriptor);
  }
}

void KeepOneOfEachElement(const FieldSchema& field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::set<std::string> elements;
  for (int i = reflection.FieldSize(message, field.descriptor) - 1; i >= 0; --i) {
    if (elements.insert(EncodeElement(message, *field.descriptor, i)).second) continue;
    reflection.SwapElements(&message, field.descriptor, i,
                            reflection.FieldSize(message, field.descriptor) - 1);
    reflection.RemoveLast(&message, field.descriptor);
  }
}

}  // namespace

void FillField(SeededRandom& random, const FieldSchema& field, Message& message) {
  message.GetReflection()->ClearField(&message, field.descriptor);
  const uint64_t times = field.descriptor->is_repeated() ? 1 + random.Below(3) : 1;
  for (uint64_t i = 0; i < times; ++i) Filler(random, message, *field.descriptor).Fill();
  if (field.rule == v1::MAP) KeepOneEntryPerKey(field, random, message);
  if (field.rule == v1::SET) KeepOneOfEachElement(field, message);
}

std::unique_ptr<Message> RandomMessage(SeededRandom& random, const Schema& schema,
                                       const KindSchema& kind) {
  std::unique_ptr<Message> message = schema.NewMessage(kind);
  for (const FieldSchema& field : kind.fields) {
    if (random.OneIn(2)) FillField(random, field, *message);
  }
  return message;
}

namespace {

// Nothing but elements of sets and entries of maps.
std::unique_ptr<Message> SomeElements(SeededRandom& random, const Schema& schema,
                                      const KindSchema& kind) {
  std::unique_ptr<Message> message = schema.NewMessage(kind);
  for (const FieldSchema& field : kind.fields) {
    if (field.descriptor->is_repeated() && random.OneIn(4)) FillField(random, field, *message);
  }
  return message;
}

}  // namespace

Writer EditRandomly(const Schema& schema, const KindSchema& kind) {
  return [&schema, &kind](SeededRandom& random, const RecordState& state,
                          const VersionVector& context) {
    const auto content = RandomMessage(random, schema, kind);
    const auto additions = SomeElements(random, schema, kind);
    const auto removals = SomeElements(random, schema, kind);
    Edit edit;
    for (const FieldSchema& field : kind.fields) {
      if (random.OneIn(5)) edit.fields.push_back(&field);
    }
    edit.content = content.get();
    if (random.OneIn(2)) edit.additions = additions.get();
    if (random.OneIn(2)) edit.removals = removals.get();
    auto operations = PlanEdit(kind, state, context, edit);
    MAILLAGE_CHECK(operations.ok());
    if (random.OneIn(10)) {
      operations->insert(operations->begin(),
                         random.OneIn(3) ? UndeleteOperation() : DeleteOperation(context));
    }
    return *std::move(operations);
  };
}

}  // namespace maillage::replication::testing
