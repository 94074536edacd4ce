// create, get, list, edit, delete, undelete, history, watch.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kFirstId[] = "018f0001-0000-7000-8000-000000000000";

class RecordCommands : public CommandLine {};

TEST_F(RecordCommands, CreatePrintsTheRecordItsIdAndEtag) {
  const Said said =
      Run({"create", "actor", "name=Amis du Mali", "departments+=73", "departments+=74"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out,
            "Amis du Mali\n"
            "fiche        actor/018f0001-0000-7000-8000-000000000000\n"
            "etag         e1\n"
            "modifiée le  23/11/2026 14:02\n"
            "name         Amis du Mali\n"
            "departments  73, 74\n");
  EXPECT_EQ(node_->contexts[0].person(), "Noé");
  EXPECT_EQ(node_->contexts[0].request_id(), "request-1");
}

TEST_F(RecordCommands, ThePersonIsTheOptionThenTheVariable) {
  variables_["MAILLAGE_PERSON"] = "Awa";
  Run({"create", "actor", "name=A"});
  Run({"create", "actor", "name=B", "--person", "Camille"});
  EXPECT_EQ(node_->contexts[0].person(), "Awa");
  EXPECT_EQ(node_->contexts[1].person(), "Camille");
}

TEST_F(RecordCommands, TheNodeIsTheOptionThenTheVariable) {
  Run({"list", "actor"});
  variables_["MAILLAGE_NODE"] = "savoie:7103";
  Run({"list", "actor"});
  Run({"--node", "lyon:7101", "list", "actor"});
  EXPECT_THAT(connected_, ElementsAre("127.0.0.1:7101", "savoie:7103", "lyon:7101"));
}

TEST_F(RecordCommands, JsonHasTheProtosNamesAndNumbers) {
  Create({"project", "title=Eau", "budget=64 000,00", "funding+=AFD=32000"});
  const auto record = Ask({"get", "project", kFirstId});
  EXPECT_EQ(record["name"], std::string("project/") + kFirstId);
  EXPECT_EQ(record["kind"], "project");
  EXPECT_EQ(record["etag"], "e1");
  EXPECT_EQ(record["update_time"], "2026-11-23T13:02:00.000Z");
  EXPECT_EQ(record["deleted"], false);
  EXPECT_EQ(record["conflicting_fields"], nlohmann::json::array());
  EXPECT_EQ(record["content"]["budget"]["minor_units"], 6'400'000);
  EXPECT_EQ(record["content"]["funding"][0]["amount"]["minor_units"], 3'200'000);
  EXPECT_FALSE(record["content"].contains("summary"));
}

TEST_F(RecordCommands, GetTakesANameAPrefixAndAFrenchKind) {
  Create({"actor", "name=ADOS"});
  Create({"actor", "name=PSS"});
  EXPECT_EQ(Ask({"get", std::string("actor/") + kFirstId})["content"]["name"], "ADOS");
  EXPECT_EQ(Ask({"get", "actor", std::string("actor/") + kFirstId})["content"]["name"], "ADOS");
  EXPECT_EQ(Ask({"get", "acteur", "018F0002"})["content"]["name"], "PSS");
  EXPECT_EQ(Ask({"get", "actor", "018f0002-0000"})["content"]["name"], "PSS");
}

TEST_F(RecordCommands, AnUnsurePrefixIsNotGuessed) {
  for (int i = 0; i < 17; ++i) Create({"actor", "name=A"});
  EXPECT_EQ(Run({"get", "actor", "018f000"}).exit_code, 64) << "too short";
  EXPECT_EQ(Run({"get", "actor", "018f00ff"}).exit_code, 1) << "none";
  node_->records["actor/018f0001-0000-7000-8000-000000000001"] = node_->records.begin()->second;
  node_->records["actor/018f0001-0000-7000-8000-000000000001"].set_name(
      "actor/018f0001-0000-7000-8000-000000000001");
  const Said said = Run({"get", "actor", "018f0001"});
  EXPECT_EQ(said.exit_code, 64);
  EXPECT_THAT(said.err, HasSubstr("plusieurs identifiants"));
}

TEST_F(RecordCommands, ANotFoundRecordIsAFailure) {
  const Said said = Run({"get", "actor", kFirstId});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("aucune fiche"));
  EXPECT_THAT(said.out, IsEmpty());
}

TEST_F(RecordCommands, ListReadsAllPages) {
  node_->max_page_size = 2;
  for (const char* name : {"Annecy", "Bourg", "Chambéry"}) {
    Create({"actor", std::string("name=") + name, "acronym=X", "departments+=73"});
  }
  const Said said = Run({"list", "actor", "--filter", "departments:73", "--order-by", "name",
                         "--search", "cham", "--page-size", "2", "--deleted"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("018f0003-0000-7000-8000-000000000000  Chambéry  X"));
  EXPECT_THAT(said.out, HasSubstr("3 fiches\n"));
  ASSERT_THAT(node_->lists, SizeIs(2));
  EXPECT_EQ(node_->lists[0].filter(), "departments:73");
  EXPECT_EQ(node_->lists[0].order_by(), "name");
  EXPECT_EQ(node_->lists[0].search(), "cham");
  EXPECT_EQ(node_->lists[0].page_size(), 2);
  EXPECT_TRUE(node_->lists[0].show_deleted());
  EXPECT_THAT(Ask({"list", "actor"}), SizeIs(3));
  EXPECT_THAT(Ask({"list", "actor", "--limit", "1"}), SizeIs(1));
}

TEST_F(RecordCommands, ListShowsChosenFields) {
  Create({"actor", "name=A;B", "sdgs+=4", "sdgs+=13"});
  EXPECT_EQ(Run({"list", "actor", "--fields", "name,sdgs", "--output", "csv"}).out,
            "id;name;sdgs\n" + std::string(kFirstId) + ";\"A;B\";4|13\n");
  EXPECT_THAT(node_->lists.back().read_mask().paths(), ElementsAre("name", "sdgs"));
  EXPECT_EQ(Run({"list", "actor", "--fields", "nam"}).exit_code, 64);
}

TEST_F(RecordCommands, ATableIsCutOnATerminalOnly) {
  Create({"actor", "name=" + std::string(200, 'a')});
  EXPECT_THAT(Run({"list", "actor"}).out, HasSubstr(std::string(200, 'a')));
  out_width_ = 80;
  EXPECT_THAT(Run({"list", "actor"}).out, Not(HasSubstr(std::string(80, 'a'))));
  EXPECT_THAT(Run({"list", "actor", "--output", "csv"}).out, HasSubstr(std::string(200, 'a')));
}

TEST_F(RecordCommands, EditSendsWhatWasAsked) {
  Create({"actor", "name=ADOS", "sdgs+=4", "sdgs+=6"});
  const auto record = Ask({"edit", "actor", kFirstId, "phone_numbers+=+33 4 79 00 00 00",
                           "description=À Chambéry", "sdgs-=4"});
  EXPECT_EQ(record["content"]["sdgs"], nlohmann::json({"6"}));
  EXPECT_EQ(record["content"]["phone_numbers"], nlohmann::json({"+33 4 79 00 00 00"}));
  EXPECT_EQ(record["content"]["description"], "À Chambéry");
  EXPECT_EQ(node_->updates[0].record().etag(), "");
}

TEST_F(RecordCommands, AMemberGoesOutWithTheEtagOfWhatItWasReadFrom) {
  Create({"actor", "name=ADOS", "address.street=1 rue Haute"});
  const auto record = Ask({"edit", std::string("actor/") + kFirstId, "address.town=Valence"});
  EXPECT_EQ(record["content"]["address"]["street"], "1 rue Haute");
  EXPECT_EQ(record["content"]["address"]["town"], "Valence");
  EXPECT_EQ(node_->updates[0].record().etag(), "e1");
}

TEST_F(RecordCommands, AnEtagOfThePersonGoesOutAsItIs) {
  Create({"actor", "name=ADOS"});
  Run({"edit", "actor", kFirstId, "address.town=Valence", "--etag", "vu hier"});
  EXPECT_EQ(node_->updates[0].record().etag(), "vu hier");
}

TEST_F(RecordCommands, WrongAssignmentsSendNothing) {
  Create({"actor", "name=ADOS"});
  const Said said = Run({"edit", "actor", kFirstId, "phone+=1"});
  EXPECT_EQ(said.exit_code, 64);
  EXPECT_THAT(said.err, HasSubstr("phone_numbers"));
  EXPECT_THAT(said.err, HasSubstr("maillage edit --help"));
  EXPECT_EQ(Run({"edit", "actor", kFirstId}).exit_code, 64);
  EXPECT_THAT(node_->updates, IsEmpty());
}

TEST_F(RecordCommands, DeleteAndUndelete) {
  Create({"actor", "name=ADOS"});
  EXPECT_THAT(Run({"delete", "actor", kFirstId, "--etag", "e1"}).out,
              StartsWith("ADOS (supprimée)\n"));
  EXPECT_EQ(node_->deletes[0].etag(), "e1");
  EXPECT_EQ(Run({"list", "actor"}).out, "0 fiche\n");
  EXPECT_EQ(Ask({"undelete", "actor", "018f0001"})["deleted"], false);
}

TEST_F(RecordCommands, HistoryIsNewestFirst) {
  node_->max_page_size = 1;
  Create({"actor", "name=ADOS"});
  Run({"edit", "actor", kFirstId, "description=x", "--person", "Awa"});
  Run({"delete", "actor", kFirstId});
  EXPECT_EQ(Run({"history", "actor", kFirstId}).out,
            "quand             qui  site    quoi\n"
            "23/11/2026 14:04  Noé  Savoie  fiche supprimée\n"
            "23/11/2026 14:03  Awa  Savoie  description = x\n"
            "23/11/2026 14:02  Noé  Savoie  name = ADOS\n");
  const auto history = Ask({"history", "actor", kFirstId, "--limit", "2"});
  ASSERT_THAT(history, SizeIs(2));
  EXPECT_EQ(history[0]["fields"][0]["action"], "DELETE");
  EXPECT_EQ(history[1]["person"], "Awa");
}

TEST_F(RecordCommands, WatchPrintsALinePerChange) {
  Create({"actor", "name=ADOS"});
  for (uint64_t position : {41, 42, 43}) {
    v1::RecordEvent& event = node_->events.emplace_back();
    event.set_position(position);
    *event.mutable_record() = node_->records.begin()->second;
    event.mutable_change()->set_person("Awa");
    event.mutable_change()->set_site("Savoie");
    event.mutable_change()->mutable_time()->set_seconds(FakeNode::kStartSeconds);
    v1::FieldChange& field = *event.mutable_change()->add_fields();
    field.set_field("sdgs");
    field.set_action(v1::FieldChange::ADD);
    field.set_value("13");
  }
  EXPECT_EQ(Run({"watch", "actor", "--count", "1"}).out,
            "23/11/2026 14:02  actor/018f0001-0000-7000-8000-000000000000  ADOS  (Awa, Savoie)  "
            "sdgs + 13\n");
  const Said json = Run({"watch", "--after", "42", "--for", "30s", "--output", "json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["position"], 43);
  EXPECT_EQ(node_->watches[1].after(), 42u);
  EXPECT_EQ(node_->watch_ends[0], absl::InfiniteFuture());
  EXPECT_EQ(node_->watch_ends[1],
            absl::FromUnixSeconds(FakeNode::kStartSeconds) + absl::Hours(3) + absl::Seconds(30));
  EXPECT_EQ(Run({"watch", "--for", "demain"}).exit_code, 64);
}

TEST_F(RecordCommands, CtrlCEndsAWatchWell) {
  node_->failures = {absl::CancelledError("stopped")};
  stopped_ = true;
  EXPECT_EQ(Run({"watch"}).exit_code, 0);
  node_->failures = {absl::CancelledError("stopped")};
  stopped_ = false;
  EXPECT_EQ(Run({"watch"}).exit_code, 1);
}

}  // namespace
}  // namespace maillage::client::testing
