// Writing, applying, merging, and what a batch is. Identity has a file of its own.
#include "replication/replica.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/edit.h"
#include "replication/record_reader.h"
#include "replication/state_codec.h"
#include "replication/tuning.h"
#include "storage/keys.h"
#include "tests/replication/support/site.h"

namespace maillage::replication::testing {
namespace {

using Applied = Replica::Applied;

const RecordKey kActor{1, IdOf(1)};
const RecordKey kOther{1, IdOf(2)};
constexpr uint32_t kName = 1;
constexpr uint32_t kDepartments = 12;

Operation InDepartment(const std::string& code) {
  Operation operation = AddElement(kDepartments, code);
  operation.territory = true;
  return operation;
}

TEST(Replica, WritesAreNumberedPerRecordAndPerSite) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  alice.Write(kOther, {Put(kName, "y")});
  const Change third = *DecodeChange(alice.Write(kActor, {Put(kName, "z")}));
  EXPECT_EQ(third.dot.n, 2u);
  EXPECT_EQ(third.dot.actor.site, Alice());
  EXPECT_EQ(third.site_sequence, 3u);
  EXPECT_EQ(alice.replica->progress().site_sequence, 3u);
  EXPECT_EQ(alice.replica->progress().feed_head, 3u);
  EXPECT_EQ(ValueOf(alice.State(kActor), kName), "z");
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(Replica, EpochsAreTheSequenceOfTheFirstWrite) {
  Site alice('a');
  const Change first = *DecodeChange(alice.Write(kActor, {Put(kName, "x")}));
  const Change second = *DecodeChange(alice.Write(kOther, {Put(kName, "y")}));
  EXPECT_EQ(first.dot.actor.epoch, 1u);
  EXPECT_EQ(second.dot.actor.epoch, 2u);
  EXPECT_EQ(DecodeChange(alice.Write(kActor, {}))->dot.actor.epoch, 1u);
}

TEST(Replica, SortsOperationsAndRefusesACellTwice) {
  Site alice('a');
  const Change change = *DecodeChange(alice.Write(kActor, {Put(2, "b"), Put(1, "a")}));
  EXPECT_EQ(change.operations, (std::vector<Operation>{Put(1, "a"), Put(2, "b")}));
  const auto twice = alice.replica->Write({kActor, {}, {Put(1, "a"), Put(1, "b")}, "Zoé", ""});
  EXPECT_EQ(twice.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Replica, RefusesAContextFromElsewhere) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const auto written = alice.replica->Write({kActor, "b1"_vv, {Put(kName, "y")}, "Zoé", ""});
  EXPECT_EQ(written.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Replica, IssuesNothingThatOthersWouldRefuse) {
  const google::protobuf::LogSilencer silence;
  Site alice('a');
  const std::string long_text(kMaxValueBytes + 1, 'x');
  const std::string no_utf8 = "Zo\xe9";
  std::vector<Operation> too_many;
  for (uint32_t i = 1; i <= kMaxOperations + 1; ++i) too_many.push_back(Put(i, ""));
  std::vector<Operation> too_large;
  for (uint32_t i = 1; i <= 20; ++i) too_large.push_back(Put(i, std::string(60'000, 'x')));
  const std::vector<Replica::LocalWrite> refused = {
      {kActor, {}, {Put(kName, long_text)}, "Zoé", ""},
      {kActor, {}, {Put(kName, "x")}, no_utf8, ""},
      {kActor, {}, {Put(kName, "x")}, std::string(kMaxPersonBytes + 1, 'x'), ""},
      {kActor, {}, {Put(kName, "x", v1::MERGE_RULE_UNSPECIFIED)}, "Zoé", ""},
      {kActor, {}, {Put(kLifeField, "rubbish")}, "Zoé", ""},
      {kActor, {}, {DeleteOperation("b1"_vv)}, "Zoé", ""},
      {kActor, {}, {AddElement(kLifeField, "x")}, "Zoé", ""},
      {kActor, {}, too_many, "Zoé", ""},
      {kActor, {}, too_large, "Zoé", ""},
      {{0, IdOf(1)}, {}, {Put(kName, "x")}, "Zoé", ""}};
  for (const Replica::LocalWrite& write : refused) {
    EXPECT_EQ(alice.replica->Write(write).status().code(), absl::StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(alice.replica->progress().site_sequence, 0u);
  EXPECT_EQ(alice.replica->progress().feed_head, 0u);
  EXPECT_EQ(DecodeChange(alice.Write(kActor, {}))->dot.n, 1u) << "a refused write used a number";
}

TEST(Replica, RefusesAWriterWhatMakesARecordTooLong) {
  Site alice('a');
  std::vector<std::string> elements;
  absl::Status refused;
  while (refused.ok() && elements.size() < 2 * kMaxStateBytes / kMaxValueBytes) {
    elements.push_back(absl::StrCat(1000 + elements.size(), std::string(kMaxValueBytes - 4, 'x')));
    refused = alice.replica->Write({kActor, {}, {AddElement(kName, elements.back())}, "Zoé", ""}).status();
  }
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(elements.size(), kMaxStateBytes / kMaxValueBytes) << "the last one is too much";
  EXPECT_EQ(alice.replica->Write({kOther, {}, {Put(kName, "x")}, "Zoé", ""}).status(), absl::OkStatus());
  // In the next batch, too; what makes it no longer is taken.
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(alice.replica->Write({kActor, {}, {AddElement(kName, elements.back())}, "Zoé", ""}).status().code(),
            absl::StatusCode::kInvalidArgument);
  const VersionVector seen = alice.State(kActor).vector();
  EXPECT_EQ(alice.replica->Write({kActor, seen, {DeleteOperation(seen)}, "Zoé", ""}).status(), absl::OkStatus());
  EXPECT_EQ(alice.replica->Write({kActor, seen, {RemoveSeen(kName, v1::SET, elements.front())}, "Zoé", ""}).status(),
            absl::OkStatus());
  EXPECT_EQ(alice.replica->Write({kActor, seen, {AddElement(kName, elements.back())}, "Zoé", ""}).status(),
            absl::OkStatus());
}

TEST(Replica, AppliesInCausalOrderOnce) {
  Site alice('a');
  Site bob('b');
  const std::string first = alice.Write(kActor, {Put(kName, "x")});
  const std::string second = alice.Write(kActor, {Put(kName, "y")});
  EXPECT_EQ(bob.Receive(second), Applied::kMissingCauses);
  EXPECT_TRUE(bob.Feed().empty());
  EXPECT_EQ(bob.Receive(first), Applied::kApplied);
  EXPECT_EQ(bob.Receive(first), Applied::kDuplicate);
  EXPECT_EQ(bob.Receive(second), Applied::kApplied);
  EXPECT_EQ(bob.Digest(), alice.Digest());
  EXPECT_EQ(bob.Feed(), alice.Feed()) << "the author's bytes, verbatim";
  EXPECT_EQ(Inconsistency(bob), "");
}

TEST(Replica, KeepsFieldsOfLaterVersionsVerbatim) {
  Site alice('a');
  Site bob('b');
  const std::string bytes = alice.Write(kActor, {Put(kName, "x")}) + FromHex("c23e03616263");
  EXPECT_EQ(bob.Receive(bytes), Applied::kApplied);
  EXPECT_EQ(bob.Feed(), std::vector<std::string>{bytes});
}

TEST(Replica, TellsMalformedInput) {
  Site alice('a');
  EXPECT_EQ(alice.replica->Apply("rubbish", Bob()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(alice.replica->Merge(kActor, "rubbish", Bob()).status().code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(Replica, MergesWholeStates) {
  Site alice('a');
  Site bob('b');
  alice.Write(kActor, {Put(kName, "x"), InDepartment("73")});
  alice.Write(kActor, {InDepartment("69")});
  bob.Write(kActor, {Put(kName, "y")});
  EXPECT_TRUE(bob.MergeFrom(alice, kActor));
  EXPECT_FALSE(bob.MergeFrom(alice, kActor));
  EXPECT_TRUE(alice.MergeFrom(bob, kActor));
  EXPECT_EQ(alice.Digest(), bob.Digest());
  EXPECT_EQ(alice.replica->progress().conflicts, 1u);
  EXPECT_EQ(Inconsistency(alice), "");
  EXPECT_EQ(Inconsistency(bob), "");
}

TEST(Replica, LearnsTheTimeFromChangesAndStates) {
  Site alice('a');
  Site bob('b');
  Site carol('c');
  alice.wall.millis = kMorning + 60'000;
  const std::string bytes = alice.Write(kActor, {Put(kName, "x")});
  bob.Receive(bytes);
  EXPECT_GT(DecodeChange(bob.Write(kOther, {}))->time, DecodeChange(bytes)->time);
  carol.MergeFrom(alice, kActor);
  EXPECT_GT(DecodeChange(carol.Write(kOther, {}))->time, DecodeChange(bytes)->time);
}

TEST(Replica, CountsChangesFromTheFutureAndKeepsItsClock) {
  Site alice('a');
  Site bob('b');
  Site carol('c');
  alice.wall.millis = kMorning + kMaxClockLeadMillis + 1;
  const std::string bytes = alice.Write(kActor, {Put(kName, "x"), Put(2, "x")});
  EXPECT_EQ(bob.Receive(bytes), Applied::kApplied);
  EXPECT_EQ(bob.replica->progress().changes_from_the_future, 1u);
  EXPECT_EQ(DecodeChange(bob.Write(kOther, {}))->time.millis(), kMorning);
  carol.MergeFrom(alice, kActor);
  EXPECT_EQ(carol.replica->progress().changes_from_the_future, 1u);
  EXPECT_EQ(DecodeChange(carol.Write(kOther, {}))->time.millis(), kMorning);
}

TEST(Replica, ACounterSumsWhatEachAuthorAdded) {
  constexpr uint32_t kVisits = 50;
  Site alice('a');
  Site bob('b');
  const auto add = [](const char* number) { return Put(kVisits, number, v1::COUNTER); };
  bob.Receive(alice.Write(kActor, {add("5")}));
  const std::string of_alice = alice.Write(kActor, {add("1")});
  const std::string of_bob = bob.Write(kActor, {add("-3")});
  alice.Receive(of_bob);
  bob.Receive(of_alice);
  EXPECT_EQ(alice.Digest(), bob.Digest());
  EXPECT_EQ(CounterSum(*bob.State(kActor).Find(kVisits)), 3);
  EXPECT_EQ(alice.State(kActor).Find(kVisits)->versions.size(), 2u);
}

TEST(ReplicaBatch, HoldsSeveralChangesOfOneRecord) {
  Site alice('a');
  const Dot first = alice.Stage(kActor, {}, {Put(kName, "x"), InDepartment("73")});
  VersionVector seen;
  seen.Add(first);
  const Dot second = alice.Stage(kActor, seen, {Put(kName, "y")});
  // A second person, who had read nothing yet.
  alice.Stage(kActor, {}, {Put(kName, "z")});
  EXPECT_EQ(second.n, 2u);
  EXPECT_EQ(alice.State(kActor).vector().Get(first.actor), 3u);
  EXPECT_FALSE(ReadState(*alice.store, kActor)->has_value()) << "visible before the commit";
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(**ReadState(*alice.store, kActor), alice.State(kActor));
  EXPECT_EQ(BesideOf(alice.State(kActor), kName), std::vector<std::string>{"y"});
  EXPECT_EQ(alice.replica->progress().conflicts, 1u);
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(ReplicaBatch, IsForgottenByDiscard) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const auto rows = Rows(*alice.store, storage::Table::kMeta);
  alice.Stage(kActor, {}, {Put(kName, "y")}, "request");
  ASSERT_TRUE(alice.replica->Quarantine({Bob(), "why", "bytes"}).ok());
  alice.replica->SetCursor(Bob(), {1, 2});
  EXPECT_GT(alice.replica->open_batch_bytes(), 0u);
  alice.replica->Discard();
  EXPECT_EQ(alice.replica->open_batch_bytes(), 0u);
  EXPECT_EQ(ValueOf(alice.State(kActor), kName), "x");
  EXPECT_FALSE(alice.replica->FindRequest("request")->has_value());
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(Rows(*alice.store, storage::Table::kMeta), rows);
  EXPECT_EQ(DecodeChange(alice.Write(kActor, {}))->dot.n, 2u);
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(ReplicaBatch, WithNothingInItWritesNothing) {
  Site alice('a');
  const std::string bytes = alice.Write(kActor, {Put(kName, "x")});
  // A commit would now fail.
  alice.store->FailNextCommit(absl::InternalError("disk"), storage::MemoryStore::Outcome::kLost);
  EXPECT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(alice.replica->Apply(bytes, Bob())->outcome, Applied::kDuplicate);
  EXPECT_TRUE(alice.replica->Commit().ok());
}

TEST(ReplicaBatch, RemembersWhatARequestDid) {
  Site alice('a');
  const Dot dot = alice.Stage(kActor, {}, {Put(kName, "x")}, "request");
  const RequestOutcome expected{1, kActor, dot};
  EXPECT_EQ(**alice.replica->FindRequest("request"), expected);
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(**alice.replica->FindRequest("request"), expected);
  alice.Restart();
  EXPECT_EQ(**alice.replica->FindRequest("request"), expected);
  EXPECT_FALSE(alice.replica->FindRequest("reques")->has_value());
  EXPECT_FALSE(alice.replica->FindRequest("")->has_value());
}

TEST(ReplicaBatch, ForgetsRequestsThatNobodyRetriesAnyMore) {
  Site alice('a');
  alice.replica->PutMeta(storage::RequestKey("old"), EncodeRequestOutcome({1, kActor, "a1"_dot}));
  alice.replica->PutMeta(storage::RequestKey("new"), EncodeRequestOutcome({2, kActor, "a2"_dot}));
  LocalProgress progress = alice.replica->progress();
  progress.feed_head = kRememberedRequests + 1;
  ASSERT_TRUE(alice.replica->Commit().ok());
  alice.replica.reset();
  storage::CommitBatch batch;
  batch.Put(storage::Table::kMeta, std::string(storage::kProgressKey), EncodeProgress(progress));
  ASSERT_TRUE(alice.store->Commit(batch).ok());
  alice.Restart();
  EXPECT_FALSE(alice.replica->FindRequest("old")->has_value());
  EXPECT_TRUE(alice.replica->FindRequest("new")->has_value());
}

TEST(ReplicaBatch, RemembersARequestThatChangedNothing) {
  Site alice('a');
  EXPECT_EQ(alice.replica->RememberRequest("request", kActor).code(), absl::StatusCode::kNotFound);
  alice.Write(kActor, {Put(kName, "x")});
  ASSERT_TRUE(alice.replica->RememberRequest("request", kActor).ok());
  EXPECT_EQ((**alice.replica->FindRequest("request")).record, kActor);
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(alice.replica->progress().feed_head, 1u);
  alice.Restart();
  EXPECT_EQ((**alice.replica->FindRequest("request")).record, kActor);
  EXPECT_EQ(Inconsistency(alice), "");
}

TEST(ReplicaBatch, ForgetsTheOldestRequestsWhileItRuns) {
  Site alice('a');
  alice.Write(kActor, {Put(kName, "x")});
  const auto remember = [&](uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; ++i) {
      ASSERT_TRUE(alice.replica->RememberRequest(std::to_string(i), kActor).ok());
    }
    ASSERT_TRUE(alice.replica->Commit().ok());
  };
  remember(0, 10);
  remember(10, kRememberedRequests);
  EXPECT_TRUE(alice.replica->FindRequest("0")->has_value());
  remember(kRememberedRequests, kRememberedRequests + 3);
  EXPECT_FALSE(alice.replica->FindRequest("2")->has_value());
  EXPECT_TRUE(alice.replica->FindRequest("3")->has_value());
  EXPECT_TRUE(alice.replica->FindRequest(std::to_string(kRememberedRequests + 2))->has_value());
}

TEST(ReplicaBatch, KeepsCursorsAndQuarantine) {
  Site alice('a');
  EXPECT_FALSE(alice.replica->Cursor(Bob())->has_value());
  alice.replica->SetCursor(Bob(), {7, 12});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(alice.replica->Quarantine({Bob(), "règle inconnue", "bytes"}).ok());
  }
  ASSERT_TRUE(alice.replica->Commit().ok());
  ASSERT_TRUE(alice.replica->Quarantine({Carol(), "encore", "bytes"}).ok());
  ASSERT_TRUE(alice.replica->Commit().ok());
  alice.Restart();
  EXPECT_EQ(**alice.replica->Cursor(Bob()), (PeerCursor{7, 12}));
  EXPECT_EQ(alice.replica->progress().quarantined, 1u) << "the same bytes are one entry";
}

TEST(ReplicaBatch, IsSeenByFindInIndex) {
  Site alice('a');
  const std::string amis = storage::WordPrefix(1, "amis");
  const std::string les = storage::WordPrefix(1, "les");
  EXPECT_TRUE(alice.replica->FindInIndex(1, amis)->empty());
  const Dot first = alice.Stage(kActor, {}, {Put(kName, "Amis du Mali")});
  EXPECT_EQ(*alice.replica->FindInIndex(1, amis), std::vector<RecordId>{kActor.id});
  alice.Stage(kOther, {}, {Put(kName, "Amis du Niger")});
  EXPECT_EQ(*alice.replica->FindInIndex(1, amis), (std::vector<RecordId>{kActor.id, kOther.id}));
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(*alice.replica->FindInIndex(1, amis), (std::vector<RecordId>{kActor.id, kOther.id}));
  VersionVector seen;
  seen.Add(first);
  alice.Stage(kActor, seen, {Put(kName, "Les Maliens")});
  EXPECT_EQ(*alice.replica->FindInIndex(1, amis), std::vector<RecordId>{kOther.id});
  EXPECT_EQ(*alice.replica->FindInIndex(1, les), std::vector<RecordId>{kActor.id});
  alice.replica->Discard();
  EXPECT_EQ(*alice.replica->FindInIndex(1, amis), (std::vector<RecordId>{kActor.id, kOther.id}));
  EXPECT_TRUE(alice.replica->FindInIndex(1, les)->empty());
}

TEST(ReplicaBatch, ItsConflictsAreInTheIndexToo) {
  Site alice('a');
  alice.Stage(kActor, {}, {Put(kName, "x")});
  EXPECT_TRUE(alice.replica->FindInIndex(1, storage::ConflictPrefix(1))->empty());
  alice.Stage(kActor, {}, {Put(kName, "y")});
  EXPECT_EQ(*alice.replica->FindInIndex(1, storage::ConflictPrefix(1)),
            std::vector<RecordId>{kActor.id});
  ASSERT_TRUE(alice.replica->Commit().ok());
  EXPECT_EQ(*alice.replica->FindInIndex(1, storage::ConflictPrefix(1)),
            std::vector<RecordId>{kActor.id});
  alice.Stage(kActor, alice.State(kActor).vector(), {Put(kName, "z")});
  EXPECT_TRUE(alice.replica->FindInIndex(1, storage::ConflictPrefix(1))->empty());
}

}  // namespace
}  // namespace maillage::replication::testing
