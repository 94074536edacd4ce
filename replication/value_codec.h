// The bytes of one field's value in changes and states, and back. Equal values have equal bytes, and but for messages,
// which may hold fields of later versions, other bytes are other values.
//
//   text                       UTF-8 as it is
//   bytes                      as they are
//   bool, enum, integers       decimal digits; an enum's number; unsigned in a MAX field padded to 20 digits
//   double, float              8 bytes, IEEE 754, little-endian
//   message                    Protocol Buffers, fields by number; at most kMaxValueDepth messages inside of each other
#ifndef MAILLAGE_REPLICATION_VALUE_CODEC_H_
#define MAILLAGE_REPLICATION_VALUE_CODEC_H_

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace maillage::replication {

// Of a singular field that is set.
std::string EncodeValue(const google::protobuf::Message& message,
                        const google::protobuf::FieldDescriptor& field);
// Of an element of a repeated field; 0 <= index < its size.
std::string EncodeElement(const google::protobuf::Message& message,
                          const google::protobuf::FieldDescriptor& field, int index);

// Sets a singular field, or adds an element to a repeated one. False, and nothing done, where the bytes are no
// value of the field's type. What merges is decided without it: bytes that nobody can read stay what they are.
bool DecodeValue(std::string_view bytes, google::protobuf::Message& message,
                 const google::protobuf::FieldDescriptor& field);

// Whether a singular field holds something: by presence where it has one, else by not being the default.
bool IsSet(const google::protobuf::Message& message,
           const google::protobuf::FieldDescriptor& field);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_VALUE_CODEC_H_
