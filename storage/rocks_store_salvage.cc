#include "storage/rocks_store_salvage.h"

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace maillage::storage::rocks {
namespace {

// Beyond this the file is rather to be called lost: 32 MiB of damage in a row.
constexpr int kMaxDamagedBlocks = 4096;
// Places between two keys are looked for to this length; longer keys that begin alike count as one
// place.
constexpr size_t kPlaceBytes = 24;

// Keys as numbers: big-endian, all of one length.
std::string PlaceOf(const std::string& key, size_t bytes) {
  std::string place = key;
  place.resize(bytes, '\0');
  return place;
}

std::string Halfway(const std::string& low, const std::string& high) {
  std::string sum(low.size() + 1, '\0');
  unsigned carry = 0;
  for (size_t i = low.size(); i-- > 0;) {
    carry += static_cast<uint8_t>(low[i]) + static_cast<uint8_t>(high[i]);
    sum[i + 1] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  sum[0] = static_cast<char>(carry);
  std::string half(low.size(), '\0');
  for (size_t i = 0; i < half.size(); ++i) {
    const unsigned pair = static_cast<uint8_t>(sum[i]) << 8 | static_cast<uint8_t>(sum[i + 1]);
    half[i] = static_cast<char>(pair >> 1 & 0xff);
  }
  return half;
}

// The first place in (low, high] of which `holds`, which is true of `high` and, once true, stays
// so.
std::string FirstPlace(std::string low, std::string high,
                       absl::FunctionRef<bool(const std::string&)> holds) {
  while (true) {
    std::string half = Halfway(low, high);
    if (half == low) return high;
    (holds(half) ? high : low) = std::move(half);
  }
}

// Whether a block of a file begins between the two.
bool BlockBetween(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* table, const std::string& low,
                  const std::string& high) {
  rocksdb::SizeApproximationOptions exact;
  exact.include_files = true;
  const rocksdb::Range range(low, high);
  uint64_t size = 0;
  return db.GetApproximateSizes(exact, table, &range, 1, &size).ok() && size > 0;
}

}  // namespace

std::unique_ptr<rocksdb::Iterator> SeekBeyondDamage(rocksdb::DB& db,
                                                    rocksdb::ColumnFamilyHandle* table,
                                                    const std::string& from,
                                                    const MakeRows& make_rows) {
  const size_t bytes = std::max(kPlaceBytes, from.size() + 2);
  const std::string end(bytes, '\xff');
  const auto rows_at = [&](const std::string& place) {
    // An iterator that met damage may keep its error, wherever it goes.
    std::unique_ptr<rocksdb::Iterator> rows = make_rows();
    rows->Seek(place);
    return rows->status().ok() ? std::move(rows) : nullptr;
  };
  const auto readable = [&](const std::string& place) { return rows_at(place) != nullptr; };
  std::string damaged = PlaceOf(from, bytes);
  for (int block = 0; block < kMaxDamagedBlocks; ++block) {
    const auto ends_block = [&](const std::string& place) {
      return BlockBetween(db, table, damaged, place);
    };
    const bool more = ends_block(end);
    const std::string next = more ? FirstPlace(damaged, end, ends_block) : end;
    // Of a file whose index is damaged nothing tells the blocks: what follows it may begin before
    // `next`.
    if (readable(next)) return rows_at(FirstPlace(damaged, next, readable));
    if (!more) break;
    damaged = next;
  }
  return nullptr;
}

}  // namespace maillage::storage::rocks
