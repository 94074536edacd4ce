// Inputs that choose what to decode: a byte or two, then the bytes themselves.
#ifndef MAILLAGE_TESTS_FUZZ_SELECTED_H_
#define MAILLAGE_TESTS_FUZZ_SELECTED_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace maillage::fuzz {

// Takes the first byte; 0 of no bytes.
inline uint8_t TakeByte(std::string_view& bytes) {
  if (bytes.empty()) return 0;
  const auto byte = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  return byte;
}

// Takes a length in two bytes, the lower one first, and as many bytes, or as many as there are.
inline std::string_view TakeBlock(std::string_view& bytes) {
  const size_t low = TakeByte(bytes);
  const size_t size = low | static_cast<size_t>(TakeByte(bytes)) << 8;
  const std::string_view block = bytes.substr(0, size);
  bytes.remove_prefix(block.size());
  return block;
}

// The texts between separators (0x1f, ASCII's own for units).
inline std::vector<std::string> SplitUnits(std::string_view bytes) {
  std::vector<std::string> units(1);
  for (const char byte : bytes) {
    if (byte == '\x1f') {
      units.emplace_back();
    } else {
      units.back().push_back(byte);
    }
  }
  return units;
}

}  // namespace maillage::fuzz

#endif  // MAILLAGE_TESTS_FUZZ_SELECTED_H_
