// audit.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::HasSubstr;

class AuditCommand : public CommandLine {
 protected:
  AuditCommand() {
    Add("founded", "lyon", "réseau RESACOOP", "Awa");
    Add("new-incarnation", "4f0c", "copie", "");
    Add("teleported", "savoie", "", "Zoé");
    node_->audit.set_total(120);
  }
  void Add(const std::string& action, const std::string& subject, const std::string& detail, const std::string& person) {
    v1::AuditLogEntry& entry = *node_->audit.add_entries();
    entry.set_number(static_cast<uint64_t>(node_->audit.entries_size()));
    entry.mutable_time()->set_seconds(1'770'000'000);
    entry.set_action(action);
    entry.set_subject(subject);
    entry.set_detail(detail);
    entry.set_person(person);
    entry.set_hash("abc");
  }
};

TEST_F(AuditCommand, TellsWhoDidWhat) {
  const Said said = Run({"audit"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("Les 3 dernières de 120 lignes (--all : toutes)\n"));
  EXPECT_THAT(said.out, HasSubstr("Awa      réseau fondé          lyon      réseau RESACOOP\n"));
  EXPECT_THAT(said.out, HasSubstr("le nœud  nouvelle incarnation  4f0c      copie\n"));
  EXPECT_THAT(said.out, HasSubstr("Zoé      teleported")) << "a newer node's word";
}

TEST_F(AuditCommand, InEnglishAndForMachines) {
  EXPECT_THAT(Run({"audit", "--lang", "en"}).out, HasSubstr("network founded"));
  EXPECT_THAT(Run({"audit", "--output", "csv"}).out,
              HasSubstr("n;time;person;action;subject;detail;hash\n1;2026-02-02T02:40:00"));
  EXPECT_THAT(Run({"audit", "--output", "json"}).out, HasSubstr("\"action\": \"founded\""));
}

TEST_F(AuditCommand, ABrokenChainIsCritical) {
  node_->audit.set_damage("ligne 2 : le journal a été altéré");
  const Said said = Run({"audit"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(said.err, "Le journal d'audit n'est pas intact : ligne 2 : le journal a été altéré\n");
  EXPECT_THAT(said.out, HasSubstr("réseau fondé")) << "what there is is shown all the same";
}

}  // namespace
}  // namespace maillage::client::testing
