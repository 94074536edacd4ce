#include "client/import/mapping.h"

#include "client/import/shipped_mappings.h"
#include "gmock/gmock.h"
#include "tests/client/import/import_fixture.h"

namespace maillage::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOfMapping(std::string_view toml) {
  const absl::StatusOr<Mapping> mapping = ParseMapping(toml, "m.toml");
  EXPECT_FALSE(mapping.ok()) << toml;
  return std::string(mapping.status().message());
}

std::string WithColumn(std::string_view lines) {
  return "name = \"m\"\nkind = \"actor\"\n[[column]]\n" + std::string(lines);
}

TEST(MappingTest, TheShippedOnesAreNamedAfterTheirFiles) {
  EXPECT_THAT(ShippedMappingNames(),
              ElementsAre("acteurs", "collectivites", "evenements", "projets"));
  for (const ShippedMapping& shipped : ShippedMappings()) {
    const absl::StatusOr<Mapping> mapping = ParseMapping(shipped.toml, shipped.name);
    ASSERT_TRUE(mapping.ok()) << mapping.status();
    EXPECT_EQ(mapping->name, shipped.name);
  }
}

TEST(MappingTest, AFileOfOnesOwnMapsOtherColumns) {
  ImportOptions options;
  options.mapping_file = "benevoles.toml";
  options.mapping_toml = R"(
name = "benevoles"
kind = "acteur"
set = { visibility = "NETWORK" }

[[column]]
header = "Nom de la structure"
required = true
field = "name"

[[column]]
header = "Contact"
list = ","
field = "emails"

[[column]]
header = "Ville"
optional = true
field = "address.town"

[[column]]
header = "Vérifié"
field = "last_verified"
convert = "dates"

[[column]]
header = "Tampon"
ignore = true
)";
  const ImportPlan plan = PlanOf(
      "Contact;NOM DE LA STRUCTURE;Vérifié;Tampon\na@b.org, c@d.org;Amis du Mali;1er mai 2021;x\n",
      options);
  EXPECT_EQ(plan.kind, "actor");
  EXPECT_TRUE(plan.notes.empty());
  ASSERT_EQ(plan.lines.size(), 1u);
  const auto& actor = Content<v1::Actor>(plan.lines[0]);
  EXPECT_EQ(actor.name(), "Amis du Mali");
  EXPECT_THAT(actor.emails(), ElementsAre("a@b.org", "c@d.org"));
  EXPECT_EQ(actor.last_verified(), "2021-05-01");
  EXPECT_EQ(actor.visibility(), v1::NETWORK);
  EXPECT_EQ(actor.external_ids(0).system(), "benevoles");
}

TEST(MappingTest, TwoColumnsCannotFillOneField) {
  ImportOptions options;
  options.mapping_toml = WithColumn("header = \"A\"\nfield = \"name\"\n") +
                         "[[column]]\nheader = \"B\"\nfield = \"name\"\n";
  const ImportPlan plan = PlanOf("A;B\nun;deux\nun;un\n", options);
  EXPECT_THAT(Messages(plan.lines[0], Severity::kRefused), ElementsAre(HasSubstr("name")));
  EXPECT_EQ(Content<v1::Actor>(plan.lines[1]).name(), "un");
}

TEST(MappingTest, FaultsAreToldWithFileAndLine) {
  EXPECT_THAT(ErrorOfMapping("name = \n"), HasSubstr("m.toml, ligne 1"));
  EXPECT_THAT(ErrorOfMapping("name = \"m\"\nkind = \"bateau\"\n"), HasSubstr("bateau"));
  EXPECT_THAT(ErrorOfMapping("name = \"m\"\nkind = \"actor\"\n"), HasSubstr("[[column]]"));
  EXPECT_THAT(ErrorOfMapping("kind = \"actor\"\n[[column]]\nheader = \"A\"\nfield = \"name\"\n"),
              HasSubstr("name manque"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("field = \"name\"\n")), HasSubstr("header"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header = \"A\"\nfield = \"nom\"\n")),
              HasSubstr("m.toml, ligne 3 : Actor n'a pas de champ «\u00a0nom\u00a0»"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header = \"A\"\nfeild = \"name\"\n")),
              HasSubstr("ligne 5 : clé inconnue «\u00a0feild\u00a0»"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header = \"A\"\nfield = \"name.x\"\n")),
              HasSubstr("n'a pas de partie"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header = \"A\"\nfield = \"name\"\nconvert = \"x\"\n")),
              HasSubstr("convertisseur inconnu"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header=\"A\"\nfield=\"name\"\nconvert=\"parties\"\n")),
              HasSubstr("ne remplit pas"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header = \"A\"\nfield = \"address\"\n")),
              HasSubstr("ne remplit pas"));
  EXPECT_THAT(ErrorOfMapping(WithColumn(
                  "header=\"A\"\nfield=\"network_roles\"\nvalues={ \"relais\" = \"RELAI\" }\n")),
              HasSubstr("«\u00a0RELAI\u00a0»"));
  EXPECT_THAT(ErrorOfMapping(WithColumn(
                  "header=\"A\"\nfield=\"type\"\nvalues={ \"été\" = \"a\", \"Ete\" = \"b\" }\n")),
              HasSubstr("deux fois"));
  EXPECT_THAT(ErrorOfMapping(WithColumn("header = \"A\"\nfield = \"emails\"\nlist = \", \"\n")),
              HasSubstr("un seul caractère"));
  EXPECT_THAT(ErrorOfMapping("name = \"m\"\nkind = \"project\"\n[[column]]\nheader = \"A\"\n"
                             "field = \"budget\"\nconvert = \"amount\"\n"),
              HasSubstr("currency"));
}

TEST(MappingTest, AWordOutsideTheDictionaryIsRefusedWithTheWordsThatAreIn) {
  const ImportPlan plan = PlanOf(
      "Nom;Sigle;Type;Département;Rôles;Référent ODD;Site web\nA;;;;mascotte;;\nB;;;;RELAIS;;\n");
  EXPECT_THAT(Messages(plan.lines[0], Severity::kRefused),
              ElementsAre(::testing::AllOf(HasSubstr("mascotte"), HasSubstr("membre du GIP"))));
  EXPECT_THAT(Content<v1::Actor>(plan.lines[1]).network_roles(), ElementsAre(v1::RELAY));
}

}  // namespace
}  // namespace maillage::client
