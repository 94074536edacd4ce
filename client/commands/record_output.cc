#include "client/commands/record_output.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/field_text.h"
#include "client/commands/json.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"
#include "client/export/csv_cell.h"
#include "client/export/export.h"
#include "client/kinds.h"

namespace maillage::client::commands {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

constexpr char kSeparator = ';';

std::string IdOf(const v1::Record& record) { return SplitName(record.name()).second; }

// The line about versions that wait for a person; empty if there are none.
std::string VersionsNotice(const Session& session, const v1::Record& record) {
  if (record.conflicting_fields().empty()) return "";
  const std::string fields = absl::StrJoin(record.conflicting_fields(), ", ");
  return session.Say(
      absl::StrCat("Deux versions à comparer : ", fields, " (voir : maillage conflicts)\n"),
      absl::StrCat("Two versions to compare: ", fields, " (see: maillage conflicts)\n"));
}

// "Ville de Grenoble (38)", and whether it is here.
std::string ReferenceText(const Session& session, const v1::Reference& reference) {
  if (reference.presence() == v1::Reference::ABSENT) {
    return session.Say("absente : aucun site rencontré ne la connaît", "absent: no site that was met knows it");
  }
  std::string text = reference.title();
  if (reference.territories_size() > 0) {
    absl::StrAppend(&text, " (", absl::StrJoin(reference.territories(), ", "), ")");
  }
  if (reference.deleted()) text += session.Say(", supprimée", ", deleted");
  if (reference.presence() == v1::Reference::STUB) text += session.Say(", fiche abrégée", ", stub");
  return text;
}

void PrintReferences(Session& session, const v1::Record& record) {
  if (record.references().empty()) return;
  TextTable table({session.Say("cite", "refers to"), ""});
  for (const v1::Reference& reference : record.references()) {
    table.AddRow({reference.name().empty() ? reference.id() : reference.name(),
                  OneLine(ReferenceText(session, reference))});
  }
  session.env.out << "\n" << table.Render(0);
}

void PrintRecordTable(Session& session, const v1::Record& record, const Message* content) {
  std::string title = TitleOf(record);
  if (record.deleted()) title += session.Say(" (supprimée)", " (deleted)");
  if (record.stub()) title += session.Say(" (fiche abrégée)", " (stub)");
  session.env.out << OneLine(title) << "\n";
  TextTable table({session.Say("fiche", "record"), record.name()});
  if (!record.stub()) table.AddRow({"etag", record.etag()});
  if (record.has_update_time()) {
    table.AddRow({session.Say("modifiée le", "updated"),
                  session.ShortTimeText(ToTime(record.update_time()))});
  }
  const Descriptor* const kind = content != nullptr ? content->GetDescriptor() : nullptr;
  for (int i = 0; kind != nullptr && i < kind->field_count(); ++i) {
    const std::string text = FieldText(*content, *kind->field(i));
    if (!text.empty()) table.AddRow({kind->field(i)->name(), OneLine(text)});
  }
  // A person reads a record to its end: no column is cut.
  session.env.out << table.Render(0) << VersionsNotice(session, record);
  PrintReferences(session, record);
  if (record.stub()) {
    session.env.out << session.Say(absl::StrCat("Cette fiche ", OneLine(record.absence()), ".\n"),
                                   "This site doesn't hold the record, and can't change it.\n");
  }
}

absl::Status PrintCsv(Session& session, const Descriptor& kind,
                      const std::vector<v1::Record>& records) {
  session.env.out << CsvHeader(kind);
  for (const v1::Record& record : records) {
    const auto content = Unpack(record.content());
    if (!content.ok()) return content.status();
    const absl::StatusOr<std::string> row = CsvRow(IdOf(record), **content);
    if (!row.ok()) return row.status();
    session.env.out << *row;
  }
  return absl::OkStatus();
}

absl::Status PrintChosenCsv(Session& session, const std::vector<v1::Record>& records,
                            const std::vector<const FieldDescriptor*>& columns) {
  std::vector<std::string> cells = {"id"};
  for (const FieldDescriptor* column : columns) cells.push_back(column->name());
  session.env.out << CsvLine(cells);
  for (const v1::Record& record : records) {
    const auto content = Unpack(record.content());
    if (!content.ok()) return content.status();
    cells = {IdOf(record)};
    for (const FieldDescriptor* column : columns) {
      cells.push_back(absl::StrJoin(FieldTexts(**content, *column), "|"));
    }
    session.env.out << CsvLine(cells);
  }
  return absl::OkStatus();
}

absl::Status PrintTable(Session& session, const std::vector<v1::Record>& records,
                        const std::vector<const FieldDescriptor*>& columns) {
  std::vector<std::string> header = {"id"};
  for (const FieldDescriptor* column : columns) header.push_back(column->name());
  TextTable table(header);
  for (const v1::Record& record : records) {
    const auto content = Unpack(record.content());
    if (!content.ok()) return content.status();
    std::vector<std::string> cells = {IdOf(record)};
    for (const FieldDescriptor* column : columns) {
      cells.push_back(OneLine(FieldText(**content, *column)));
    }
    if (record.deleted()) cells.back() += session.Say(" (supprimée)", " (deleted)");
    table.AddRow(std::move(cells));
  }
  if (!table.empty()) session.env.out << table.Render(session.env.out_width);
  session.env.out << session.Say(
      absl::StrCat(records.size(), records.size() < 2 ? " fiche\n" : " fiches\n"),
      absl::StrCat(records.size(), records.size() == 1 ? " record\n" : " records\n"));
  return absl::OkStatus();
}

}  // namespace

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += kSeparator;
    AppendCsvCell(line, cells[i], kSeparator);
  }
  return line += '\n';
}

std::string TitleOf(const v1::Record& record) {
  const auto content = Unpack(record.content());
  if (!content.ok()) return record.name();
  const FieldDescriptor* const field = NamingField(*(*content)->GetDescriptor());
  const std::string title = field != nullptr ? FieldText(**content, *field) : "";
  return title.empty() ? record.name() : title;
}

absl::Status PrintRecord(Session& session, const v1::Record& record) {
  if (session.output == Output::kJson) {
    session.env.out << Print(RecordJson(record));
    return absl::OkStatus();
  }
  const auto content = Unpack(record.content());
  if (session.output == Output::kCsv) {
    if (!content.ok()) return content.status();
    return PrintCsv(session, *(*content)->GetDescriptor(), {record});
  }
  PrintRecordTable(session, record, content.ok() ? content->get() : nullptr);
  return absl::OkStatus();
}

absl::Status PrintRecords(Session& session, const Descriptor& kind,
                          const std::vector<v1::Record>& records,
                          const std::vector<const FieldDescriptor*>& columns, bool chosen) {
  switch (session.output) {
    case Output::kJson: {
      Json array = Json::array();
      for (const v1::Record& record : records) array.push_back(RecordJson(record));
      session.env.out << Print(array);
      return absl::OkStatus();
    }
    case Output::kCsv:
      return chosen ? PrintChosenCsv(session, records, columns) : PrintCsv(session, kind, records);
    case Output::kTable:
      break;
  }
  return PrintTable(session, records, columns);
}

std::vector<const FieldDescriptor*> DefaultColumns(const Descriptor& kind) {
  std::vector<const FieldDescriptor*> columns;
  for (int i = 0; i < kind.field_count(); ++i) {
    const auto& options = kind.field(i)->options();
    if (options.GetExtension(v1::names_record) || options.GetExtension(v1::searchable) ||
        options.GetExtension(v1::territory)) {
      columns.push_back(kind.field(i));
    }
  }
  return columns;
}

std::string FieldChangeText(const Session& session, const v1::FieldChange& change) {
  const std::string value = OneLine(change.value());
  switch (change.action()) {
    case v1::FieldChange::SET:
      if (change.withheld()) return absl::StrCat(change.field(), session.Say(" = (interne, non transmis à ce site)", " = (internal, not for this site)"));
      return absl::StrCat(change.field(), " = ", value);
    case v1::FieldChange::CLEAR:
      return absl::StrCat(change.field(), session.Say(" vidé", " cleared"));
    case v1::FieldChange::ADD:
      return absl::StrCat(change.field(), " + ", value);
    case v1::FieldChange::REMOVE:
      return absl::StrCat(change.field(), " - ", value);
    case v1::FieldChange::DELETE:
      return session.Say("fiche supprimée", "record deleted");
    case v1::FieldChange::UNDELETE:
      return session.Say("fiche rétablie", "record restored");
    default:
      return absl::StrCat(change.field(), " ? ", value);
  }
}

std::string AuthorText(const Session& session, const std::string& person, const std::string& site) {
  const std::string who = person.empty() ? session.Say("anonyme", "anonymous") : person;
  return OneLine(site.empty() ? who : absl::StrCat(who, ", ", site));
}

}  // namespace maillage::client::commands
