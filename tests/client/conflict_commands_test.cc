// conflicts, resolve.
#include <gmock/gmock.h>

#include "client/kinds.h"
#include "proto/records.pb.h"
#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kId[] = "018f0001-0000-7000-8000-000000000000";

template <typename T>
T UnpackedAs(const google::protobuf::Any& any) {
  T message;
  EXPECT_TRUE(any.UnpackTo(&message)) << any.type_url();
  return message;
}

class ConflictCommands : public CommandLine {
 protected:
  // Of the record that was created last.
  v1::FieldConflict& AddConflict(const std::string& field) {
    v1::RecordConflict& conflict = node_->conflicts.emplace_back();
    *conflict.mutable_record() = node_->records.rbegin()->second;
    conflict.add_fields()->set_field(field);
    return *conflict.mutable_fields(0);
  }

  static v1::Version& AddVersion(v1::FieldConflict& conflict, const std::string& value,
                                 const std::string& person, const std::string& site) {
    v1::Version& version = *conflict.add_versions();
    version.set_value(value);
    version.set_person(person);
    version.set_site(site);
    version.mutable_time()->set_seconds(FakeNode::kStartSeconds - 60 * conflict.versions_size());
    return version;
  }

  static void AddDescription(v1::FieldConflict& conflict, const std::string& value,
                             const std::string& person, const std::string& site) {
    v1::Actor actor;
    actor.set_description(value);
    AddVersion(conflict, value, person, site).mutable_content()->PackFrom(actor);
  }

  void AddTwoDescriptions() {
    Create({"actor", "name=Amis du Mali"});
    v1::FieldConflict& conflict = AddConflict("description");
    AddDescription(conflict, "Accueil le mardi", "Awa", "Savoie");
    AddDescription(conflict, "Accueil le jeudi", "Camille", "Lyon");
  }
};

TEST_F(ConflictCommands, ShowsVersionsSideBySide) {
  AddTwoDescriptions();
  const Said said = Run({"conflicts"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.out,
            "Amis du Mali  actor/018f0001-0000-7000-8000-000000000000\n"
            "  description : deux versions à comparer\n"
            "    version 1 : Accueil le mardi (Awa, Savoie, 23 novembre 2026 14:01)"
            " | version 2 : Accueil le jeudi (Camille, Lyon, 23 novembre 2026 14:00)\n"
            "    maillage resolve actor 018f0001-0000-7000-8000-000000000000 description --keep 1\n"
            "La version 1 est celle que tout le monde voit en attendant un choix.\n");
  for (const char* word : {"conflit", "conflict", "locale", "distante"}) {
    EXPECT_THAT(said.out, Not(HasSubstr(word)));
  }
}

TEST_F(ConflictCommands, NothingToCompare) {
  EXPECT_EQ(Run({"conflicts"}).out, "Aucune version à comparer.\n");
  EXPECT_EQ(Run({"conflicts", "--output", "json"}).out, "[]\n");
}

TEST_F(ConflictCommands, JsonAndCsv) {
  AddTwoDescriptions();
  const auto conflicts = Ask({"conflicts", "actor"});
  ASSERT_THAT(conflicts, SizeIs(1));
  EXPECT_EQ(conflicts[0]["id"], kId);
  EXPECT_EQ(conflicts[0]["title"], "Amis du Mali");
  EXPECT_EQ(conflicts[0]["etag"], "e1");
  EXPECT_EQ(conflicts[0]["fields"][0]["field"], "description");
  EXPECT_EQ(conflicts[0]["fields"][0]["versions"][1]["site"], "Lyon");
  EXPECT_EQ(conflicts[0]["fields"][0]["versions"][1]["text"], "Accueil le jeudi");
  EXPECT_THAT(Run({"conflicts", "--output", "csv"}).out,
              HasSubstr("actor/018f0001-0000-7000-8000-000000000000;Amis du Mali;description;;2;"
                        "Accueil le jeudi;Camille;Lyon;2026-11-23T13:00:00.000Z;e1\n"));
}

TEST_F(ConflictCommands, ResolveKeepsAVersion) {
  AddTwoDescriptions();
  EXPECT_EQ(Run({"resolve", "actor", kId, "description", "--keep", "2"}).exit_code, 0);
  ASSERT_THAT(node_->updates, SizeIs(1));
  EXPECT_THAT(node_->updates[0].update_mask().paths(), ElementsAre("description"));
  EXPECT_EQ(node_->updates[0].record().etag(), "e1");
  EXPECT_EQ(UnpackedAs<v1::Actor>(node_->updates[0].record().content()).description(),
            "Accueil le jeudi");
}

TEST_F(ConflictCommands, ResolveWritesANewValue) {
  AddTwoDescriptions();
  Run({"resolve", "actor", kId, "description", "--value", "Accueil le mardi et le jeudi"});
  Run({"resolve", "actor", kId, "description", "--value", ""});
  ASSERT_THAT(node_->updates, SizeIs(2));
  EXPECT_EQ(UnpackedAs<v1::Actor>(node_->updates[0].record().content()).description(),
            "Accueil le mardi et le jeudi");
  EXPECT_EQ(UnpackedAs<v1::Actor>(node_->updates[1].record().content()).description(), "");
  EXPECT_THAT(node_->updates[1].update_mask().paths(), ElementsAre("description"));
}

TEST_F(ConflictCommands, ResolveFindsTheRecordOnALaterPage) {
  for (int i = 0; i < 3; ++i) {
    AddTwoDescriptions();
  }
  node_->max_page_size = 1;
  EXPECT_EQ(Run({"resolve", "actor", "018f0003-0000-7000-8000-000000000000", "description",
                 "--keep", "1"})
                .exit_code,
            0);
  EXPECT_EQ(node_->updates[0].record().etag(), "e3");
}

TEST_F(ConflictCommands, OneEntryOfAMapIsAdded) {
  Create({"project", "title=Eau"});
  v1::FieldConflict& conflict = AddConflict("partners");
  conflict.set_key("CSI");
  for (const char* role : {"chef de file", "co-porteur"}) {
    v1::Project project;
    project.add_partners()->mutable_party()->set_text("CSI");
    project.mutable_partners(0)->set_role(role);
    AddVersion(conflict, "{}", "Awa", "Savoie").mutable_content()->PackFrom(project);
  }
  EXPECT_THAT(Run({"conflicts"}).out, HasSubstr("partners[CSI] : deux versions à comparer"));
  EXPECT_THAT(Run({"conflicts"}).out, HasSubstr("version 2 : CSI:co-porteur"));
  EXPECT_EQ(Run({"resolve", "project", kId, "partners", "--key", "CSI", "--keep", "2"}).exit_code,
            0);
  ASSERT_THAT(node_->updates, SizeIs(1));
  EXPECT_THAT(node_->updates[0].update_mask().paths(), IsEmpty());
  EXPECT_EQ(UnpackedAs<v1::Project>(node_->updates[0].additions()).partners(0).role(),
            "co-porteur");
}

TEST_F(ConflictCommands, ADeletionIsKeptOrUndone) {
  Create({"event", "title=Stand"});
  v1::FieldConflict& conflict = AddConflict("deleted");
  AddVersion(conflict, "modifié", "Noé", "Isère");
  AddVersion(conflict, "supprimé", "Awa", "Savoie");
  EXPECT_THAT(Run({"conflicts"}).out,
              HasSubstr("version 1 : fiche modifiée (Noé, Isère, 23 novembre 2026 14:01)"
                        " | version 2 : fiche supprimée (Awa, Savoie"));
  EXPECT_EQ(Run({"resolve", "event", kId, "deleted", "--keep", "1"}).exit_code, 0);
  ASSERT_THAT(node_->undeletes, SizeIs(1));
  EXPECT_EQ(node_->undeletes[0].etag(), "e1");
  EXPECT_EQ(Run({"resolve", "event", kId, "deleted", "--keep", "2"}).exit_code, 0);
  ASSERT_THAT(node_->deletes, SizeIs(1));
  EXPECT_EQ(node_->deletes[0].etag(), "e1");
  EXPECT_EQ(Run({"resolve", "event", kId, "deleted", "--value", "x"}).exit_code, 64);
}

TEST_F(ConflictCommands, WrongChoicesSendNothing) {
  AddTwoDescriptions();
  EXPECT_EQ(Run({"resolve", "actor", kId, "description"}).exit_code, 64);
  EXPECT_EQ(Run({"resolve", "actor", kId, "description", "--keep", "1", "--value", "x"}).exit_code,
            64);
  EXPECT_EQ(Run({"resolve", "actor", kId, "description", "--keep", "3"}).exit_code, 64);
  EXPECT_EQ(Run({"resolve", "actor", kId, "description", "--keep", "0"}).exit_code, 64);
  EXPECT_EQ(Run({"resolve", "actor", kId, "name", "--keep", "1"}).exit_code, 1);
  EXPECT_EQ(Run({"resolve", "actor", "018f0009-0000-7000-8000-000000000000", "name", "--keep", "1"})
                .exit_code,
            1);
  EXPECT_EQ(Run({"resolve", "actor", kId, "description", "--keep", "1", "--etag", "e0"}).exit_code,
            1)
      << "the record changed after it was read";
  EXPECT_THAT(node_->updates, IsEmpty());
}

TEST_F(ConflictCommands, AFieldMayBeCalledLikeACommand) {
  Create({"project", "title=Eau"});
  v1::FieldConflict& conflict = AddConflict("status");
  v1::Project project;
  project.set_status("en cours");
  AddVersion(conflict, "en cours", "Awa", "Savoie").mutable_content()->PackFrom(project);
  AddVersion(conflict, "terminé", "Noé", "Lyon");
  const Said said = Run({"resolve", "project", kId, "status", "--keep", "1"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(node_->updates, SizeIs(1));
}

}  // namespace
}  // namespace maillage::client::testing
