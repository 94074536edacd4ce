// The bytes of every frame on the wire, and the sizes that proto/README.md gives.
#include <gtest/gtest.h>

#include <string>

#include "proto/id.h"
#include "proto/sync.pb.h"
#include "tests/replication/support/golden.h"
#include "tests/replication/sync_harness.h"

namespace maillage::replication::testing {
namespace {

const std::string kSite(16, '\x5a');
const std::string kId(ParseUuid("018f3c1e-7a2b-7c3d-8e4f-0123456789ab")->bytes());
constexpr uint64_t kNumber = 0x0102030405060708;

void AddKnown(v1::Acquaintance* acquaintance) {
  acquaintance->set_site(kSite);
  v1::KnownIncarnation* known = acquaintance->add_incarnation();
  known->set_incarnation(kNumber);
  known->set_site_sequence(300);
  known->set_hash(std::string(16, '\x4a'));
}

v1::SyncFrame SampleHello() {
  v1::SyncFrame frame;
  v1::Hello* hello = frame.mutable_hello();
  hello->set_protocol(1);
  hello->set_site(kSite);
  hello->set_incarnation(kNumber);
  hello->set_name("savoie");
  hello->set_clock(1'770'000'000'000);
  hello->set_digest(std::string(16, '\xd1'));
  hello->set_feed_head(300);
  hello->mutable_cursor()->set_incarnation(kNumber + 1);
  hello->mutable_cursor()->set_position(299);
  hello->set_schema(1);
  hello->set_instance(kNumber + 2);
  AddKnown(hello->mutable_known_of_you());
  return frame;
}

v1::SyncFrame SampleOwnChanges() {
  v1::SyncFrame frame;
  v1::OwnChange* change = frame.mutable_own_changes()->add_change();
  change->set_record(kId);
  change->set_kind(1);
  change->set_incarnation(kNumber);
  change->set_epoch(4);
  change->set_n(2);
  change->set_hash(std::string(16, '\x4a'));
  change->set_time(kNumber);
  frame.mutable_own_changes()->set_ends(true);
  return frame;
}

v1::Range* AddRange(v1::SyncFrame& frame) {
  v1::Range* range = frame.mutable_ranges()->add_range();
  range->set_kind(1);
  range->set_territory("73");
  range->set_prefix(std::string("\x0a\x01", 2));
  return range;
}

v1::SyncFrame SampleRanges() {
  v1::SyncFrame frame;
  frame.mutable_ranges()->set_salt(kNumber);
  frame.mutable_ranges()->set_roots(true);
  frame.mutable_ranges()->set_answer_ends(true);
  v1::Node* node = AddRange(frame)->mutable_node();
  node->set_sum(kNumber);
  node->set_count(17);
  v1::Children* children = AddRange(frame)->mutable_children();
  children->set_present(0x8001);
  children->add_sum(kNumber);
  children->add_sum(kNumber + 1);
  children->add_count(1);
  children->add_count(16);
  v1::Leaf* leaf = AddRange(frame)->mutable_leaf();
  leaf->set_ids(kId);
  leaf->add_fingerprint(kNumber);
  AddRange(frame)->set_empty(true);
  return frame;
}

v1::SyncFrame SampleVectors() {
  v1::SyncFrame frame;
  v1::RecordVector* record = frame.mutable_vectors()->add_record();
  record->set_record(kId);
  record->set_kind(1);
  v1::VersionVectorEntry* entry = record->mutable_vector()->add_entry();
  entry->mutable_actor()->set_site(kSite);
  entry->mutable_actor()->set_incarnation(kNumber);
  entry->mutable_actor()->set_epoch(4);
  entry->set_n(2);
  record->set_reply(true);
  return frame;
}

TEST(SyncGolden, Frames) {
  v1::SyncFrame changes;
  changes.mutable_changes()->add_change("author's bytes");
  changes.mutable_changes()->set_feed_position(300);
  v1::SyncFrame check;
  check.mutable_check()->set_round(1);
  check.mutable_check()->set_digest(std::string(16, '\xd1'));
  check.mutable_check()->set_feed_head(300);
  check.mutable_check()->set_reply(true);
  v1::SyncFrame receipt;
  receipt.mutable_receipt()->set_stored(300);
  receipt.mutable_receipt()->set_applied(299);
  v1::SyncFrame states;
  v1::RecordStateBytes* state = states.mutable_states()->add_state();
  state->set_record(kId);
  state->set_kind(1);
  state->set_state("canonical bytes");
  v1::SyncFrame goodbye;
  goodbye.mutable_goodbye()->set_reason(v1::Goodbye::PAUSED);
  goodbye.mutable_goodbye()->set_message("savoie");

  v1::SyncFrame acquaintance;
  AddKnown(acquaintance.mutable_acquaintance());
  v1::SyncFrame held;
  held.mutable_held_changes()->set_held(std::string("\1\0", 2));

  v1::SyncFrame terms;
  terms.mutable_terms()->set_holds("73");
  terms.mutable_terms()->set_grants("38,73|1");
  v1::SyncFrame outside = SampleVectors();
  outside.mutable_vectors()->mutable_record(0)->set_outside(true);
  outside.mutable_vectors()->mutable_record(0)->set_kept(true);
  v1::SyncFrame scoped_roots;
  scoped_roots.mutable_ranges()->set_roots(true);
  scoped_roots.mutable_ranges()->set_scope("73");

  v1::SyncFrame slowed;
  slowed.mutable_slowed()->set_millis(5'001);
  GoldenFile("frames/frames.txt", "Frames between nodes, proto/sync.proto.")
      .Add("hello", SampleHello().SerializeAsString())
      .Add("changes", changes.SerializeAsString())
      .Add("check", check.SerializeAsString())
      .Add("ranges", SampleRanges().SerializeAsString())
      .Add("vectors", SampleVectors().SerializeAsString())
      .Add("receipt", receipt.SerializeAsString())
      .Add("states", states.SerializeAsString())
      .Add("goodbye", goodbye.SerializeAsString())
      .Add("acquaintance", acquaintance.SerializeAsString())
      .Add("own changes", SampleOwnChanges().SerializeAsString())
      .Add("held changes", held.SerializeAsString())
      .Add("slowed", slowed.SerializeAsString())
      .Add("terms", terms.SerializeAsString())
      .Add("vectors of what lies outside", outside.SerializeAsString())
      .Add("roots of a scope", scoped_roots.SerializeAsString())
      .Compare();
}

// Frames, and fields of frames, about what is shown of records elsewhere.
TEST(SyncGolden, FramesAboutStubs) {
  v1::SyncFrame terms;
  terms.mutable_terms()->set_records(300);
  v1::SyncFrame check;
  check.mutable_check()->set_digest(std::string(16, '\xd1'));
  check.mutable_check()->set_stubs(kNumber);
  v1::SyncFrame hello = SampleHello();
  hello.mutable_hello()->set_stubs(kNumber);
  v1::SyncFrame stubs;
  stubs.mutable_stubs()->mutable_ranges()->set_roots(true);
  stubs.mutable_stubs()->set_wanted(kId);
  v1::StubBytes* stub = stubs.mutable_stubs()->add_stub();
  stub->set_id(kId);
  stub->set_stub("a stub's bytes");
  stub->set_reply(true);
  stubs.mutable_stubs()->set_answer_ends(true);
  stubs.mutable_stubs()->set_more(true);
  GoldenFile("frames/stubs.txt", "Frames between nodes about stubs, and the count of records, proto/sync.proto.")
      .Add("terms", terms.SerializeAsString())
      .Add("check", check.SerializeAsString())
      .Add("hello", hello.SerializeAsString())
      .Add("stubs", stubs.SerializeAsString())
      .Compare();
}

TEST(SyncGolden, SizesThatTheSpecificationGives) {
  EXPECT_EQ(SampleHello().ByteSizeLong(), 147u);
  v1::SyncFrame check;
  check.mutable_check()->set_digest(std::string(16, '\xd1'));
  check.mutable_check()->set_feed_head(300);
  EXPECT_EQ(check.ByteSizeLong(), 23u);
}

}  // namespace
}  // namespace maillage::replication::testing
