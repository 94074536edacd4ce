// How the text of a cell becomes values of fields. The converters by name are the table in
// client/import/README.md.
#ifndef MAILLAGE_CLIENT_IMPORT_CONVERTER_H_
#define MAILLAGE_CLIENT_IMPORT_CONVERTER_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "client/import/actor_directory.h"
#include "client/import/importer.h"
#include "client/import/mapping.h"
#include "google/protobuf/message.h"

namespace maillage::client {

// Values in one cell. Each is compared with those before it, so that the work grows with the
// square.
inline constexpr size_t kMaxListItems = 1000;

// Where a converter writes: the record, the notes of its line, and the target that it serves.
class CellContext {
 public:
  // `place` gives line, column and column name to every note.
  CellContext(google::protobuf::Message& record, const ActorDirectory& directory,
              std::vector<Note>& notes, const Note& place)
      : record_(record), directory_(directory), notes_(notes), place_(place) {}

  google::protobuf::Message& record() { return record_; }
  const ActorDirectory& directory() const { return directory_; }
  const Target& target() const { return *target_; }
  void set_target(const Target& target) { target_ = &target; }

  // Adds a note about the target's field.
  void Say(Severity severity, std::string_view message);
  void SayOfField(Severity severity, std::string_view field, std::string_view message);

  // Writes into the target's field; a value that a list has already is said to be repaired.
  absl::Status Put(std::string_view value);

 private:
  google::protobuf::Message& record_;
  const ActorDirectory& directory_;
  std::vector<Note>& notes_;
  const Note& place_;
  const Target* target_ = nullptr;
};

// Null if there is none of that name.
Converter FindConverter(std::string_view name);

// In alphabetical order.
std::vector<std::string_view> ConverterNames();

// InvalidArgument, in French, if the converter can't write into the target's field.
absl::Status CheckTarget(std::string_view converter, const Target& target);

// Reads a whole cell of the column: blanks, lists, dictionaries and cases around the converters.
absl::Status ConvertCell(std::string_view text, const ColumnMapping& column, CellContext& cell);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_CONVERTER_H_
