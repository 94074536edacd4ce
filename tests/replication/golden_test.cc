// Writes one sample of everything that sites keep or send, and compares it with tests/golden/. Each
// is read back, too: what an older version wrote must still mean the same.
#include "tests/replication/support/golden.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/bundle.pb.h"
#include "proto/records.pb.h"
#include "replication/bundle.h"
#include "replication/bundle_file.h"
#include "replication/edit.h"
#include "replication/evicted_record.h"
#include "replication/feed_entry.h"
#include "replication/fingerprint.h"
#include "replication/fingerprint_tree.h"
#include "replication/local_meta.h"
#include "replication/record_id.h"
#include "replication/revoked_authors.h"
#include "replication/schema.h"
#include "replication/scope.h"
#include "replication/state_codec.h"
#include "replication/stub.h"
#include "replication/value_codec.h"
#include "storage/keys.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {
namespace {

const RecordId kId = *ParseUuid("018f3c1e-7a2b-7c3d-8e4f-0123456789ab");
const RecordKey kRecord{1, kId};
constexpr uint64_t kPosition = 0x0102030405060708;

TEST(Golden, Keys) {
  const storage::PartitionKey savoie{1, "73"};
  const std::string digest(16, '\xdd');
  GoldenFile("keys/tables.txt", "Keys of every table, as storage/keys.h lays them out.")
      .Add("states: actor", storage::StateKey(kRecord))
      .Add("states: kind 300", storage::StateKey({300, kId}))
      .Add("changes", storage::ChangeKey(kRecord, kPosition))
      .Add("fingerprints: Savoie", storage::FingerprintKey(savoie, kPosition, kId))
      .Add("fingerprints: the whole region", storage::FingerprintKey({2, ""}, kPosition, kId))
      .Add("feed", storage::FeedKey(kPosition))
      .Add("index: word", storage::WordKey(1, "été", kId))
      .Add("index: natural key", storage::NaturalKeyKey(1, 4, digest, kId))
      .Add("index: conflict", storage::ConflictKey(kRecord))
      .Add("meta: lost", storage::LostKey(kRecord))
      .Add("meta: identity", storage::kIdentityKey)
      .Add("meta: progress", storage::kProgressKey)
      .Add("meta: cursor", storage::CursorKey(Alice()))
      .Add("meta: request", storage::RequestKey("r-1"))
      .Add("meta: quarantine", storage::QuarantineKey(digest))
      .Add("meta: paused", storage::PausedKey("savoie"))
      .Add("meta: address", storage::AddressKey("127.0.0.1:7103"))
      .Add("meta: opening", storage::kOpeningKey)
      .Add("meta: continuity", storage::kContinuityKey)
      .Add("meta: witness", storage::kWitnessKey)
      .Add("meta: author", storage::AuthorKey(Alice(), kPosition))
      .Add("meta: own", storage::OwnSequenceKey(kPosition, 65))
      .Add("meta: seen", storage::SeenKey(kRecord))
      .Add("meta: renounced", storage::RenouncedKey(kRecord))
      .Add("meta: leaving", storage::LeavingKey(kRecord))
      .Add("meta: evicted", storage::EvictedKey(kRecord))
      .Add("meta: scope", storage::kScopeKey)
      .Add("fingerprints: stubs of Savoie", storage::FingerprintKey(StubPartitionOf(savoie), StubPosition(kId), kId))
      .Add("index: reference", storage::ReferenceKey(kId, savoie, kId))
      .Add("meta: complete", storage::kCompleteKey)
      .Add("meta: stub", storage::StubKey(kId))
      .Add("meta: stubs", storage::kStubsKey)
      .Add("meta: bundle", storage::BundleKey(Alice()))
      .Add("meta: had", storage::HadKey(Alice()))
      .Add("meta: due", storage::DueKey(Alice(), kRecord))
      .Add("meta: loading", storage::kLoadingKey)
      .Add("meta: member", storage::MemberKey(digest))
      .Add("meta: revoked", storage::kRevokedKey)
      .Compare();
}

TEST(Golden, TableNames) {
  GoldenFile file("keys/table_names.txt", "Names of the tables, in the order of their numbers.");
  for (size_t i = 0; i < storage::kTableCount; ++i) {
    file.Add(std::to_string(i), storage::TableName(static_cast<storage::Table>(i)));
  }
  file.Compare();
}

TEST(Golden, NaturalKeysAndPositions) {
  v1::Actor actor;
  actor.set_name("Fédération de l'Œuvre");
  actor.set_department("73");
  actor.set_siren("732829320");
  v1::ExternalId* id = actor.add_external_ids();
  id->set_system("osiris");
  id->set_id("12");
  GoldenFile file("keys/digests.txt",
                  "What is hashed into keys: natural keys, and places in the tries.");
  for (const NaturalKeyValue& key :
       Schema::BuiltIn().NaturalKeys(*Schema::BuiltIn().FindKind("actor"), actor)) {
    file.Add("natural key " + std::to_string(key.rule), key.digest);
  }
  file.Add("position of the actor", storage::FeedKey(TriePosition(kRecord)))
      .Add("position of a project of the same id", storage::FeedKey(TriePosition({2, kId})))
      .Compare();
}

// Every kind of operation; Bob had read Alice's first and not her second.
Change RichChange() {
  Change change = Written("b'2")
                      .Of(kRecord)
                      .After("a1 b'1")
                      .At(kMorning)
                      .By("Zoé Martin")
                      .Set(1, "Amis du Mali")
                      .Clear(2)
                      .Add(12, "73")
                      .Remove(12, "69")
                      .SetEntry(23, "osiris", "entry")
                      .RemoveEntry(23, "rna")
                      .Max(29, "2021-02")
                      .Count(40, "-5");
  change.operations[2].territory = true;
  change.operations[3].territory = true;
  change.site_sequence = 300;
  change.time.value += 7;
  return change;
}

Change BareChange() { return Written("a1").Of(kRecord); }
Change DeletingChange() {
  return Written("a2").Of(kRecord).After("a1 b3").At(kMorning).By("Adèle").Delete();
}

TEST(Golden, Changes) {
  GoldenFile file("change/changes.txt", "Authors' bytes: proto/change.proto.");
  const std::pair<const char*, Change> samples[] = {
      {"every rule, put and removed", RichChange()},
      {"a delete that covers a1 b3", DeletingChange()},
      {"a restore", Written("a3").Of(kRecord).After("a2 b3").Undelete()},
      {"nothing but a dot", BareChange()}};
  for (const auto& [name, change] : samples) {
    const std::string bytes = EncodeChange(change);
    EXPECT_EQ(*DecodeChange(bytes), change);
    file.Add(name, bytes);
  }
  file.Compare();
}

TEST(Golden, Etags) {
  GoldenFile file("change/etags.txt", "Read tokens, as text: clients keep them.");
  for (const char* vector : {"a1", "a3 a'1 a~2 b300"})
    file.Add(vector, EncodeEtag(ParseVector(vector)));
  file.Compare();
}

TEST(Golden, Values) {
  v1::Actor actor;
  actor.set_name("Amis du Mali");
  actor.mutable_address()->set_street("12 rue de l'Église");
  actor.mutable_address()->set_town("Chambéry");
  actor.mutable_location()->set_latitude(45.5);
  actor.add_network_roles(v1::RELAY);
  actor.set_population(0);
  actor.set_visibility(v1::NETWORK);
  actor.set_last_verified("2021-02");
  v1::Project project;
  project.mutable_budget()->set_minor_units(-1250);
  project.mutable_budget()->set_currency("EUR");
  project.add_partners()->mutable_party()->set_text("Pays de Savoie solidaires");
  GoldenFile file("change/values.txt", "Fields of records as bytes: replication/value_codec.h.");
  for (const auto* message :
       std::initializer_list<const google::protobuf::Message*>{&actor, &project}) {
    const KindSchema& kind =
        *Schema::BuiltIn().FindKindOfMessage(message->GetDescriptor()->full_name());
    const Edit edit{SetFields(kind, *message), message, nullptr, nullptr};
    const auto operations = PlanEdit(kind, {}, {}, edit);
    ASSERT_TRUE(operations.ok()) << operations.status();
    for (const Operation& operation : *operations) {
      const std::string name =
          kind.name + "." + kind.FindField(operation.field)->descriptor->name();
      if (!operation.key.empty()) file.Add(name + ", key", operation.key);
      if (operation.rule != v1::SET) file.Add(name, *operation.value);
    }
  }
  file.Compare();
}

RecordState RichState() {
  return StateOf({Written("a1").At(kMorning).By("Adèle").Set(1, "Amis du Mali").Add(12, "69"),
                  Written("b'1"), RichChange(),
                  Written("a2").After("a1").At(kMorning + 1).By("Adèle").Set(1, "Les Amis"),
                  Written("c1").After("a2 b'2").By("").Delete()});
}

RecordState VoidedState() {
  RecordState state = RichState();
  Change change = Written("d1").After("a2 b'2").At(kMorning + 2).By("Inconnu").Set(1, "rien");
  change.is_void = true;
  state.Apply(change);
  return state;
}

TEST(Golden, States) {
  GoldenFile file("state/states.txt", "Canonical bytes of states: replication/state_codec.h.");
  const std::pair<const char*, RecordState> samples[] = {
      {"no change", RecordState()},
      {"a change that wrote nothing", StateOf({BareChange()})},
      {"every rule, two names, a delete", RichState()},
      {"the same, and a change that is void", VoidedState()}};
  for (const auto& [name, state] : samples) {
    const std::string bytes = EncodeState(state);
    EXPECT_EQ(*DecodeState(bytes), state);
    file.Add(name, bytes);
  }
  file.Compare();
}

TEST(Golden, RecordIds) {
  FakeWall wall(0x018f3c1e7a2b);
  SeededRandom random(1);
  const RecordId id = RecordIdSource(&wall, &random).Next(Alice());
  EXPECT_TRUE(IsIdOf(id, Alice()));
  GoldenFile("change/record_ids.txt", "Ids of records: replication/record_id.h.").Add("made by Alice", id.bytes()).Compare();
}

TEST(Golden, Fingerprints) {
  const Fingerprint fingerprint = Fingerprint::OfState(kRecord, EncodeState(RichState()));
  FingerprintSum sum;
  sum.Add(fingerprint);
  sum.Add(Fingerprint::OfState({2, kId}, EncodeState({})));
  FingerprintTree tree;
  tree.Apply({1, "73"}, kPosition, std::nullopt, fingerprint);
  tree.Apply({2, ""}, kPosition, std::nullopt, fingerprint);
  GoldenFile("state/fingerprints.txt", "What sites compare: fingerprints, sums, digests.")
      .Add("of a state", fingerprint.ToBytes())
      .Add("sum of two", sum.sum.ToBytes())
      .Add("that sum, truncated with salt 5, big-endian", storage::FeedKey(sum.Truncated(5)))
      .Add("digest of a tree with two partitions", tree.Digest())
      .Add("digest of what a scope holds of it", tree.Digest(Scope({"38"})))
      .Add("of a stub", StubFingerprint(kId, StubOf(1, RichState(), Schema::BuiltIn())).ToBytes())
      .Compare();
}

TEST(Golden, FeedEntries) {
  const FeedEntry change{FeedEntry::Type::kChange, Bob(), kRecord, "the author's bytes"};
  const FeedEntry state{FeedEntry::Type::kState, Bob(), {300, kId}, ""};
  EXPECT_EQ(*DecodeFeedEntry(EncodeFeedEntry(change)), change);
  const FeedEntry placed{FeedEntry::Type::kChange, Bob(), kRecord, "the author's bytes", {{"38", "73"}}};
  const FeedEntry placed_state{FeedEntry::Type::kState, Bob(), kRecord, "", {{""}}};
  const FeedEntry evicted{FeedEntry::Type::kEvicted, Bob(), kRecord,
                          EncodeEvictedChange({kPosition, 300, std::string(kChangeHashSize, '\x5a')})};
  for (const FeedEntry& entry : {state, placed, placed_state, evicted}) {
    EXPECT_EQ(*DecodeFeedEntry(EncodeFeedEntry(entry)), entry);
  }
  EXPECT_EQ(*DecodeDot(EncodeDot("a'300"_dot)), "a'300"_dot);
  GoldenFile("feed/entries.txt", "Rows of the feed and changes tables: replication/feed_entry.h.")
      .Add("a change", EncodeFeedEntry(change))
      .Add("a whole state", EncodeFeedEntry(state))
      .Add("nothing that can be read", EncodeFeedEntry({FeedEntry::Type::kLost, {}, {}, ""}))
      .Add("a change, and where its record lies", EncodeFeedEntry(placed))
      .Add("a whole state, and where its record lies", EncodeFeedEntry(placed_state))
      .Add("an own change that was handed over", EncodeFeedEntry(evicted))
      .Add("the dot beside it", EncodeDot("a'300"_dot))
      .Compare();
}

TEST(Golden, Meta) {
  const LocalIdentity identity{Alice(), 0x0123456789abcdef, 2};
  LocalProgress progress{300, 299, HybridTime::FromMillis(kMorning), 3, 1, 2, {}};
  progress.kinds[1] = {3000, 12};
  progress.kinds[300] = {1, 0};
  const PeerCursor cursor{0x0123456789abcdef, 300};
  const RevokedAuthors revoked =
      *RevokedAuthors::FromBytes(std::string(Bob().bytes()) + "\x01" + "incarnat" + "\x05" + std::string(kChangeHashSize, '\x5a'));
  const RequestOutcome outcome{300, kRecord, "a'7"_dot};
  const QuarantineEntry quarantined{Bob(), "règle inconnue", "the bytes"};
  EXPECT_EQ(*DecodeIdentity(EncodeIdentity(identity)), identity);
  EXPECT_EQ(*DecodeProgress(EncodeProgress(progress)), progress);
  EXPECT_EQ(*DecodeCursor(EncodeCursor(cursor)), cursor);
  EXPECT_EQ(*DecodeRequestOutcome(EncodeRequestOutcome(outcome)), outcome);
  EXPECT_EQ(*DecodeQuarantineEntry(EncodeQuarantineEntry(quarantined)), quarantined);
  const Stub stub = StubOf(1, RichState(), Schema::BuiltIn());
  const BundleReceipt receipt{cursor, "38,73"};
  EXPECT_EQ(*DecodeStub(EncodeStub(stub)), stub);
  EXPECT_EQ(*DecodeBundleReceipt(EncodeBundleReceipt(receipt)), receipt);
  GoldenFile("meta/values.txt", "Values of the meta table: replication/local_meta.h.")
      .Add("identity", EncodeIdentity(identity))
      .Add("progress", EncodeProgress(progress))
      .Add("cursor", EncodeCursor(cursor))
      .Add("request", EncodeRequestOutcome(outcome))
      .Add("quarantine", EncodeQuarantineEntry(quarantined))
      .Add("author", EncodeKnownAuthor({300, std::string(kChangeHashSize, '\x5a')}))
      .Add("witness", EncodeWitnessMark({300, 299, kPosition}))
      .Add("continuity", EncodeContinuityNote({ContinuityDoubt::kPeerKnowsMore, kMorning, 300}))
      .Add("evicted", EncodeEvictedRecord({kPosition, 300, kMorning, Bob(), {"38"}, "a'3 b1"_vv}))
      .Add("scope", Scope({"73", "38"}).ToText())
      .Add("stub", EncodeStub(stub))
      .Add("revoked", revoked.Encode())
      .Add("bundle", EncodeBundleReceipt(receipt))
      .Add("renounced", EncodeRenamings({{("a7"_dot).actor, 2, ("b7"_dot).actor}}))
      .Compare();
}

TEST(Golden, Bundles) {
  v1::BundleHeader header;
  header.set_site(std::string(Alice().bytes()));
  header.set_incarnation(kPosition);
  header.set_name("lyon");
  header.set_receiver(std::string(Bob().bytes()));
  header.set_receiver_name("savoie");
  header.set_scope("73");
  header.set_created(kMorning);
  header.set_id(std::string(16, '\x5a'));
  header.set_whole(true);
  header.set_records(300);
  BundleFileWriter writer;
  std::string file = writer.Block(header.SerializeAsString());
  file += writer.Block("a frame");
  file += writer.End();
  header.set_whole(false);
  header.set_feed_from(200);
  header.set_feed_to(300);
  GoldenFile("bundle/file.txt", "The file of a bundle: replication/bundle_file.h, proto/bundle.proto.")
      .Add("one frame", file)
      .Add("the header of what is new alone", header.SerializeAsString())
      .Compare();
}

}  // namespace
}  // namespace maillage::replication::testing
