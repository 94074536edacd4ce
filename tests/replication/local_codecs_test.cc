// Feed entries, dots and the meta table: round trips, truncations, damage.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "replication/feed_entry.h"
#include "replication/local_meta.h"
#include "tests/replication/support/literals.h"
#include "tests/replication/support/ports.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

const RecordKey kRecord{3, IdOf(9)};

LocalProgress SampleProgress() {
  LocalProgress progress{7, 300, HybridTime::FromMillis(kMorning), 2, 1, 4, {}};
  progress.kinds[1] = {1000, 3};
  progress.kinds[300] = {0, 1};
  return progress;
}

// A value that is encoded, with how its bytes are read back.
struct Codec {
  const char* name;
  std::string bytes;
  // The bytes that it encodes to again; the error otherwise.
  std::function<absl::StatusOr<std::string>(std::string_view)> reencode;
  // Whether a shorter text can be another value: the last part runs to the end.
  bool open_ended;
};

template <typename Decode, typename Encode>
auto Reencoding(Decode decode, Encode encode) {
  return [=](std::string_view bytes) -> absl::StatusOr<std::string> {
    const auto decoded = decode(bytes);
    if (!decoded.ok()) return decoded.status();
    return encode(*decoded);
  };
}

std::vector<Codec> Codecs() {
  const FeedEntry change{FeedEntry::Type::kChange, Alice(), kRecord, "the author's bytes"};
  const FeedEntry state{FeedEntry::Type::kState, Bob(), kRecord, ""};
  const RequestOutcome outcome{12, kRecord, "b7"_dot};
  const QuarantineEntry quarantined{Carol(), "règle inconnue", "bytes"};
  const auto feed = Reencoding(DecodeFeedEntry, EncodeFeedEntry);
  return {
      {"feed_change", EncodeFeedEntry(change), feed, true},
      {"feed_state", EncodeFeedEntry(state), feed, false},
      {"dot", EncodeDot("a'300"_dot), Reencoding(DecodeDot, EncodeDot), false},
      {"identity", EncodeIdentity({Alice(), 0x0123456789abcdef, 3}),
       Reencoding(DecodeIdentity, EncodeIdentity), false},
      {"progress", EncodeProgress(SampleProgress()), Reencoding(DecodeProgress, EncodeProgress),
       false},
      {"cursor", EncodeCursor({0x0123456789abcdef, 300}), Reencoding(DecodeCursor, EncodeCursor),
       false},
      {"request", EncodeRequestOutcome(outcome),
       Reencoding(DecodeRequestOutcome, EncodeRequestOutcome), false},
      {"author", EncodeKnownAuthor({300, std::string(kChangeHashSize, '\x5a')}),
       Reencoding(DecodeKnownAuthor, EncodeKnownAuthor), false},
      {"witness", EncodeWitnessMark({300, 299, 0x0123456789abcdef}),
       Reencoding(DecodeWitnessMark, EncodeWitnessMark), false},
      {"continuity", EncodeContinuityNote({ContinuityDoubt::kPeerKnowsMore, kMorning, 300}),
       Reencoding(DecodeContinuityNote, EncodeContinuityNote), false},
      {"count", EncodeCount(300), Reencoding(DecodeCount, EncodeCount), false},
      {"quarantine", EncodeQuarantineEntry(quarantined),
       Reencoding(DecodeQuarantineEntry, EncodeQuarantineEntry), true},
  };
}

class LocalCodecs : public ::testing::TestWithParam<Codec> {};

TEST_P(LocalCodecs, SurviveTheirBytes) {
  const auto again = GetParam().reencode(GetParam().bytes);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ToHex(*again), ToHex(GetParam().bytes));
}

TEST_P(LocalCodecs, TruncationsAreDataLoss) {
  for (size_t size = 0; size < GetParam().bytes.size(); ++size) {
    const auto again = GetParam().reencode(std::string_view(GetParam().bytes).substr(0, size));
    if (!again.ok()) {
      EXPECT_EQ(again.status().code(), absl::StatusCode::kDataLoss);
    } else {
      EXPECT_TRUE(GetParam().open_ended) << size << " bytes of " << GetParam().bytes.size();
    }
  }
}

TEST_P(LocalCodecs, LeftoversAreDataLoss) {
  EXPECT_EQ(GetParam().reencode(GetParam().bytes + "x").ok(), GetParam().open_ended);
}

TEST_P(LocalCodecs, DamageIsDataLossOrAnotherValue) {
  SeededRandom random(maillage::testing::TestSeed());
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = GetParam().bytes;
    damaged[random.Below(damaged.size())] = static_cast<char>(random.Below(256));
    const auto again = GetParam().reencode(damaged);
    if (!again.ok()) {
      ASSERT_EQ(again.status().code(), absl::StatusCode::kDataLoss) << again.status();
    } else {
      ASSERT_EQ(ToHex(*again), ToHex(damaged));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Local, LocalCodecs, ::testing::ValuesIn(Codecs()),
                         [](const auto& info) { return info.param.name; });

TEST(LocalCodecsTest, KeepEveryPart) {
  const FeedEntry entry{FeedEntry::Type::kChange, Alice(), kRecord, std::string("\0x", 2)};
  EXPECT_EQ(*DecodeFeedEntry(EncodeFeedEntry(entry)), entry);
  EXPECT_EQ(*DecodeDot(EncodeDot("b~'7"_dot)), "b~'7"_dot);
  const LocalIdentity identity{Bob(), 77, 2};
  EXPECT_EQ(*DecodeIdentity(EncodeIdentity(identity)), identity);
  EXPECT_EQ(*DecodeProgress(EncodeProgress(SampleProgress())), SampleProgress());
  const PeerCursor cursor{5, 6};
  EXPECT_EQ(*DecodeCursor(EncodeCursor(cursor)), cursor);
  const RequestOutcome outcome{12, kRecord, "b7"_dot};
  EXPECT_EQ(*DecodeRequestOutcome(EncodeRequestOutcome(outcome)), outcome);
  const QuarantineEntry quarantined{Carol(), "règle", "bytes"};
  EXPECT_EQ(*DecodeQuarantineEntry(EncodeQuarantineEntry(quarantined)), quarantined);
}

TEST(LocalCodecsTest, RefuseKindsOutOfOrder) {
  LocalProgress progress;
  progress.kinds[1] = progress.kinds[2] = {5, 5};
  std::string bytes = EncodeProgress(progress);
  std::swap(bytes[bytes.size() - 6], bytes[bytes.size() - 3]);
  EXPECT_EQ(DecodeProgress(bytes).status().code(), absl::StatusCode::kDataLoss);
  bytes[bytes.size() - 6] = bytes[bytes.size() - 3];
  EXPECT_EQ(DecodeProgress(bytes).status().code(), absl::StatusCode::kDataLoss) << "twice there";
}

TEST(LocalCodecsTest, RefuseUnknownTypesAndFormats) {
  std::string feed = EncodeFeedEntry({FeedEntry::Type::kChange, Alice(), kRecord, ""});
  feed[0] = 3;
  EXPECT_EQ(DecodeFeedEntry(feed).status().code(), absl::StatusCode::kDataLoss);
  std::string identity = EncodeIdentity({Alice(), 1, 0});
  identity[0] = 2;
  EXPECT_EQ(DecodeIdentity(identity).status().code(), absl::StatusCode::kDataLoss);
  std::string progress = EncodeProgress({});
  progress[0] = 2;
  EXPECT_EQ(DecodeProgress(progress).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace maillage::replication::testing
