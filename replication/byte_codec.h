// Little pieces of hand-laid binary formats: varints (as in Protocol Buffers), fixed integers (little-endian) and
// strings with their length. Reading never goes past the end: a short input turns `ok()` false and gives zeros.
#ifndef MAILLAGE_REPLICATION_BYTE_CODEC_H_
#define MAILLAGE_REPLICATION_BYTE_CODEC_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace maillage::replication {

class ByteWriter {
 public:
  explicit ByteWriter(std::string* out) : out_(out) {}

  void Byte(uint8_t value) { out_->push_back(static_cast<char>(value)); }
  void Varint(uint64_t value) {
    while (value >= 0x80) {
      Byte(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    Byte(static_cast<uint8_t>(value));
  }
  void Fixed64(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) Byte(static_cast<uint8_t>(value >> shift));
  }
  void Raw(std::string_view bytes) { out_->append(bytes); }
  void String(std::string_view bytes) {
    Varint(bytes.size());
    Raw(bytes);
  }
  void Strings(const std::vector<std::string>& texts) {
    Varint(texts.size());
    for (const std::string& text : texts) String(text);
  }

 private:
  std::string* const out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}

  uint8_t Byte() {
    const std::string_view bytes = Raw(1);
    return bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      const uint64_t bits = byte & 0x7f;
      if (shift == 63 && bits > 1) return Fail();
      value |= bits << shift;
      if ((byte & 0x80) == 0) {
        // The shortest form only, so that one value has one encoding.
        if (byte == 0 && shift > 0) return Fail();
        return value;
      }
    }
    return Fail();
  }
  uint64_t Fixed64() {
    const std::string_view bytes = Raw(8);
    if (bytes.empty()) return 0;
    uint64_t value = 0;
    for (size_t i = 8; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
    return value;
  }
  std::string_view Raw(size_t size) {
    if (!ok_ || in_.size() < size) {
      Fail();
      return {};
    }
    const std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }
  std::string_view String() { return Raw(Varint()); }
  std::vector<std::string> Strings() {
    std::vector<std::string> texts;
    const uint64_t count = Varint();
    for (uint64_t i = 0; i < count && ok_; ++i) texts.emplace_back(String());
    return texts;
  }

  bool ok() const { return ok_; }
  // Everything was read, and nothing was short.
  bool done() const { return ok_ && in_.empty(); }
  std::string_view rest() const { return in_; }

 private:
  uint64_t Fail() {
    ok_ = false;
    return 0;
  }

  std::string_view in_;
  bool ok_ = true;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_BYTE_CODEC_H_
