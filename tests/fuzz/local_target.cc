// What a site keeps for itself (replication/feed_entry.h, local_meta.h, evicted_record.h): a byte chooses the codec.
#include <string>

#include "replication/bundle.h"
#include "replication/evicted_record.h"
#include "replication/feed_entry.h"
#include "replication/local_meta.h"
#include "replication/revoked_authors.h"
#include "replication/stub.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

template <typename Decode, typename Encode>
bool RequireCanonical(std::string_view bytes, Decode decode, Encode encode,
                      absl::StatusCode refusal = absl::StatusCode::kDataLoss) {
  const auto value = decode(bytes);
  if (!value.ok()) {
    RequireRefusal(value.status(), refusal);
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
  if (choice >= 0xe8) return RequireCanonical(bytes, DecodeBundleReceipt, EncodeBundleReceipt);
  if (choice >= 0xe0) return RequireCanonical(bytes, DecodeStub, EncodeStub, absl::StatusCode::kInvalidArgument);
  if (choice >= 0xd8) {
    return RequireCanonical(bytes, RevokedAuthors::FromBytes, [](const RevokedAuthors& revoked) { return revoked.Encode(); });
  }
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
