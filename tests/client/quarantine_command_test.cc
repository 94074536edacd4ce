// quarantine, quarantine adopt, quarantine drop.
#include <gmock/gmock.h>

#include "tests/client/command_line.h"

namespace maillage::client::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kId[] = "3f9a01cc00000000000000000000aaaa";

class QuarantineCommand : public CommandLine {
 protected:
  QuarantineCommand() {
    v1::QuarantinedItem& item = *node_->quarantine.add_items();
    item.set_id(kId);
    item.set_from_site("isere");
    item.set_reason("« savoie » n'en a pas le droit : la fiche est dans 38, et son territoire est 73");
    item.set_record("actor/018f3c1e-7a2b-7c3d-8e4f-0123456789ab");
    item.mutable_change()->set_person("Dora");
    item.mutable_change()->set_site("savoie");
    v1::FieldChange& field = *item.mutable_change()->add_fields();
    field.set_field("name");
    field.set_action(v1::FieldChange::SET);
    field.set_value("ADOS 38");
    v1::QuarantinedItem& rubbish = *node_->quarantine.add_items();
    rubbish.set_id("3f9a01dd00000000000000000000bbbb");
    rubbish.set_bytes(12);
  }
};

TEST_F(QuarantineCommand, ShowsWhatWasNotTakenAndWhy) {
  const Said said = Run({"quarantine"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  for (const char* words : {"3f9a01cc  actor/018f3c1e", "Dora", "name = ADOS 38", "isere", "la fiche est dans 38", "12 octets"}) {
    EXPECT_THAT(said.out, HasSubstr(words));
  }
  EXPECT_THAT(Run({"quarantine", "--output", "json"}).out, HasSubstr("\"from_site\": \"isere\""));
  EXPECT_THAT(Run({"quarantine", "--output", "csv"}).out, HasSubstr("id;from_site;record;person;site;what;reason\n"));
  node_->quarantine.clear_items();
  EXPECT_EQ(Run({"quarantine"}).out, "Rien en quarantaine.\n");
}

TEST_F(QuarantineCommand, ARowIsNamedByItsFirstDigits) {
  const Said said = Run({"quarantine", "adopt", "3f9a01cc", "--person", "Zoé"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("repris"));
  EXPECT_THAT(node_->adopted, ElementsAre(std::string("Zoé ") + kId));
  EXPECT_EQ(Run({"quarantine", "drop", kId}).exit_code, 0);
  EXPECT_THAT(node_->dropped, ElementsAre(kId));
}

TEST_F(QuarantineCommand, TwoThatBeginAlikeAndNoneAreTold) {
  EXPECT_THAT(Run({"quarantine", "adopt", "3f9a01"}).err, HasSubstr("plusieurs lignes commencent ainsi"));
  EXPECT_THAT(Run({"quarantine", "drop", "ffff"}).err, HasSubstr("rien de tel en quarantaine"));
  EXPECT_TRUE(node_->adopted.empty() && node_->dropped.empty());
}

}  // namespace
}  // namespace maillage::client::testing
