// Who belongs to the network is a function of the set of signed entries: not of their order, not of who brings them.
#include "replication/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/replication/support/network.h"
#include "tests/support/seed.h"

namespace maillage::replication::testing {
namespace {

using ::maillage::testing::TestRounds;
using ::maillage::testing::TestSeed;
using ::testing::HasSubstr;

v1::MembershipLog LogOf(const std::vector<v1::SignedEntry>& entries) {
  v1::MembershipLog log;
  for (const v1::SignedEntry& entry : entries) *log.add_entry() = entry;
  return log;
}

// All that follows from a log, to be compared.
std::string Told(const Membership& membership) {
  std::string told = std::to_string(membership.digest());
  for (const auto& [site, member] : membership.members()) {
    told += "\n" + FormatSiteId(site) + " " + member.name + " " + RoleName(member.role) + " " + member.territory.ToText() +
            (member.revoked ? " revoked" : "") + (member.revocation_pending ? " pending" : "") +
            (membership.IsAuthority(member.authority_key) ? " signs" : "");
    for (const auto& [incarnation, last] : member.last_valid) {
      told += " " + std::to_string(incarnation) + ":" + std::to_string(last.site_sequence);
    }
  }
  return told;
}

class MembershipTest : public ::testing::Test {
 protected:
  MembershipTest() : network(TestSeed()) {}

  SigningKey NewKey() { return SigningKey::Generate(network.random); }
  v1::LastValid Last(uint64_t incarnation, uint64_t sequence) {
    v1::LastValid last;
    last.set_incarnation(incarnation);
    last.set_site_sequence(sequence);
    last.set_hash(std::string(kChangeHashSize, '\x77'));
    return last;
  }
  // An antenna "clermont", with both signatures.
  void AddClermont() {
    network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &clermont_authority,
                  {&network.lyon_authority, &network.recovery});
  }

  TestNetwork network;
  SigningKey clermont = NewKey();
  SigningKey clermont_authority = NewKey();
  SigningKey savoie = NewKey();
};

TEST_F(MembershipTest, FoundingMakesOneAntenna) {
  const Membership membership = network.Opened();
  ASSERT_EQ(membership.members().size(), 1u);
  const Member& lyon = *membership.Find(network.lyon.site());
  EXPECT_EQ(lyon.name, "lyon");
  EXPECT_EQ(lyon.role, v1::ROLE_ANTENNA);
  EXPECT_TRUE(lyon.territory.everything());
  EXPECT_TRUE(membership.IsAuthority(network.lyon_authority.public_key()));
  EXPECT_EQ(membership.network_name(), "RESACOOP");
  EXPECT_NE(membership.digest(), 0u);
  EXPECT_EQ(Membership().digest(), 0u);
}

TEST_F(MembershipTest, AFoundingThatItsRecoveryKeyDidNotSignIsNone) {
  v1::SignedEntry& founding = *network.file.mutable_log()->mutable_entry(0);
  v1::MembershipEntry body;
  ASSERT_TRUE(body.ParseFromString(founding.entry()));
  founding = network.SignAll(body, {&network.lyon_authority});
  EXPECT_THAT(std::string(Membership::Of(network.id(), network.file.log()).status().message()), HasSubstr("n'est pas signée"));
  EXPECT_FALSE(Membership::Of(network.id(), {}).ok());
}

TEST_F(MembershipTest, AnAuthorityLetsARelayIn) {
  network.Enrol("savoie", v1::ROLE_RELAY, "73,74", savoie);
  const Membership membership = network.Opened();
  const Member& member = *membership.FindByName("savoie");
  EXPECT_EQ(member.site, savoie.site());
  EXPECT_EQ(member.territory.ToText(), "73,74");
  EXPECT_FALSE(membership.IsAuthority(savoie.public_key()));
}

TEST_F(MembershipTest, NobodyElseDoes) {
  const SigningKey stranger = NewKey();
  AddClermont();
  for (const SigningKey* signer : Signers{&stranger, &network.lyon, &savoie, &network.recovery}) {
    Membership membership = network.Opened();
    const uint64_t digest = membership.digest();
    const v1::SignedEntry entry = network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie, nullptr, {signer});
    network.file.mutable_log()->mutable_entry()->RemoveLast();
    membership.Add(LogOf({entry}));
    EXPECT_EQ(membership.Find(savoie.site()), nullptr);
    // The recovery key's word alone is kept until an authority adds its own.
    EXPECT_EQ(membership.digest() == digest, signer != &network.recovery);
  }
}

TEST_F(MembershipTest, AnAntennaTakesTwoSignatures) {
  v1::SignedEntry entry = network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &clermont_authority);
  Membership membership = network.Opened();
  EXPECT_EQ(membership.FindByName("clermont"), nullptr);
  EXPECT_FALSE(membership.IsAuthority(clermont_authority.public_key()));
  Sign(network.recovery, entry);
  EXPECT_EQ(membership.Add(LogOf({entry})).rows.size(), 1u);
  ASSERT_NE(membership.FindByName("clermont"), nullptr);
  EXPECT_TRUE(membership.IsAuthority(clermont_authority.public_key()));
  EXPECT_EQ(membership.Add(LogOf({entry})).rows.size(), 0u) << "nothing is new";
}

TEST_F(MembershipTest, ItsOwnSignatureIsNotOneOfTheTwo) {
  network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &clermont_authority,
                {&network.lyon_authority, &clermont_authority});
  EXPECT_EQ(network.Opened().FindByName("clermont"), nullptr);
}

TEST_F(MembershipTest, TheHighestRevisionCounts) {
  network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie, nullptr, {}, 1);
  network.Enrol("savoie", v1::ROLE_READER, "73,74", savoie, nullptr, {}, 2);
  network.Enrol("savoie", v1::ROLE_RELAY, "", savoie, nullptr, {}, 0);
  const Membership membership = network.Opened();
  const Member& member = *membership.FindByName("savoie");
  EXPECT_EQ(member.role, v1::ROLE_READER);
  EXPECT_EQ(member.territory.ToText(), "73,74");
}

TEST_F(MembershipTest, OneAntennaCanNotMakeAnotherLess) {
  AddClermont();
  network.Enrol("clermont", v1::ROLE_READER, "73", clermont, nullptr, {}, 9);
  EXPECT_EQ(network.Opened().FindByName("clermont")->role, v1::ROLE_ANTENNA);
}

TEST_F(MembershipTest, ARevocationTakesTwoAuthorities) {
  AddClermont();
  network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie);
  v1::SignedEntry revocation = network.Revoke(savoie.site(), {Last(7, 40)}, {}, {&network.lyon_authority});
  Membership membership = network.Opened();
  EXPECT_FALSE(membership.FindByName("savoie")->revoked);
  EXPECT_TRUE(membership.FindByName("savoie")->revocation_pending);
  ASSERT_EQ(membership.RevocationsOf(savoie.site()).size(), 1u);
  Sign(clermont_authority, revocation);
  membership.Add(LogOf({revocation}));
  const Member& member = *membership.FindByName("savoie");
  EXPECT_TRUE(member.revoked);
  EXPECT_EQ(member.reason, "ordinateur volé");
  EXPECT_EQ(member.last_valid.at(7).site_sequence, 40u);
}

TEST_F(MembershipTest, OfTwoRevocationsTheLowestNumbersCount) {
  AddClermont();
  network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie);
  const Signers both{&network.lyon_authority, &clermont_authority};
  network.Revoke(savoie.site(), {Last(7, 40), Last(8, 5)}, {}, both);
  network.Revoke(savoie.site(), {Last(7, 30), Last(9, 2)}, {}, both);
  const Membership membership = network.Opened();
  const Member& member = *membership.FindByName("savoie");
  ASSERT_EQ(member.last_valid.size(), 1u);
  EXPECT_EQ(member.last_valid.at(7).site_sequence, 30u);
}

TEST_F(MembershipTest, WhatARevokedAntennaSignedCountsAsFarAsItIsKept) {
  AddClermont();
  const SigningKey isere = NewKey();
  const SigningKey thief = NewKey();
  const std::string kept =
      EntryId(network.Enrol("isere", v1::ROLE_RELAY, "38", isere, nullptr, {&clermont_authority}).entry());
  network.Revoke(clermont.site(), {}, {kept}, {&network.lyon_authority, &network.recovery});
  network.Enrol("voleur", v1::ROLE_RELAY, "", thief, nullptr, {&clermont_authority});
  const Membership membership = network.Opened();
  EXPECT_NE(membership.FindByName("isere"), nullptr);
  EXPECT_EQ(membership.FindByName("voleur"), nullptr);
  EXPECT_TRUE(membership.FindByName("clermont")->revoked);
  EXPECT_FALSE(membership.IsAuthority(clermont_authority.public_key()));
}

TEST_F(MembershipTest, TheKeysOfOneAntennaAreOneVoice) {
  AddClermont();
  const SigningKey second = NewKey();
  network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &second, {&network.lyon_authority, &clermont_authority}, 1);
  network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie);
  const Signers alone{&clermont_authority, &second};
  network.Revoke(savoie.site(), {}, {}, alone);
  EXPECT_FALSE(network.Opened().FindByName("savoie")->revoked);
  const SigningKey thief = NewKey();
  const SigningKey thief_authority = NewKey();
  network.Enrol("voleur", v1::ROLE_ANTENNA, "", thief, &thief_authority, alone);
  EXPECT_EQ(network.Opened().FindByName("voleur"), nullptr);
  // And both are out with it.
  network.Revoke(clermont.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  const SigningKey isere = NewKey();
  network.Enrol("isere", v1::ROLE_RELAY, "38", isere, nullptr, {&clermont_authority});
  network.Enrol("isere", v1::ROLE_RELAY, "38", isere, nullptr, {&second}, 1);
  EXPECT_EQ(network.Opened().FindByName("isere"), nullptr);
}

TEST_F(MembershipTest, WhoGoesTakesNobodyElsesKeyAlong) {
  AddClermont();
  // Void, since Clermont alone has signed it: its own site, under Lyon's authority.
  network.Enrol("clermont", v1::ROLE_ANTENNA, "", clermont, &network.lyon_authority, {&clermont_authority}, 9);
  network.Revoke(clermont.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie);
  const Membership membership = network.Opened();
  EXPECT_TRUE(membership.IsAuthority(network.lyon_authority.public_key()));
  EXPECT_NE(membership.FindByName("savoie"), nullptr);
}

TEST_F(MembershipTest, TwoThatRevokeEachOtherAreBothOut) {
  AddClermont();
  network.Revoke(clermont.site(), {}, {}, {&network.lyon_authority, &network.recovery});
  network.Revoke(network.lyon.site(), {}, {}, {&clermont_authority, &network.recovery});
  // Clermont's enrolment carries Lyon's signature, which nobody keeps; its revocation of Lyon counts all the same.
  const Membership membership = network.Opened();
  EXPECT_TRUE(membership.FindByName("lyon")->revoked);
  const Member* const out = membership.FindByName("clermont");
  EXPECT_TRUE(out == nullptr || out->revoked);
  EXPECT_FALSE(membership.IsAuthority(network.lyon_authority.public_key()));
  EXPECT_FALSE(membership.IsAuthority(clermont_authority.public_key()));
}

TEST_F(MembershipTest, WhatIsForgedOrOfAnotherNetworkIsRefused) {
  TestNetwork other(4711);
  const v1::SignedEntry good = network.Enrol("savoie", v1::ROLE_RELAY, "73", savoie);
  network.file.mutable_log()->mutable_entry()->RemoveLast();
  std::vector<v1::SignedEntry> bad(5, good);
  bad[0].mutable_signature(0)->mutable_signature()->back() ^= 1;
  bad[1].mutable_entry()->back() ^= 1;
  bad[2].clear_signature();
  bad[3] = other.Enrol("savoie", v1::ROLE_RELAY, "73", savoie, nullptr, {&network.lyon_authority});
  bad[4].mutable_entry()->resize(bad[4].entry().size() / 2);
  for (size_t i = 0; i < bad.size(); ++i) {
    Membership membership = network.Opened();
    const Membership::Added added = membership.Add(LogOf({bad[i], good}));
    // One without signatures is the good one, and says nothing against it.
    EXPECT_EQ(added.refused.ok(), i == 2) << i;
    EXPECT_EQ(added.rows.size(), 1u) << i << ": the good one is taken";
    EXPECT_EQ(membership.members().size(), 2u);
  }
}

TEST_F(MembershipTest, LimitsAreKept) {
  Membership membership = network.Opened();
  v1::MembershipEntry entry = network.Entry();
  entry.mutable_enrolment()->set_key(savoie.public_key());
  entry.mutable_enrolment()->set_role(v1::ROLE_RELAY);
  const auto refuses = [&] { return membership.Add(LogOf({network.SignAll(entry, {&network.lyon_authority})})).rows.empty(); };
  EXPECT_TRUE(refuses()) << "without a name";
  entry.mutable_enrolment()->set_name(std::string(513, 'a'));
  EXPECT_TRUE(refuses());
  entry.mutable_enrolment()->set_name("savoie");
  entry.mutable_enrolment()->set_authority_key(clermont_authority.public_key());
  EXPECT_TRUE(refuses()) << "a relay with an authority";
  entry.mutable_enrolment()->clear_authority_key();
  entry.mutable_enrolment()->set_territory("73,,");
  EXPECT_TRUE(refuses());
  entry.mutable_enrolment()->set_territory("73");
  entry.mutable_enrolment()->set_key("short");
  EXPECT_TRUE(refuses());
  entry.mutable_enrolment()->set_key(savoie.public_key());
  EXPECT_FALSE(refuses());
}

// A log with every kind of entry, and some that are void.
std::vector<v1::SignedEntry> RandomLog(TestNetwork& network) {
  std::vector<SigningKey> sites;
  std::vector<SigningKey> authorities;
  for (int i = 0; i < 4; ++i) {
    sites.push_back(SigningKey::Generate(network.random));
    authorities.push_back(SigningKey::Generate(network.random));
  }
  std::vector<const SigningKey*> signers{&network.lyon_authority, &network.recovery};
  for (const SigningKey& authority : authorities) signers.push_back(&authority);
  const auto some = [&] {
    Signers chosen;
    for (const SigningKey* signer : signers) {
      if (network.random.OneIn(3)) chosen.push_back(signer);
    }
    return chosen;
  };
  const size_t entries = 3 + network.random.Below(12);
  for (size_t i = 0; i < entries; ++i) {
    const size_t who = network.random.Below(sites.size());
    if (network.random.OneIn(3)) {
      std::vector<std::string> kept;
      for (const v1::SignedEntry& entry : network.file.log().entry()) {
        if (network.random.OneIn(2)) kept.push_back(EntryId(entry.entry()));
      }
      network.Revoke(network.random.OneIn(6) ? network.lyon.site() : sites[who].site(), {}, kept, some());
    } else {
      const bool antenna = network.random.OneIn(2);
      network.Enrol("site" + std::to_string(who), antenna ? v1::ROLE_ANTENNA : v1::ROLE_RELAY, antenna ? "" : "73",
                    sites[who], antenna ? &authorities[who] : nullptr, some(),
                    static_cast<uint32_t>(network.random.Below(3)));
    }
  }
  return {network.file.log().entry().begin(), network.file.log().entry().end()};
}

// Some signatures of the entry, at least one: what a site has of it that isn't told all yet.
v1::SignedEntry PartOf(const v1::SignedEntry& entry, SeededRandom& random) {
  v1::SignedEntry part = entry;
  while (part.signature_size() > 1 && random.OneIn(2)) {
    part.mutable_signature()->DeleteSubrange(static_cast<int>(random.Below(static_cast<uint64_t>(part.signature_size()))), 1);
  }
  return part;
}

TEST(MembershipLaws, AnyOrderAnyPartsAnyRepetitionsTellTheSame) {
  const uint64_t seed = TestSeed();
  size_t revoked = 0;
  size_t antennas = 0;
  for (uint64_t round = 0; round < TestRounds(300); ++round) {
    TestNetwork network(seed + round);
    std::vector<v1::SignedEntry> entries = RandomLog(network);
    const std::vector<v1::SignedEntry> founding{entries.front()};
    std::optional<std::string> told;
    for (int copy = 0; copy < 4; ++copy) {
      Membership membership = *Membership::Of(network.id(), LogOf(founding));
      std::vector<v1::SignedEntry> sent;
      for (const v1::SignedEntry& entry : entries) {
        sent.push_back(entry);
        for (int i = 0; i < 2; ++i) sent.push_back(PartOf(entry, network.random));
      }
      std::shuffle(sent.begin(), sent.end(), network.random.engine);
      // In frames of a few; what came before its authority was known comes again, as sessions see to.
      for (int time = 0; time < 6; ++time) {
        for (size_t i = 0; i < sent.size();) {
          const size_t size = std::min<size_t>(sent.size() - i, 1 + network.random.Below(5));
          membership.Add(LogOf({sent.begin() + static_cast<ptrdiff_t>(i), sent.begin() + static_cast<ptrdiff_t>(i + size)}));
          i += size;
        }
      }
      // And what it would tell others gives the same again.
      const Membership again = *Membership::Of(network.id(), membership.Log());
      ASSERT_EQ(Told(again), Told(membership)) << "seed " << seed + round;
      if (!told.has_value()) told = Told(membership);
      ASSERT_EQ(Told(membership), *told) << "seed " << seed + round;
      for (const auto& [site, member] : membership.members()) {
        revoked += member.revoked ? 1 : 0;
        antennas += member.role == v1::ROLE_ANTENNA ? 1 : 0;
      }
    }
  }
  std::cout << revoked << " revoked, " << antennas << " antennas" << std::endl;
  EXPECT_GT(revoked, 50u);
  EXPECT_GT(antennas, TestRounds(300));
}

}  // namespace
}  // namespace maillage::replication::testing
