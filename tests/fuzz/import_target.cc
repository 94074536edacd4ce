// Whole imports (client/import/importer.h): a byte chooses the mapping, the rest is the file. Every
// row is kept, refused, or the double of one that was.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/import/actor_directory.h"
#include "client/import/importer.h"
#include "client/import/refused_file.h"
#include "client/import/report.h"
#include "client/kinds.h"
#include "proto/field_format.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using client::ImportOptions;
using client::ImportPlan;
using client::PlannedLine;

const client::ActorDirectory& Directory() {
  static const auto* const directory = [] {
    auto* actors = new client::MemoryActorDirectory;
    actors->Add("018f0000-0000-7000-8000-000000000001", "RESACOOP", "");
    actors->Add("018f0000-0000-7000-8000-000000000002", "Pays de Savoie Solidaires", "PSS");
    actors->Add("018f0000-0000-7000-8000-000000000003", "Conseil départemental de l’Allier",
                "CD03");
    return actors;
  }();
  return *directory;
}

ImportOptions OptionsOf(uint8_t choice) {
  static const std::vector<std::string> kMappings = client::ShippedMappingNames();
  ImportOptions options;
  const size_t index = choice % (kMappings.size() + 1);
  if (index > 0) options.mapping = kMappings[index - 1];
  return options;
}

absl::StatusOr<ImportPlan> Plan(std::string_view bytes, const ImportOptions& options) {
  return client::PlanImport("essai.csv", bytes, options, Directory());
}

// What the node is sent is a message that it can read, of values that it takes.
void RequireContent(const ImportPlan& plan, const PlannedLine& line) {
  MAILLAGE_REQUIRE(line.content->GetDescriptor() == plan.descriptor);
  const auto read = client::NewMessage(*plan.descriptor);
  MAILLAGE_REQUIRE(read->ParseFromString(line.content->SerializeAsString()));
  MAILLAGE_REQUIRE(CheckFormats(*line.content).ok());
}

void RequireFate(const ImportPlan& plan, const PlannedLine& line) {
  const bool kept = line.content != nullptr;
  MAILLAGE_REQUIRE(!kept || (!line.refused() && line.duplicate_of == 0));
  MAILLAGE_REQUIRE(kept || line.refused() || line.duplicate_of != 0);
  MAILLAGE_REQUIRE(line.duplicate_of < line.line || line.duplicate_of == 0);
  if (kept) RequireContent(plan, line);
  for (const client::Note& note : line.notes) {
    MAILLAGE_REQUIRE(!note.message.empty() && IsUtf8(note.message));
    MAILLAGE_REQUIRE(note.column <= plan.header.size() || note.column_name.empty());
  }
}

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n') ||
           c == 0x7f;
  });
}

// Corrected files are imported again: none of the refused rows may be missing there.
void RequireRefusedFile(const ImportPlan& plan, const ImportOptions& options) {
  const std::string file = client::RefusedFile(plan);
  MAILLAGE_REQUIRE(IsUtf8(file));
  const auto again = Plan(file, options);
  // Rows full of control characters, by themselves, look like no text before they are corrected.
  if (!again.ok() && HasControls(file)) return;
  MAILLAGE_REQUIRE(again.ok());
  MAILLAGE_REQUIRE(again->lines.size() == plan.refused_count());
  // A row without its reason, in a file that had a column for it, may have been complete.
  if (std::none_of(plan.header.begin(), plan.header.end(), client::IsReasonHeader)) {
    MAILLAGE_REQUIRE(again->refused_count() == plan.refused_count());
  }
}

}  // namespace

bool FuzzImport(std::string_view bytes) {
  const ImportOptions options = OptionsOf(TakeByte(bytes));
  const auto plan = Plan(bytes, options);
  if (!plan.ok()) {
    if (!absl::IsNotFound(plan.status())) {
      RequireRefusal(plan.status(), absl::StatusCode::kInvalidArgument);
    }
    return false;
  }
  size_t last = 0;
  for (const PlannedLine& line : plan->lines) {
    MAILLAGE_REQUIRE(line.line > last);
    last = line.line;
    RequireFate(*plan, line);
  }
  MAILLAGE_REQUIRE(IsUtf8(client::ReportText(*plan, client::ReportDetail::kNotes)));
  MAILLAGE_REQUIRE(IsUtf8(client::ReportJson(*plan)));
  MAILLAGE_REQUIRE(IsUtf8(client::ReportCsv(*plan)));
  RequireRefusedFile(*plan, options);
  return true;
}

}  // namespace maillage::fuzz
