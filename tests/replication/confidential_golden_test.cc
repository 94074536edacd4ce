// Bytes of what is internal or personal: on the wire, in states, on disk.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/change_signature.h"
#include "replication/feed_entry.h"
#include "replication/sealed_store.h"
#include "replication/state_codec.h"
#include "replication/subject_keys.h"
#include "storage/keys.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/golden.h"
#include "tests/replication/support/network.h"

namespace maillage::replication::testing {
namespace {

using storage::Table;

const RecordKey kRecord{1, *RecordId::FromBytes("sixteen bytes id")};

std::string ConfidentialChange(const TestNetwork& network) {
  Change change = Written("a1").Of(kRecord).At(kMorning).By("Zoé Martin").Set(1, "Amis du Mali").Add(19, "awa@exemple.fr").Set(28, "note");
  change.operations[1].personal = true;
  change.operations[2].personal = change.operations[2].internal = true;
  change.salt = "8 bytes!";
  return network.Signed(change, network.lyon);
}

TEST(Golden, InternalAndPersonalChanges) {
  const TestNetwork network(1);
  const std::string change = ConfidentialChange(network);
  GoldenFile("change/confidential.txt", "Changes that are internal and personal: replication/change_signature.h.")
      .Add("by its author", change)
      .Add("as a reader gets it", **WithoutInternal(change))
      .Add("without any value", *WithoutValues(change))
      .Add("hash of all three", HashOfChange(change))
      .Compare();
}

TEST(Golden, ChangesSignedTogether) {
  const TestNetwork network(1);
  std::vector<std::string> changes;
  for (const char* dot : {"a1", "a1", "a1"}) {
    Change change = Written(dot).Of(kRecord).At(kMorning + changes.size()).By("Zoé Martin").Set(1, "Amis du Mali");
    change.salt = "8 bytes!";
    changes.push_back(EncodeChange(change));
  }
  SignChanges(network.lyon, network.id(), {&changes[0], &changes[1], &changes[2]});
  GoldenFile file("change/signed_together.txt", "Three changes under one signature: replication/signature_tree.h.");
  for (const std::string& change : changes) {
    EXPECT_TRUE(VerifyChange(change, network.id(), network.lyon.public_key()));
    file.Add("one of three", change);
  }
  file.Compare();
}

TEST(Golden, InternalAndPersonalStates) {
  const TestNetwork network(1);
  RecordState state;
  state.Apply(*DecodeChange(ConfidentialChange(network)));
  EXPECT_EQ(*DecodeState(EncodeState(state)), state);
  EXPECT_EQ(*DecodeState(EncodeState(state.WithoutInternal())), state.WithoutInternal());
  GoldenFile("state/confidential.txt", "States with internal and personal values: replication/state_codec.h.")
      .Add("where the value is", EncodeState(state))
      .Add("where it is withheld, and what the fingerprint covers", EncodeState(state.WithoutInternal()))
      .Compare();
}

TEST(Golden, SubjectKeysAndSealedRows) {
  const TestNetwork network(1);
  SeededRandom random(1);
  SubjectKeys keys = SubjectKeys::Generate(random);
  const std::string change = ConfidentialChange(network);
  RecordState state;
  state.Apply(*DecodeChange(change));
  const std::string state_row = EncodeState(state);
  const std::string feed_row =
      EncodeFeedEntry({FeedEntry::Type::kChange, network.lyon.site(), kRecord, change, std::vector<std::string>{"73"}});
  GoldenFile file("meta/sealed.txt", "Keys of personal values, and rows that they encrypt: replication/sealed_store.h.");
  file.Add("keys", keys.Encode())
      .Add("key of a record", keys.Current(kRecord).bytes)
      .Add("row of a state", *Seal(keys, Table::kStates, storage::StateKey(kRecord), state_row))
      .Add("row of the feed", *Seal(keys, Table::kFeed, storage::FeedKey(300), feed_row));
  keys.Destroy(kRecord);
  file.Add("key of the record, once its first is destroyed", keys.Current(kRecord).bytes)
      .Add("hash of the keys then", Hash256(keys.Encode()))
      .Compare();
}

}  // namespace
}  // namespace maillage::replication::testing
