// The lease: what it says, when it contradicts a store, and what a copy of it gives away.
#include "server/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "server/tuning.h"
#include "tests/storage/temporary_folder.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const SiteId kSavoie = *SiteId::FromBytes("0123456789abcdef");

StoreFacts Facts() { return {kSavoie, 7, 3, 120, 900}; }

LeaseTerms Terms(bool ended) { return {Facts(), {"machine", "12.5.6"}, ended}; }

std::string Told(const LeaseTerms& terms, const StoreFacts& store) {
  return Contradiction(terms, terms.place, store);
}

TEST(LeaseTerms, AreReadAsTheyWereWritten) {
  for (const bool ended : {true, false}) {
    const auto read = DecodeLease(EncodeLease(Terms(ended)));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, Terms(ended));
  }
}

TEST(LeaseTerms, AnyChangedOrMissingByteIsDamage) {
  std::mt19937_64 random(testing::TestSeed());
  const std::string text = EncodeLease(Terms(true));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ (1 << (random() % 8)));
    EXPECT_FALSE(DecodeLease(other).ok()) << other;
    EXPECT_FALSE(DecodeLease(text.substr(0, i)).ok());
  }
  EXPECT_FALSE(DecodeLease(text + "\n").ok());
}

TEST(LeaseTerms, AStoreThatWentOnAfterACrashFits) {
  StoreFacts store = Facts();
  EXPECT_THAT(Told(Terms(false), store), IsEmpty());
  store.issued += 50;
  store.feed_head += 80;
  EXPECT_THAT(Told(Terms(false), store), IsEmpty());
}

TEST(LeaseTerms, AStoreThatHasLessDoesNotFit) {
  StoreFacts store = Facts();
  --store.issued;
  EXPECT_THAT(Told(Terms(false), store), HasSubstr("900"));
}

TEST(LeaseTerms, AfterACleanStopTheStoreHasExactlyThat) {
  StoreFacts store = Facts();
  EXPECT_THAT(Told(Terms(true), store), IsEmpty());
  ++store.feed_head;
  EXPECT_THAT(Told(Terms(true), store), Not(IsEmpty()));
}

TEST(LeaseTerms, AnotherSiteIncarnationOrOpeningDoesNotFit) {
  StoreFacts store = Facts();
  store.site = SiteId();
  EXPECT_THAT(Told(Terms(false), store), HasSubstr("autre site"));
  store = Facts();
  ++store.incarnation;
  EXPECT_THAT(Told(Terms(false), store), HasSubstr("incarnation"));
  store = Facts();
  --store.opening;
  EXPECT_THAT(Told(Terms(false), store), HasSubstr("ouvertures"));
}

TEST(LeaseTerms, ElsewhereItIsACopy) {
  EXPECT_THAT(Contradiction(Terms(false), {"machine", "13.5.6"}, Facts()), HasSubstr("copie"));
  EXPECT_THAT(Contradiction(Terms(false), {"other", "12.5.6"}, Facts()), HasSubstr("autre machine"));
  EXPECT_THAT(Contradiction(std::nullopt, {}, Facts()), HasSubstr("manque"));
}

class LeaseFile : public ::testing::Test {
 protected:
  std::string ContradictionNow(const StoreFacts& store) {
    auto lease = Lease::Take(file_);
    EXPECT_TRUE(lease.ok()) << lease.status();
    return (*lease)->Contradiction(store);
  }
  std::string Text() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  storage::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.In("savoie.lease");
};

TEST_F(LeaseFile, FitsTheStoreThatItWasWrittenFor) {
  EXPECT_THAT(ContradictionNow(Facts()), HasSubstr("manque"));
  ASSERT_TRUE((*Lease::Take(file_))->Keep(Facts(), 1).ok());
  EXPECT_THAT(ContradictionNow(Facts()), IsEmpty());
  ASSERT_TRUE((*Lease::Take(file_))->End(Facts()).ok());
  EXPECT_THAT(ContradictionNow(Facts()), IsEmpty());
}

TEST_F(LeaseFile, ACopyOfItInItsOwnPlaceIsFoundOut) {
  ASSERT_TRUE((*Lease::Take(file_))->End(Facts()).ok());
  const std::filesystem::path copy = folder_.In("copy");
  std::filesystem::copy_file(file_, copy);
  std::filesystem::remove(file_);
  std::filesystem::copy_file(copy, file_);
  EXPECT_THAT(ContradictionNow(Facts()), HasSubstr("copie"));
}

TEST_F(LeaseFile, IsHeldByOneNode) {
  const auto held = Lease::Take(file_);
  ASSERT_TRUE(held.ok());
  const auto second = Lease::Take(file_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("--lease"));
}

TEST_F(LeaseFile, IsWrittenAtOnceForANewLifeAndElseOnceAMinute) {
  auto lease = *Lease::Take(file_);
  StoreFacts store = Facts();
  ASSERT_TRUE(lease->Keep(store, 1000).ok());
  const std::string first = Text();
  ++store.issued;
  ASSERT_TRUE(lease->Keep(store, 1000 + kLeaseMillis - 1).ok());
  EXPECT_EQ(Text(), first);
  ASSERT_TRUE(lease->Keep(store, 1000 + kLeaseMillis).ok());
  const std::string second = Text();
  EXPECT_NE(second, first);
  ++store.incarnation;
  ASSERT_TRUE(lease->Keep(store, 1000 + kLeaseMillis + 1).ok());
  EXPECT_NE(Text(), second);
}

TEST(DefaultLease, LiesBesideTheDataFolder) {
  EXPECT_EQ(DefaultLease("/srv/savoie"), "/srv/savoie.lease");
  EXPECT_EQ(DefaultLease("/srv/savoie/"), "/srv/savoie.lease");
  EXPECT_EQ(DefaultLease("/srv/savoie/."), "/srv/savoie.lease");
}

}  // namespace
}  // namespace maillage::server
