#include "replication/value_codec.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "proto/records.pb.h"
#include "replication/schema.h"
#include "replication/tuning.h"
#include "tests/replication/support/histories.h"
#include "tests/replication/support/literals.h"
#include "tests/replication/support/random_message.h"
#include "tests/replication/support/schema_builder.h"

namespace maillage::replication::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

std::vector<const FieldSchema*> EveryField() {
  std::vector<const FieldSchema*> fields;
  for (const FieldSchema& field : SchemaOfEverything().FindKind("everything")->fields) {
    fields.push_back(&field);
  }
  return fields;
}

class ValueCodec : public ::testing::TestWithParam<const FieldSchema*> {
 protected:
  const FieldSchema& field() const { return *GetParam(); }
  std::unique_ptr<Message> Empty() const {
    return SchemaOfEverything().NewMessage(*SchemaOfEverything().FindKind("everything"));
  }
};

TEST_P(ValueCodec, SurvivesItsBytes) {
  SeededRandom random(maillage::testing::TestSeed());
  for (int i = 0; i < 50; ++i) {
    auto message = Empty();
    FillField(random, field(), *message);
    auto copy = Empty();
    if (field().descriptor->is_repeated()) {
      const int size = message->GetReflection()->FieldSize(*message, field().descriptor);
      for (int element = 0; element < size; ++element) {
        ASSERT_TRUE(DecodeValue(EncodeElement(*message, *field().descriptor, element), *copy,
                                *field().descriptor));
      }
    } else {
      ASSERT_TRUE(IsSet(*message, *field().descriptor));
      ASSERT_TRUE(
          DecodeValue(EncodeValue(*message, *field().descriptor), *copy, *field().descriptor));
    }
    ASSERT_TRUE(MessageDifferencer::Equals(*message, *copy)) << message->DebugString();
  }
}

TEST_P(ValueCodec, RefusesForeignBytesAndDoesNothing) {
  for (const std::string& bytes : {std::string("\xff\xff"), std::string("no number"),
                                   std::string("99999999999999999999999")}) {
    const bool takes = field().descriptor->type() == FieldDescriptor::TYPE_BYTES ||
                       (field().descriptor->type() == FieldDescriptor::TYPE_STRING && bytes[0] != '\xff');
    auto message = Empty();
    EXPECT_EQ(DecodeValue(bytes, *message, *field().descriptor), takes) << bytes;
    EXPECT_EQ(MessageDifferencer::Equals(*message, *Empty()), !takes) << bytes;
  }
}

// One value, one text: two ways to write 5 would be two versions for a person to compare.
TEST_P(ValueCodec, TakesNoSecondWayToWriteAValue) {
  const FieldDescriptor& descriptor = *field().descriptor;
  if (descriptor.cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
      descriptor.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return;
  }
  for (const char* bytes : {"+5", " 5", "5 ", "05", "-0", "5\n", "0x5", "true", "000000000000000000005"}) {
    auto message = Empty();
    EXPECT_FALSE(DecodeValue(bytes, *message, descriptor)) << bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, ValueCodec, ::testing::ValuesIn(EveryField()),
                         [](const auto& info) { return info.param->descriptor->name(); });

// The bytes themselves; golden files pin those of real records.
class Everything : public ::testing::Test {
 protected:
  Everything()
      : kind_(*SchemaOfEverything().FindKind("everything")),
        message_(SchemaOfEverything().NewMessage(kind_)),
        reflection_(*message_->GetReflection()) {}

  const FieldDescriptor* Field(const std::string& name) const {
    return kind_.FindField(name)->descriptor;
  }
  static std::string Register(FieldDescriptorProto::Type type) {
    return "register_" + std::to_string(type);
  }

  const KindSchema& kind_;
  const std::unique_ptr<Message> message_;
  const google::protobuf::Reflection& reflection_;
};

TEST_F(Everything, WritesIntegersAsDigits) {
  const auto* field = Field(Register(FieldDescriptorProto::TYPE_SINT64));
  reflection_.SetInt64(message_.get(), field, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(EncodeValue(*message_, *field), "-9223372036854775808");
  const auto* unsigned_field = Field(Register(FieldDescriptorProto::TYPE_FIXED64));
  reflection_.SetUInt64(message_.get(), unsigned_field, UINT64_MAX);
  EXPECT_EQ(EncodeValue(*message_, *unsigned_field), "18446744073709551615");
  const auto* boolean = Field(Register(FieldDescriptorProto::TYPE_BOOL));
  EXPECT_EQ(EncodeValue(*message_, *boolean), "0");
  reflection_.SetBool(message_.get(), boolean, true);
  EXPECT_EQ(EncodeValue(*message_, *boolean), "1");
}

TEST_F(Everything, PadsUnsignedMaximaSoThatTextsCompareLikeNumbers) {
  const auto* field = Field("long_peak");
  std::string previous;
  for (const uint64_t value : {uint64_t{9}, uint64_t{10}, uint64_t{1} << 40, UINT64_MAX}) {
    reflection_.SetUInt64(message_.get(), field, value);
    const std::string encoded = EncodeValue(*message_, *field);
    EXPECT_EQ(encoded.size(), 20u);
    EXPECT_LT(previous, encoded);
    previous = encoded;
  }
}

TEST_F(Everything, WritesFloatsAsDoubles) {
  const auto* wide = Field(Register(FieldDescriptorProto::TYPE_DOUBLE));
  const auto* narrow = Field(Register(FieldDescriptorProto::TYPE_FLOAT));
  reflection_.SetDouble(message_.get(), wide, 1.5);
  reflection_.SetFloat(message_.get(), narrow, 1.5f);
  EXPECT_EQ(ToHex(EncodeValue(*message_, *wide)), "000000000000f83f");
  EXPECT_EQ(ToHex(EncodeValue(*message_, *narrow)), "000000000000f83f");
}

TEST_F(Everything, TakesNoDoubleThatIsNoFloat) {
  const auto* narrow = Field(Register(FieldDescriptorProto::TYPE_FLOAT));
  const auto* wide = Field(Register(FieldDescriptorProto::TYPE_DOUBLE));
  for (const double value : {0.1, 1e300, -1e300, 5e-324}) {
    reflection_.SetDouble(message_.get(), wide, value);
    EXPECT_FALSE(DecodeValue(EncodeValue(*message_, *wide), *message_, *narrow)) << value;
  }
  for (const double value : {0.5, -0.0, std::numeric_limits<double>::infinity()}) {
    reflection_.SetDouble(message_.get(), wide, value);
    EXPECT_TRUE(DecodeValue(EncodeValue(*message_, *wide), *message_, *narrow)) << value;
  }
}

TEST_F(Everything, PaddingIsPartOfAMaximum) {
  EXPECT_FALSE(DecodeValue("5", *message_, *Field("peak")));
  EXPECT_TRUE(DecodeValue("00000000000000000005", *message_, *Field("peak")));
  EXPECT_FALSE(DecodeValue("00000000000000000005", *message_,
                           *Field(Register(FieldDescriptorProto::TYPE_UINT32))));
}

TEST_F(Everything, KeepsNumbersOfEnumsThatItDoesNotKnow) {
  const auto* field = Field(Register(FieldDescriptorProto::TYPE_ENUM));
  ASSERT_TRUE(DecodeValue("4711", *message_, *field));
  EXPECT_EQ(EncodeValue(*message_, *field), "4711");
}

TEST(ValueCodecMessages, AreDeterministicAndKeepUnknownFields) {
  v1::Address address;
  address.set_street("12 rue de l'Église");
  address.set_town("Chambéry");
  address.GetReflection()->MutableUnknownFields(&address)->AddVarint(99, 5);
  v1::Actor actor;
  *actor.mutable_address() = address;
  const auto* field = v1::Actor::descriptor()->FindFieldByName("address");
  const std::string bytes = EncodeValue(actor, *field);
  v1::Actor decoded;
  ASSERT_TRUE(DecodeValue(bytes, decoded, *field));
  EXPECT_EQ(EncodeValue(decoded, *field), bytes);
}

// Groups of a field that nobody knows are what nests without end in a few bytes.
TEST(ValueCodecMessages, NestAsDeepAsTheLimitAndNoDeeper) {
  const auto nested = [](int depth) {
    std::string bytes;
    for (int i = 0; i < depth; ++i) bytes += FromHex("9b06");
    for (int i = 0; i < depth; ++i) bytes += FromHex("9c06");
    return bytes;
  };
  const auto* field = v1::Actor::descriptor()->FindFieldByName("address");
  v1::Actor actor;
  EXPECT_TRUE(DecodeValue(nested(kMaxValueDepth), actor, *field));
  EXPECT_FALSE(DecodeValue(nested(kMaxValueDepth + 1), actor, *field));
}

TEST(ValueCodecPresence, TellsUnknownFromZero) {
  v1::Event event;
  const auto* participants = v1::Event::descriptor()->FindFieldByName("participants");
  EXPECT_FALSE(IsSet(event, *participants));
  event.set_participants(0);
  EXPECT_TRUE(IsSet(event, *participants));
  EXPECT_EQ(EncodeValue(event, *participants), "0");
}

}  // namespace
}  // namespace maillage::replication::testing
