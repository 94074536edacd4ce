// What an import understood, repaired, left as text and refused, for people and for programs.
#ifndef MAILLAGE_CLIENT_IMPORT_REPORT_H_
#define MAILLAGE_CLIENT_IMPORT_REPORT_H_

#include <string>
#include <string_view>

#include "client/import/importer.h"

namespace maillage::client {

enum class ReportDetail {
  // The summary, and what was refused.
  kSummary,
  // Every note, line by line, then the summary.
  kNotes,
};

// compris, réparé, laissé en texte, refusé.
std::string_view SeverityName(Severity severity);

// Lines of French text, each note as "FILE:LINE: colonne N « NAME » : réparé : …".
std::string ReportText(const ImportPlan& plan, ReportDetail detail);

// One JSON object: the file, its mapping, counts, and the notes of each line that has any.
std::string ReportJson(const ImportPlan& plan);

// One row per note, separated by semicolons: ligne;colonne;nom de colonne;champ;gravité;message.
std::string ReportCsv(const ImportPlan& plan);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_REPORT_H_
