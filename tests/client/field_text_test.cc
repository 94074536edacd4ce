#include "client/commands/field_text.h"

#include <gtest/gtest.h>

#include "proto/records.pb.h"

namespace maillage::client::commands {
namespace {

struct Example {
  std::string field;
  // As typed.
  std::string text;
  // As shown; empty: as typed.
  std::string shown = {};
};

template <typename T>
std::string RoundTrip(const Example& example) {
  T message;
  const auto* field = T::descriptor()->FindFieldByName(example.field);
  const absl::Status status = SetFromText(*field, example.text, message);
  return status.ok() ? FieldText(message, *field) : std::string(status.message());
}

constexpr char kUuid[] = "018f3c1e-7a2b-7c3d-8e4f-0123456789ab";

TEST(FieldText, OfEvents) {
  for (const Example& example : std::vector<Example>{
           {"title", "Repas : « solidaire » = 1"},
           {"mode", "On-Site", "on_site"},
           {"mode", "ONLINE", "online"},
           {"participants", "0"},
           {"dates", "1er mars 2021", "2021-03-01"},
           {"dates", "2021-03", ""},
           {"organisers", "CSI:co-organisateur"},
           {"organisers", "CSI", ""},
           {"organisers", std::string(kUuid) + ":porteur"},
           {"organisers", "{\"party\": {\"text\": \"A:B\"}, \"role\": \"co\"}", "A:B:co"},
           {"audience", "jeunes:12", ""},
           {"external_ids", "web:https://exemple.fr/?id=3", ""},
       }) {
    EXPECT_EQ(RoundTrip<v1::Event>(example), example.shown.empty() ? example.text : example.shown);
  }
}

TEST(FieldText, OfProjects) {
  for (const Example& example : std::vector<Example>{
           {"budget", "64000,00 EUR"},
           {"budget", "64 000", "64000,00 EUR"},
           {"budget", "64000.5", "64000,50 EUR"},
           {"budget", "64 000,00 €", "64000,00 EUR"},
           {"budget", "0,05", "0,05 EUR"},
           {"budget", "655957 XOF", ""},
           {"budget", "12,34 tnd", "12,340 TND"},
           {"funding", "Agence française de développement=64 000,00",
            "Agence française de développement:64000,00 EUR"},
           {"funding", "AFD", ""},
           {"lead", "PSS", ""},
           {"lead", std::string("actor/") + kUuid, kUuid},
       }) {
    EXPECT_EQ(RoundTrip<v1::Project>(example),
              example.shown.empty() ? example.text : example.shown);
  }
}

TEST(FieldText, APartyIsAnActorWhereTheTextIsAnId) {
  v1::Project project;
  const auto* lead = v1::Project::descriptor()->FindFieldByName("lead");
  ASSERT_TRUE(SetFromText(*lead, kUuid, project).ok());
  EXPECT_EQ(project.lead().actor(), kUuid);
  ASSERT_TRUE(SetFromText(*lead, "PSS", project).ok());
  EXPECT_EQ(project.lead().text(), "PSS");
}

TEST(FieldText, OfActors) {
  EXPECT_EQ(RoundTrip<v1::Actor>({"location", "45.57, 5.92", ""}), "45.57, 5.92");
  EXPECT_EQ(RoundTrip<v1::Actor>({"network_roles", "gip-member", ""}), "gip_member");
  EXPECT_EQ(RoundTrip<v1::Actor>({"address", "{\"postcode\":\"73000\",\"town\":\"Chambéry\"}", ""}),
            "73000, Chambéry");
}

TEST(FieldText, RefusesAndSaysWhatIsExpected) {
  const auto says = [](const std::string& told, const std::string& part) {
    EXPECT_NE(told.find(part), std::string::npos) << told;
  };
  says(RoundTrip<v1::Event>({"mode", "dehors", ""}), "on_site, online, hybrid");
  says(RoundTrip<v1::Event>({"mode", "EVENT_MODE_UNSPECIFIED", ""}), "valeur admise");
  says(RoundTrip<v1::Event>({"participants", "-3", ""}), "nombre entier positif");
  says(RoundTrip<v1::Event>({"organisers", ":co", ""}), "CLÉ:VALEUR");
  says(RoundTrip<v1::Event>({"audience", "jeunes:beaucoup", ""}), "nombre entier positif");
  says(RoundTrip<v1::Event>({"organisers", "{\"parti\": 1}", ""}), "JSON");
  says(RoundTrip<v1::Project>({"budget", "1,500.00", ""}), "montant");
  says(RoundTrip<v1::Project>({"budget", "1,50 XOF", ""}), "montant entier");
  says(RoundTrip<v1::Actor>({"location", "Chambéry", ""}), "latitude");
  says(RoundTrip<v1::Actor>({"address", "Chambéry", ""}), "address.street=");
}

}  // namespace
}  // namespace maillage::client::commands
