#include "tests/storage/rocks_damage.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace maillage::storage {
namespace {

// RocksDB's log format (its wiki, "Write Ahead Log File Format"): blocks of 32 KiB; a header is checksum (4), length
// (2, little-endian) and type; less than a header at the end of a block is padding.
constexpr size_t kBlock = 32768;
constexpr size_t kHeader = 7;
constexpr size_t kPage = 4096;
enum Type : uint8_t { kFull = 1, kFirst = 2 };

uint64_t NumberOf(const std::string& log) {
  const size_t name = log.rfind('/') + 1;
  return std::stoull(log.substr(name, log.size() - name - std::string(".log").size()));
}

bool HasRecords(const std::string& path) {
  return path.ends_with(".log") || path.find("/MANIFEST-") != path.npos;
}

template <typename Values>
auto OneOf(const Values& values, std::mt19937_64& random) {
  return values[random() % values.size()];
}

std::string Zero(std::string& bytes, size_t from, std::string_view where) {
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(from), std::min(kPage, bytes.size() - from), '\0');
  return absl::StrCat("a page zeroed ", std::string(where), " at ", from);
}

std::string Flip(std::string& bytes, size_t at, uint64_t bit, std::string_view where) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return absl::StrCat("bit ", bit, " flipped ", std::string(where), " at ", at);
}

std::string Cut(std::string& bytes, size_t at) {
  bytes.resize(at);
  return absl::StrCat("cut off at ", at);
}

}  // namespace

std::vector<size_t> RecordBoundaries(std::string_view bytes) {
  std::vector<size_t> boundaries;
  size_t at = 0;
  while (bytes.size() - at >= kHeader) {
    const size_t left = kBlock - at % kBlock;
    if (left < kHeader) {
      at += left;
      continue;
    }
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
    if (byte(6) == kFull || byte(6) == kFirst) boundaries.push_back(at);
    at = std::min(bytes.size(), at + kHeader + byte(4) + size_t{256} * byte(5));
  }
  boundaries.push_back(at);
  return boundaries;
}

std::string NewestLog(const DiskImage& image) {
  std::string newest;
  const auto rank = [&](const std::string& path) { return std::pair(!image.at(path).empty(), NumberOf(path)); };
  for (const auto& [path, bytes] : image) {
    if (path.ends_with(".log") && (newest.empty() || rank(path) > rank(newest))) newest = path;
  }
  return newest;
}

std::string DamageFile(DiskImage& image, const std::string& path, bool stopped, std::mt19937_64& random) {
  std::string& bytes = image[path];
  const size_t place = random() % bytes.size();
  const uint64_t bit = random() % 8;
  const bool ends_anywhere = !stopped && path == NewestLog(image);
  const std::vector<size_t> records = HasRecords(path) ? RecordBoundaries(bytes) : std::vector<size_t>{0};
  const size_t record = OneOf(records, random);
  const auto is_boundary = [&](size_t at) { return std::find(records.begin(), records.end(), at) != records.end(); };
  switch (random() % 16) {
    case 0:
      return ends_anywhere && is_boundary(place) ? "" : Cut(bytes, place);
    case 1:
    case 2:
      return ends_anywhere || record == bytes.size() ? "" : Cut(bytes, record);
    case 3:
      if (ends_anywhere) return "";
      image.erase(path);
      return "deleted";
    case 4:
      return Zero(bytes, place, "");
    case 5:
    case 6:
      return record == bytes.size() ? "" : Zero(bytes, record, "from the beginning of a record on");
    case 7:
    case 8: {
      const size_t in_header = record + random() % kHeader;
      return in_header >= bytes.size() ? "" : Flip(bytes, in_header, bit, "in the header of a record");
    }
    default:
      return Flip(bytes, place, bit, "");
  }
}

}  // namespace maillage::storage
