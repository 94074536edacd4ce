#include "client/import/report.h"

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "absl/strings/str_join.h"
#include "client/export/csv_cell.h"
#include "client/import/concat.h"

namespace maillage::client {
namespace {

struct Counts {
  size_t ready = 0;
  size_t doubles = 0;
  size_t refused = 0;
  // Notes, by severity.
  std::array<size_t, 4> notes = {};
};

Counts Count(const ImportPlan& plan) {
  Counts counts;
  for (const PlannedLine& line : plan.lines) {
    if (line.refused()) {
      ++counts.refused;
    } else {
      ++(line.content == nullptr ? counts.doubles : counts.ready);
    }
    for (const Note& note : line.notes) ++counts.notes[static_cast<size_t>(note.severity)];
  }
  return counts;
}

std::string SeparatorName(char separator) {
  if (separator == '\t') return "tabulation";
  return separator == ';' ? "point-virgule" : "virgule";
}

void AppendNote(std::string& text, const ImportPlan& plan, const Note& note) {
  text += Concat(plan.file_name, ":", note.line, ": ");
  if (note.column > 0) text += Concat("colonne ", note.column, " ");
  if (!note.column_name.empty()) text += Concat("«\u00a0", note.column_name, "\u00a0» ");
  if (note.column > 0) text += Concat(": ");
  text += Concat(SeverityName(note.severity), " : ", note.message, "\n");
}

std::string Plural(size_t count, std::string_view one, std::string_view many) {
  return Concat(count, " ", count > 1 ? many : one);
}

std::string Summary(const ImportPlan& plan) {
  const Counts counts = Count(plan);
  std::string text =
      Concat(plan.file_name, " : ", plan.encoding, ", séparateur ", SeparatorName(plan.separator),
             ", correspondance ", plan.mapping, "\n", Plural(plan.lines.size(), "ligne", "lignes"),
             " : ", Plural(counts.ready, "prête", "prêtes"), ", ",
             Plural(counts.doubles, "en double", "en double"), ", ",
             Plural(counts.refused, "refusée", "refusées"), "\n");
  const auto& notes = counts.notes;
  text += Concat(Plural(notes[0], "valeur comprise", "valeurs comprises"), " par une règle, ",
                 Plural(notes[1], "réparée", "réparées"), ", ",
                 Plural(notes[2], "laissée en texte", "laissées en texte"), ", ",
                 Plural(notes[3], "refusée", "refusées"), "\n");
  return text;
}

nlohmann::ordered_json NoteJson(const Note& note) {
  nlohmann::ordered_json json;
  json["line"] = note.line;
  if (note.column > 0) json["column"] = note.column;
  if (!note.column_name.empty()) json["column_name"] = note.column_name;
  if (!note.field.empty()) json["field"] = note.field;
  json["severity"] = SeverityName(note.severity);
  json["message"] = note.message;
  return json;
}

nlohmann::ordered_json NotesJson(const std::vector<Note>& notes) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Note& note : notes) json.push_back(NoteJson(note));
  return json;
}

void AppendCsvNote(std::string& csv, const Note& note) {
  const std::array<std::string, 6> cells = {Concat(note.line),
                                            note.column == 0 ? std::string() : Concat(note.column),
                                            note.column_name,
                                            note.field,
                                            std::string(SeverityName(note.severity)),
                                            note.message};
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) csv.push_back(';');
    AppendCsvCell(csv, cells[i], ';');
  }
  csv.push_back('\n');
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kUnderstood:
      return "compris";
    case Severity::kRepaired:
      return "réparé";
    case Severity::kLeftAsText:
      return "laissé en texte";
    case Severity::kRefused:
      return "refusé";
  }
  return "";
}

std::string ReportText(const ImportPlan& plan, ReportDetail detail) {
  std::string text;
  const auto shown = [&](const Note& note) {
    return detail == ReportDetail::kNotes || note.severity == Severity::kRefused;
  };
  for (const Note& note : plan.notes) {
    if (shown(note)) AppendNote(text, plan, note);
  }
  for (const PlannedLine& line : plan.lines) {
    for (const Note& note : line.notes) {
      if (shown(note)) AppendNote(text, plan, note);
    }
  }
  return text + Summary(plan);
}

std::string ReportJson(const ImportPlan& plan) {
  const Counts counts = Count(plan);
  nlohmann::ordered_json json;
  json["file"] = plan.file_name;
  json["encoding"] = plan.encoding;
  json["separator"] = std::string(1, plan.separator);
  json["mapping"] = plan.mapping;
  json["kind"] = plan.kind;
  json["counts"] = {{"lines", plan.lines.size()},     {"ready", counts.ready},
                    {"doubles", counts.doubles},      {"refused", counts.refused},
                    {"understood", counts.notes[0]},  {"repaired", counts.notes[1]},
                    {"left_as_text", counts.notes[2]}};
  json["notes"] = NotesJson(plan.notes);
  json["lines"] = nlohmann::ordered_json::array();
  for (const PlannedLine& line : plan.lines) {
    if (line.notes.empty()) continue;
    json["lines"].push_back({{"line", line.line},
                             {"refused", line.refused()},
                             {"digest", line.digest},
                             {"notes", NotesJson(line.notes)}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string ReportCsv(const ImportPlan& plan) {
  std::string csv = "ligne;colonne;nom de colonne;champ;gravité;message\n";
  for (const Note& note : plan.notes) AppendCsvNote(csv, note);
  for (const PlannedLine& line : plan.lines) {
    for (const Note& note : line.notes) AppendCsvNote(csv, note);
  }
  return csv;
}

}  // namespace maillage::client
