// What the tests of the import share: the four real files, and a directory of the actors among
// them.
#ifndef MAILLAGE_TESTS_CLIENT_IMPORT_IMPORT_FIXTURE_H_
#define MAILLAGE_TESTS_CLIENT_IMPORT_IMPORT_FIXTURE_H_

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/import/importer.h"
#include "gtest/gtest.h"
#include "proto/records.pb.h"

namespace maillage::client {

inline std::string TestFile(const std::string& name) {
  std::ifstream file(std::string(MAILLAGE_TEST_DATA) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline ImportPlan PlanOf(std::string_view bytes, const ImportOptions& options = {},
                         const ActorDirectory& directory = MemoryActorDirectory()) {
  absl::StatusOr<ImportPlan> plan = PlanImport("essai.csv", bytes, options, directory);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *std::move(plan) : ImportPlan();
}

inline std::string ErrorOf(std::string_view bytes, const ImportOptions& options = {}) {
  const auto plan = PlanImport("essai.csv", bytes, options, MemoryActorDirectory());
  return plan.ok() ? std::string() : std::string(plan.status().message());
}

template <typename T>
const T& Content(const PlannedLine& line) {
  EXPECT_NE(line.content, nullptr) << "line " << line.line;
  if (line.content == nullptr) return T::default_instance();
  return dynamic_cast<const T&>(*line.content);
}

// Messages of the notes of one severity.
inline std::vector<std::string> Messages(const PlannedLine& line, Severity severity) {
  std::vector<std::string> messages;
  for (const Note& note : line.notes) {
    if (note.severity == severity) messages.push_back(note.message);
  }
  return messages;
}

inline std::string ActorUuid(int number) {
  return absl::StrFormat("018f0000-0000-7000-8000-%012d", number);
}

// The actors of acteurs-reseau.csv; the line of an actor in that file numbers its id.
inline MemoryActorDirectory NetworkDirectory() {
  MemoryActorDirectory directory;
  const ImportPlan plan = PlanOf(TestFile("acteurs-reseau.csv"));
  for (const PlannedLine& line : plan.lines) {
    const auto& actor = Content<v1::Actor>(line);
    directory.Add(ActorUuid(static_cast<int>(line.line)), actor.name(), actor.acronym());
  }
  return directory;
}

}  // namespace maillage::client

#endif  // MAILLAGE_TESTS_CLIENT_IMPORT_IMPORT_FIXTURE_H_
