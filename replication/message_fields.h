// The fields of a Protocol Buffers message as they stand in its bytes: for whoever must not write them anew, or wants their places.
#ifndef MAILLAGE_REPLICATION_MESSAGE_FIELDS_H_
#define MAILLAGE_REPLICATION_MESSAGE_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "google/protobuf/wire_format_lite.h"

namespace maillage::replication {

struct MessageField {
  int number = 0;
  // With tag and length.
  std::string_view bytes;
  // What is in it, where it has a length.
  std::optional<std::string_view> content;
  // Of a varint.
  uint64_t varint = 0;
};

// Reads fields one after the other; what it returns are views into the bytes.
class MessageFieldReader {
 public:
  explicit MessageFieldReader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  // False where the bytes are no message.
  bool Read(MessageField& field) {
    const std::string_view from = rest_;
    uint64_t tag = 0;
    if (!Varint(tag) || tag > UINT32_MAX || tag >> kTypeBits == 0) return false;
    field.number = static_cast<int>(tag >> kTypeBits);
    field.content.reset();
    if (!SkipContent(static_cast<uint32_t>(tag) & kTypeMask, field)) return false;
    field.bytes = from.substr(0, from.size() - rest_.size());
    return true;
  }

 private:
  using WireFormatLite = google::protobuf::internal::WireFormatLite;
  static constexpr int kTypeBits = 3;
  static constexpr uint32_t kTypeMask = 7;

  bool SkipContent(uint32_t type, MessageField& field) {
    uint64_t size = 0;
    switch (type) {
      case WireFormatLite::WIRETYPE_VARINT:
        return Varint(field.varint);
      case WireFormatLite::WIRETYPE_FIXED64:
        return Skip(sizeof(uint64_t));
      case WireFormatLite::WIRETYPE_FIXED32:
        return Skip(sizeof(uint32_t));
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!Varint(size) || size > rest_.size()) return false;
        field.content = rest_.substr(0, size);
        return Skip(size);
      default:
        // Groups: no message of ours has one.
        return false;
    }
  }
  bool Skip(size_t size) {
    if (size > rest_.size()) return false;
    rest_.remove_prefix(size);
    return true;
  }
  bool Varint(uint64_t& value) {
    value = 0;
    for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
      const auto byte = static_cast<uint8_t>(rest_[i]);
      value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return Skip(i + 1);
    }
    return false;
  }

  std::string_view rest_;
};

// Calls take(field) for each field; false where the bytes are no message, or `take` said so.
template <typename Take>
bool ForEachField(std::string_view bytes, Take take) {
  MessageField field;
  for (MessageFieldReader reader(bytes); !reader.done();) {
    if (!reader.Read(field) || !take(field)) return false;
  }
  return true;
}

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_MESSAGE_FIELDS_H_
