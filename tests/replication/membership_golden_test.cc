// What antennas sign, and a signed change, byte for byte: from fixed keys, since Ed25519 is deterministic.
#include <gtest/gtest.h>

#include <string>

#include "proto/sync.pb.h"
#include "replication/change_signature.h"
#include "replication/membership.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/golden.h"
#include "tests/replication/support/network.h"

namespace maillage::replication::testing {
namespace {

// Not TestSeed(): the bytes are pinned.
constexpr uint64_t kSeed = 20210108;

TEST(Golden, Membership) {
  TestNetwork network(kSeed);
  const SigningKey clermont = SigningKey::Generate(network.random);
  const SigningKey clermont_authority = SigningKey::Generate(network.random);
  const SigningKey savoie = SigningKey::Generate(network.random);
  GoldenFile file("membership/entries.txt",
                  "SignedEntry: proto/membership.proto; what is signed is \"maillage membership entry\", a NUL, and the entry.");
  file.Add("founding", network.file.log().entry(0).SerializeAsString())
      .Add("the network's id", network.id().bytes())
      .Add("an antenna, signed by two",
           network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &clermont_authority,
                         {&network.lyon_authority, &network.recovery})
               .SerializeAsString())
      .Add("a relay of two départements",
           network.Enrol("savoie", v1::ROLE_RELAY, "73,74", savoie, nullptr, {}, 2).SerializeAsString());
  v1::LastValid last;
  last.set_incarnation(0x0102030405060708);
  last.set_site_sequence(300);
  last.set_hash(std::string(kChangeHashSize, '\x4a'));
  const std::string kept = EntryId(network.file.log().entry(1).entry());
  file.Add("a revocation",
           network.Revoke(clermont.site(), {last}, {kept}, {&network.lyon_authority, &network.recovery}).SerializeAsString());
  v1::SyncFrame frame;
  *frame.mutable_membership()->add_entry() = network.file.log().entry(2);
  file.Add("frame with an entry", frame.SerializeAsString());
  frame.mutable_hello()->set_membership(0x0102030405060708);
  file.Add("Hello of a member: membership alone", frame.SerializeAsString());
  frame.mutable_check()->set_membership(0x0102030405060708);
  file.Add("Check of a member: membership alone", frame.SerializeAsString()).Compare();
  EXPECT_EQ(network.Opened().members().size(), 3u);
}

TEST(Golden, SignedChange) {
  TestNetwork network(kSeed);
  const Change change = Written("a1").At(kMorning).By("Zoé Martin").Set(1, "Amis du Mali");
  std::string bytes = EncodeChange(change);
  SignChange(network.lyon, network.id(), bytes);
  EXPECT_EQ(*DecodeChange(bytes), change);
  EXPECT_TRUE(VerifyChange(bytes, network.id(), network.lyon.public_key()));
  GoldenFile("membership/signed_change.txt",
             "A change with its author's signature, over \"maillage change\", a NUL, the network's id and all bytes before field 15.")
      .Add("public key", network.lyon.public_key())
      .Add("network", network.id().bytes())
      .Add("change", bytes)
      .Compare();
}

TEST(Golden, ChangeWithSalt) {
  TestNetwork network(kSeed);
  Change change = Written("a2").At(kMorning).By("Zoé Martin").Set(1, "Amis du Mali").Set(2, "ADM");
  change.previous = "sixteen bytes !!";
  change.salt = "8 bytes!";
  std::string bytes = EncodeChange(change);
  SignChange(network.lyon, network.id(), bytes);
  EXPECT_EQ(*DecodeChange(bytes), change);
  const std::string without_first = *WithoutValue(bytes, 0);
  for (const std::string& form : {bytes, without_first, *WithoutValues(bytes)}) {
    EXPECT_TRUE(VerifyChange(form, network.id(), network.lyon.public_key()));
    EXPECT_EQ(HashOfChange(form), HashOfChange(bytes));
  }
  GoldenFile("membership/change_with_salt.txt", "A signed change that says what it follows, and what of it remains: replication/change_signature.h.")
      .Add("change", bytes)
      .Add("its hash", HashOfChange(bytes))
      .Add("without its first value", without_first)
      .Add("without any value", *WithoutValues(bytes))
      .Compare();
}

}  // namespace
}  // namespace maillage::replication::testing
