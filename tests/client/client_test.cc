#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "client/uuid.h"
#include "proto/id.h"
#include "proto/records.pb.h"
#include "tests/client/fake_node.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using testing::FakeNode;
using ::testing::SizeIs;

class ClientTest : public ::testing::Test {
 protected:
  Stored<v1::Actor> Create(const std::string& name) {
    v1::Actor actor;
    actor.set_name(name);
    return client_.Create(actor).value();
  }

  std::shared_ptr<FakeNode> node_ = std::make_shared<FakeNode>();
  int requests_ = 0;
  Client client_{
      node_, {.person = "Awa", .request_id = [this] { return absl::StrCat("r", ++requests_); }}};
};

TEST_F(ClientTest, RecordsAreTyped) {
  const Stored<v1::Actor> created = Create("ADOS");
  const auto got = client_.Get<v1::Actor>(SplitName(created.name).second);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->content.name(), "ADOS");
  EXPECT_EQ(got->etag, created.etag);
  EXPECT_EQ(client_.Get<v1::Actor>("018f0000-0000-7000-8000-000000000000").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ClientTest, AListCrossesItsPages) {
  for (const char* name : {"A", "B", "C", "D", "E"}) Create(name);
  node_->max_page_size = 2;
  std::vector<std::string> names;
  for (const auto& actor : client_.List<v1::Actor>({.filter = "acronym=\"X\"", .page_size = 2})) {
    ASSERT_TRUE(actor.ok()) << actor.status();
    names.push_back(actor->content.name());
  }
  EXPECT_THAT(names, ElementsAre("A", "B", "C", "D", "E"));
  ASSERT_THAT(node_->lists, SizeIs(3));
  EXPECT_EQ(node_->lists[2].filter(), "acronym=\"X\"");
}

TEST_F(ClientTest, AnErrorEndsAList) {
  for (const char* name : {"A", "B", "C"}) Create(name);
  node_->max_page_size = 2;
  std::vector<absl::Status> seen;
  for (const auto& actor : client_.List<v1::Actor>()) {
    seen.push_back(actor.status());
    if (seen.size() == 1) node_->failures = {absl::DataLossError("disk")};
  }
  EXPECT_THAT(seen, ElementsAre(absl::OkStatus(), absl::OkStatus(), absl::DataLossError("disk")));
}

TEST_F(ClientTest, AnEmptyListHasNoElement) {
  for (const auto& actor : client_.List<v1::Event>()) FAIL() << actor.status();
}

TEST_F(ClientTest, AnUpdateCarriesWhatTheReaderSaw) {
  const Stored<v1::Actor> created = Create("ADOS");
  v1::Actor content;
  content.set_description("Drôme");
  v1::Actor additions;
  additions.add_sdgs("4");
  const auto updated =
      client_.Update(created.name, content,
                     {.mask = {"description"}, .etag = created.etag, .additions = &additions});
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->content.name(), "ADOS");
  EXPECT_EQ(updated->content.description(), "Drôme");
  EXPECT_THAT(updated->content.sdgs(), ElementsAre("4"));
  EXPECT_EQ(node_->updates[0].record().etag(), created.etag);
  EXPECT_FALSE(node_->updates[0].has_removals());
}

TEST_F(ClientTest, EveryWriteHasItsOwnRequestIdAndThePerson) {
  const Stored<v1::Actor> created = Create("ADOS");
  ASSERT_TRUE(client_.Delete(created.name, created.etag).ok());
  ASSERT_TRUE(client_.Undelete(created.name).ok());
  std::set<std::string> ids;
  for (const v1::WriteContext& context : node_->contexts) {
    ids.insert(context.request_id());
    EXPECT_EQ(context.person(), "Awa");
  }
  EXPECT_THAT(ids, ElementsAre("r1", "r2", "r3"));
  EXPECT_EQ(node_->deletes[0].etag(), created.etag);
}

TEST_F(ClientTest, AWatchIsTyped) {
  const Stored<v1::Actor> created = Create("ADOS");
  v1::RecordEvent& event = node_->events.emplace_back();
  event.set_position(1);
  *event.mutable_record() = node_->records[created.name];
  event.mutable_change()->set_person("Awa");
  std::vector<std::string> seen;
  ASSERT_TRUE(client_
                  .Watch<v1::Actor>(absl::InfiniteFuture(),
                                    [&](Stored<v1::Actor> actor, const v1::RecordChange& change) {
                                      seen.push_back(actor.content.name() + change.person());
                                      return true;
                                    })
                  .ok());
  EXPECT_THAT(seen, ElementsAre("ADOSAwa"));
  EXPECT_EQ(node_->watches[0].kind(), "actor");
}

TEST(RandomUuid, IsAVersion4Uuid) {
  const std::string uuid = RandomUuid();
  ASSERT_TRUE(ParseUuid(uuid).has_value()) << uuid;
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos) << uuid;
  EXPECT_NE(uuid, RandomUuid());
}

TEST(Kinds, AreFoundInBothLanguages) {
  EXPECT_EQ(FindKind("actor"), v1::Actor::descriptor());
  EXPECT_EQ(FindKind("Acteur"), v1::Actor::descriptor());
  EXPECT_EQ(FindKind("evenement"), v1::Event::descriptor());
  EXPECT_EQ(FindKind("address"), nullptr);
}

TEST(PagedRangeTest, GivesAllThatCouldBeReadAndThenSaysWhatIsMissing) {
  int pages = 0;
  PagedRange<int> range([&](const std::string& token) -> absl::StatusOr<PagedRange<int>::Page> {
    ++pages;
    if (token.empty()) return PagedRange<int>::Page{{1, 2}, "two", 2};
    return PagedRange<int>::Page{{3}, "", 1};
  });
  std::vector<int> items;
  absl::Status end;
  for (const absl::StatusOr<int>& item : range) {
    EXPECT_TRUE(end.ok());
    if (item.ok()) items.push_back(*item);
    if (!item.ok()) end = item.status();
  }
  EXPECT_EQ(items, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(end.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(std::string(end.message()).rfind("3 fiches", 0), 0u) << end;
  EXPECT_EQ(pages, 2);
}

}  // namespace
}  // namespace maillage::client
