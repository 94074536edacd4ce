// Spreadsheets as French offices export them, turned into records: the whole interface of
// maillage_import for its callers. Nothing here knows the network or the disk: bytes in, a plan
// out, which the caller shows (client/import/report.h), sends, and completes with what the node
// answered.
//
//   absl::StatusOr<ImportPlan> plan = PlanImport(name, bytes, {}, directory);
//   for (size_t i = 0; i < plan->lines.size(); ++i) {
//     if (plan->lines[i].content == nullptr) continue;   // refused, or a double
//     … send *plan->lines[i].content; if the node refuses it: RefuseLine(*plan, i, field, reason);
//   }
//   std::cout << ReportText(*plan, ReportDetail::kNotes);
//   if (plan->refused_count() > 0) write RefusedFile(*plan);
#ifndef MAILLAGE_CLIENT_IMPORT_IMPORTER_H_
#define MAILLAGE_CLIENT_IMPORT_IMPORTER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/import/actor_directory.h"
#include "google/protobuf/message.h"

namespace maillage::client {

struct ImportOptions {
  // Name of a kind ("event"). Set: a file that maps to another kind is an error.
  std::string kind;
  // Name of a mapping that ships with the program (ShippedMappingNames). Empty: chosen by the
  // header.
  std::string mapping;
  // Text of a mapping file (client/import/README.md), which goes before `mapping`.
  std::string mapping_toml;
  // Name of that file, for messages.
  std::string mapping_file;
};

// How a value came in. What is taken to the letter has no note.
enum class Severity {
  // Read by a rule of the mapping: « 1er février 2021 » is 2021-02-01.
  kUnderstood,
  // Written otherwise than it should be, beyond doubt: two spaces, "1" for the département 01.
  kRepaired,
  // Kept as the author wrote it where a reference or a code was looked for.
  kLeftAsText,
  // The line doesn't go in.
  kRefused,
};

struct Note {
  // Physical line of the cell in the file, from 1.
  size_t line = 0;
  // From 1; 0 where the note is about the whole line.
  size_t column = 0;
  // As the header has it; empty where the note is about the whole line.
  std::string column_name;
  // Field of the record ("department", "address.postcode"), if one is concerned.
  std::string field;
  Severity severity = Severity::kUnderstood;
  // French; quotes the value.
  std::string message;
};

// One row of the file, which may take several physical lines.
struct PlannedLine {
  // First physical line of the row, from 1.
  size_t line = 0;
  // The record; null where the row is refused or repeats an earlier one.
  std::unique_ptr<google::protobuf::Message> content;
  // Of the row's header and cells, in hexadecimal; the record carries it as external id of the
  // mapping's name.
  std::string digest;
  // Line of the earlier row with the same cells; 0 if none.
  size_t duplicate_of = 0;
  std::vector<Note> notes;
  // The row as UTF-8, without its line end and without its reason of an earlier refusal.
  std::string raw;
  // Its cells couldn't be told apart.
  bool unreadable = false;
  // The row can't be told from what follows it, either: refused files have it at their end.
  bool broken_quotes = false;

  bool refused() const;
};

struct ImportPlan {
  std::string file_name;
  // "UTF-8", "UTF-8 (BOM)", "UTF-16", "Windows-1252".
  std::string encoding;
  // ';', ',' or tab.
  char separator = ';';
  std::string mapping;
  // Name of the kind, and its message.
  std::string kind;
  const google::protobuf::Descriptor* descriptor = nullptr;
  std::vector<std::string> header;
  // The header's row as UTF-8, without its line end.
  std::string raw_header;
  // About the file as a whole: the encoding, columns that nothing reads.
  std::vector<Note> notes;
  // In the file's order, without blank lines.
  std::vector<PlannedLine> lines;

  size_t refused_count() const;
};

// Reads the whole file and resolves its names. Each row succeeds or fails for itself; an error is
// about the whole file, in French: InvalidArgument where it is no table (empty, a workbook, binary)
// or the mapping file is wrong, NotFound where no mapping fits its header. Thread-safe; the actors'
// records need no directory and may pass an empty one.
absl::StatusOr<ImportPlan> PlanImport(std::string_view file_name, std::string_view bytes,
                                      const ImportOptions& options,
                                      const ActorDirectory& directory);

// Turns a planned row into a refused one, with what the node answered. `field` may be empty.
void RefuseLine(ImportPlan& plan, size_t index, std::string_view field, std::string_view reason);

// acteurs, collectivites, …, in alphabetical order.
std::vector<std::string> ShippedMappingNames();

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_IMPORTER_H_
