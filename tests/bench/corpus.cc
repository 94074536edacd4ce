#include "tests/bench/corpus.h"

#include <array>
#include <cstdint>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/bench/run.h"
#include "tests/replication/support/ports.h"

namespace maillage::bench {
namespace {

enum Column : size_t {
  kName,
  kType,
  kSiren,
  kInsee,
  kDepartment,
  kPostcodes,
  kPopulation,
  kColumns
};

constexpr std::array kKinds = {"Comité de jumelage",
                               "Association de solidarité",
                               "Collège",
                               "Lycée",
                               "Maison des jeunes",
                               "Ligue"};
constexpr std::array kDomains = {
    "eau et assainissement", "éducation", "santé", "agriculture", "culture", "énergie", "climat"};
constexpr std::array kCompetences = {"recherche de financements", "gestion de projet",
                                     "interculturalité", "animation de réseau"};
constexpr std::array kAudiences = {"jeunes", "élus", "enseignants", "grand public"};
constexpr std::array kCountries = {"ML", "SN", "BF", "MG", "TG", "BJ", "MA", "VN"};
constexpr std::array kDescriptions = {
    "Coopération décentralisée engagée depuis 2009 autour de l'eau potable et de la formation des "
    "fontainiers, avec un volet d'échanges scolaires.",
    "Accueil de volontaires en service civique, semaine annuelle de la solidarité, correspondance "
    "entre classes et chantiers de jeunes en été.",
    "Appui aux groupements de productrices, bibliothèque de prêt, et un fonds commun pour les "
    "petits projets portés par les habitants."};

template <typename Values>
std::string OneOf(const Values& values, uint64_t number) {
  return values[number % values.size()];
}

// Nine digits of which the last is Luhn's key over the others (ISO/IEC 7812-1).
std::string SirenOf(size_t number) {
  std::string digits = absl::StrCat(30'000'000 + number);
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return absl::StrCat(digits, (10 - sum % 10) % 10);
}

void AddContacts(size_t index, v1::Actor& actor) {
  const std::string domain = absl::StrCat("acteur-", index, ".example.org");
  actor.add_emails(absl::StrCat("contact@", domain));
  actor.add_websites(absl::StrCat("https://www.", domain));
  actor.add_phone_numbers(absl::StrCat("+33 4 ", 10'000'000 + index));
}

void AddActivities(uint64_t seed, v1::Actor& actor) {
  replication::testing::SeededRandom random(seed);
  const uint64_t domain = random.Below(kDomains.size());
  actor.add_domains(OneOf(kDomains, domain));
  actor.add_domains(OneOf(kDomains, domain + 1));
  actor.add_competences(OneOf(kCompetences, random.Next64()));
  actor.add_audiences(OneOf(kAudiences, random.Next64()));
  actor.add_countries(OneOf(kCountries, random.Next64()));
  const uint64_t goal = random.Below(16);
  actor.add_sdgs(absl::StrCat(goal + 1));
  actor.add_sdgs(absl::StrCat(goal + 2));
  actor.set_description(OneOf(kDescriptions, random.Next64()));
  actor.mutable_location()->set_latitude(45 + static_cast<double>(random.Below(10'000)) / 1e4);
  actor.mutable_location()->set_longitude(4 + static_cast<double>(random.Below(10'000)) / 1e4);
}

}  // namespace

Corpus::Corpus() {
  std::ifstream file(MAILLAGE_TEST_DATA "/collectivites-ara.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    // This file quotes nothing.
    Row row = absl::StrSplit(line, ';');
    if (row.size() != kColumns) Die(absl::StrCat("collectivites-ara.csv : ", line));
    rows_.push_back(std::move(row));
  }
  if (rows_.empty()) Die("collectivites-ara.csv : fichier vide ou absent");
}

v1::Actor Corpus::ActorAt(size_t index) const {
  const Row& row = rows_[index % rows_.size()];
  const size_t copy = index / rows_.size();
  v1::Actor actor;
  actor.set_department(row[kDepartment].substr(0, row[kDepartment].find('|')));
  actor.mutable_address()->set_postcode(row[kPostcodes].substr(0, row[kPostcodes].find('|')));
  actor.mutable_address()->set_street(absl::StrCat(index % 300 + 1, " rue de la République"));
  actor.mutable_address()->set_town(row[kName]);
  if (copy == 0) {
    actor.set_name(row[kName]);
    actor.set_type(row[kType]);
    actor.set_siren(row[kSiren]);
    actor.set_insee_commune(row[kInsee]);
    uint32_t population = 0;
    if (absl::SimpleAtoi(row[kPopulation], &population)) actor.set_population(population);
  } else {
    const std::string kind = OneOf(kKinds, copy);
    actor.set_name(absl::StrCat(kind, ", ", row[kName], " ", copy));
    actor.set_type(kind);
    actor.set_siren(SirenOf(index));
    actor.set_legal_status("association loi 1901");
  }
  AddContacts(index, actor);
  AddActivities(index, actor);
  actor.add_sources("collectivites-ara.csv");
  v1::ExternalId& external_id = *actor.add_external_ids();
  external_id.set_system("collectivites");
  external_id.set_id(absl::StrCat(index));
  actor.set_visibility(v1::PUBLIC);
  actor.set_last_verified("2021-02-01");
  return actor;
}

}  // namespace maillage::bench
