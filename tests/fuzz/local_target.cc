// What a site keeps for itself (replication/feed_entry.h, local_meta.h, evicted_record.h): a byte chooses the codec.
#include <string>

#include "replication/evicted_record.h"
#include "replication/feed_entry.h"
#include "replication/local_meta.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

template <typename Decode, typename Encode>
bool RequireCanonical(std::string_view bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value.ok()) {
    RequireRefusal(value.status(), absl::StatusCode::kDataLoss);
    return false;
  }
  MAILLAGE_REQUIRE(encode(*value) == bytes);
  return true;
}

}  // namespace

bool FuzzLocal(std::string_view bytes) {
  using namespace replication;
  const uint8_t choice = TakeByte(bytes);
  // Apart from the others, so that each input of the corpus keeps its codec.
  if (choice >= 0xf0) return RequireCanonical(bytes, DecodeEvictedRecord, EncodeEvictedRecord);
  switch (choice % 7) {
    case 0:
      return RequireCanonical(bytes, DecodeFeedEntry, EncodeFeedEntry);
    case 1:
      return RequireCanonical(bytes, DecodeDot, EncodeDot);
    case 2:
      return RequireCanonical(bytes, DecodeIdentity, EncodeIdentity);
    case 3:
      return RequireCanonical(bytes, DecodeProgress, EncodeProgress);
    case 4:
      return RequireCanonical(bytes, DecodeCursor, EncodeCursor);
    case 5:
      return RequireCanonical(bytes, DecodeRequestOutcome, EncodeRequestOutcome);
    default:
      return RequireCanonical(bytes, DecodeQuarantineEntry, EncodeQuarantineEntry);
  }
}

}  // namespace maillage::fuzz
