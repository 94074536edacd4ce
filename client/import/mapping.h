// Which column of a spreadsheet goes into which field of which kind, read from a TOML file. The
// format is in client/import/README.md; all that is known of the files' words stands in those
// files.
#ifndef MAILLAGE_CLIENT_IMPORT_MAPPING_H_
#define MAILLAGE_CLIENT_IMPORT_MAPPING_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/import/field_path.h"
#include "client/import/party_resolver.h"

namespace maillage::client {

class CellContext;

// Reads one text, cleaned, of a cell into the record. After an error the record may be half written
// only if no other case follows. The error's message is in French and quotes the text.
using Converter = absl::Status (*)(std::string_view text, CellContext& cell);

// The file's word, folded, and the field's value.
using Dictionary = absl::flat_hash_map<std::string, std::string>;

// One way to read a cell.
struct Target {
  FieldPath field;
  // Null: only `values` are accepted.
  Converter convert = nullptr;
  Dictionary values;
  // Words as the mapping file has them, for the error that lists them.
  std::vector<std::string> value_names;
  // A first word that goes into a field of its own: "SI - Formations".
  FieldPath prefix_field;
  Dictionary prefixes;
  // Constants written with the value.
  std::vector<std::pair<FieldPath, std::string>> set;
  // Folded first word that is dropped: "ODD 4".
  absl::flat_hash_set<std::string> strip;
  // Values that this way reads are texts where a code or a reference was looked for.
  bool left_as_text = false;
  PartySplit split;
  // Fields of a list's entry, beside its key, that are the same for all: role.
  std::vector<std::pair<const google::protobuf::FieldDescriptor*, std::string>> entry;
  std::string currency;
};

struct ColumnMapping {
  std::string header;
  // The cell can't be blank.
  bool required = false;
  // The column may be missing in the file.
  bool optional = false;
  bool ignored = false;
  bool multiline = false;
  // 0: the cell is one value.
  char list = 0;
  // The list's separator may be escaped by a backslash.
  bool escaped = false;
  // Folded texts that stand for nothing: "/".
  absl::flat_hash_set<std::string> blank;
  // Where a list of several values goes instead of the cases: into a repeated field each by itself,
  // read as the first case does; into a text as it is, after the header. A null leaf: nowhere.
  Target several;
  // Tried in order; the first that reads the value wins.
  std::vector<Target> cases;
};

struct Mapping {
  std::string name;
  std::string kind;
  const google::protobuf::Descriptor* descriptor = nullptr;
  std::vector<ColumnMapping> columns;
  std::vector<std::pair<FieldPath, std::string>> set;
  // Records carry their row's digest as external id of the mapping's name.
  bool digest = true;
};

// InvalidArgument, in French, with `source` and the line: no TOML, an unknown key, kind, field or
// converter.
absl::StatusOr<Mapping> ParseMapping(std::string_view toml, std::string_view source);

// The column of the mapping for each column of the header, by folded name; null where there is
// none. InvalidArgument, in French, if the header has a name twice or lacks a column that isn't
// optional.
absl::StatusOr<std::vector<const ColumnMapping*>> BindColumns(const Mapping& mapping,
                                                              absl::Span<const std::string> header);

// What an export of records has in its header: id and names of fields of one kind.
absl::StatusOr<Mapping> MappingOfFields(const google::protobuf::Descriptor& kind,
                                        absl::Span<const std::string> header);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_MAPPING_H_
