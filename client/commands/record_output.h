// Records and their changes in the three formats of --output.
#ifndef MAILLAGE_CLIENT_COMMANDS_RECORD_OUTPUT_H_
#define MAILLAGE_CLIENT_COMMANDS_RECORD_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/commands/session.h"
#include "google/protobuf/descriptor.h"
#include "proto/record_service.pb.h"

namespace maillage::client::commands {

// One row of CSV, separated by semicolons.
std::string CsvLine(const std::vector<std::string>& cells);

// What people call the record: its naming field, or its name where that is empty or the kind
// unknown.
std::string TitleOf(const v1::Record& record);

// Table: one line per field that is set, under the name, the title and the etag. JSON: one object.
// CSV: the columns of `maillage export`.
absl::Status PrintRecord(Session& session, const v1::Record& record);

// Table: the id and the columns. JSON: an array of what PrintRecord prints. CSV: as `maillage
// export`, or the id and the columns where `chosen` says that a person chose them.
absl::Status PrintRecords(Session& session, const google::protobuf::Descriptor& kind,
                          const std::vector<v1::Record>& records,
                          const std::vector<const google::protobuf::FieldDescriptor*>& columns,
                          bool chosen);

// The fields that a table of the kind shows: those that name the record, are searched, or tell its
// territory.
std::vector<const google::protobuf::FieldDescriptor*> DefaultColumns(
    const google::protobuf::Descriptor& kind);

// "description = Accueil", "sdgs + 13", "supprimée": one change of one field.
std::string FieldChangeText(const Session& session, const v1::FieldChange& change);

// "Awa, Savoie".
std::string AuthorText(const Session& session, const std::string& person, const std::string& site);

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_RECORD_OUTPUT_H_
