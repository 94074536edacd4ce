#include "client/import/mapping.h"

#include <toml++/toml.h>

#include <initializer_list>
#include <optional>

#include "absl/strings/str_join.h"
#include "client/import/concat.h"
#include "client/import/converter.h"
#include "client/import/refused_file.h"
#include "client/kinds.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr std::string_view kIdHeader = "id";

void AppendView(std::string* out, std::string_view text) { out->append(text); }

// Reads one TOML file. The first error is kept and the rest read on, so that no caller checks each
// step.
class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}

  absl::StatusOr<Mapping> Read(const toml::table& root) {
    CheckKeys(root, {"name", "kind", "set", "column"});
    mapping_.name = Text(root, "name");
    mapping_.kind = Text(root, "kind");
    mapping_.descriptor = FindKind(mapping_.kind);
    if (mapping_.name.empty()) Fail(root, "la clé name manque");
    if (mapping_.descriptor == nullptr) {
      Fail(root, Concat("il n'y a pas de sorte de fiche ", Quote(mapping_.kind)));
      return status_;
    }
    mapping_.kind = KindOf(*mapping_.descriptor).name();
    mapping_.set = Constants(root, "set");
    const toml::array* columns = root["column"].as_array();
    if (columns == nullptr || columns->empty()) Fail(root, "il faut au moins une [[column]]");
    for (size_t i = 0; columns != nullptr && i < columns->size(); ++i) {
      const toml::table* column = columns->get(i)->as_table();
      if (column == nullptr) {
        Fail(root, "column est une suite de tables [[column]]");
      } else {
        mapping_.columns.push_back(Column(*column));
      }
    }
    if (!status_.ok()) return status_;
    return std::move(mapping_);
  }

 private:
  void Fail(const toml::node& where, std::string_view why) {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(
        Concat(source_, ", ligne ", where.source().begin.line, " : ", why));
  }

  void CheckKeys(const toml::table& table, std::initializer_list<absl::string_view> known) {
    for (const auto& [key, value] : table) {
      bool found = false;
      for (absl::string_view name : known) found = found || ToStd(name) == key.str();
      if (found) continue;
      Fail(value,
           Concat("clé inconnue ", Quote(key.str()), " ; ici vont ", absl::StrJoin(known, ", ")));
    }
  }

  std::string Text(const toml::table& table, std::string_view key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return "";
    if (!node->is_string()) Fail(*node, Concat(key, " est un texte entre guillemets"));
    return node->value_or(std::string());
  }

  bool Flag(const toml::table& table, std::string_view key) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) Fail(*node, Concat(key, " est true ou false"));
    return node->value_or(false);
  }

  std::vector<std::string> Texts(const toml::table& table, std::string_view key) {
    std::vector<std::string> texts;
    const toml::node* node = table.get(key);
    if (node == nullptr) return texts;
    const toml::array* array = node->as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::string)) {
      Fail(*node, Concat(key, " est une liste de textes"));
      return texts;
    }
    for (const toml::node& item : *array) texts.push_back(item.value_or(std::string()));
    return texts;
  }

  absl::flat_hash_set<std::string> FoldedTexts(const toml::table& table, std::string_view key) {
    absl::flat_hash_set<std::string> folded;
    for (const std::string& text : Texts(table, key)) folded.insert(FoldText(text));
    return folded;
  }

  // Keys and texts of a sub-table.
  std::vector<std::pair<std::string, std::string>> Pairs(const toml::table& table,
                                                         std::string_view key) {
    std::vector<std::pair<std::string, std::string>> pairs;
    const toml::node* node = table.get(key);
    if (node == nullptr) return pairs;
    const toml::table* entries = node->as_table();
    if (entries == nullptr) {
      Fail(*node, Concat(key, " est une table { \"mot\" = \"valeur\" }"));
      return pairs;
    }
    for (const auto& [name, value] : *entries) {
      if (!value.is_string()) Fail(value, Concat(key, " ne contient que des textes"));
      pairs.emplace_back(std::string(name.str()), value.value_or(std::string()));
    }
    return pairs;
  }

  FieldPath Field(const toml::node& where, std::string_view name) {
    absl::StatusOr<FieldPath> field = ResolveField(*mapping_.descriptor, name);
    if (field.ok()) return *std::move(field);
    Fail(where, ToStd(field.status().message()));
    return {};
  }

  // A value that a mapping file gives must be one that the field takes.
  void CheckValue(const toml::node& where, const FieldPath& field, std::string_view value) {
    if (field.leaf == nullptr) return;
    const auto record = NewMessage(*mapping_.descriptor);
    const auto put = PutText(*record, field, value);
    if (!put.ok()) Fail(where, ToStd(put.status().message()));
  }

  std::vector<std::pair<FieldPath, std::string>> Constants(const toml::table& table,
                                                           std::string_view key) {
    std::vector<std::pair<FieldPath, std::string>> constants;
    for (const auto& [name, value] : Pairs(table, key)) {
      constants.emplace_back(Field(table, name), value);
      CheckValue(table, constants.back().first, value);
    }
    return constants;
  }

  Dictionary Words(const toml::table& table, std::string_view key, const FieldPath& field,
                   std::vector<std::string>* names) {
    Dictionary words;
    for (const auto& [word, value] : Pairs(table, key)) {
      CheckValue(table, field, value);
      if (!words.emplace(FoldText(word), value).second) {
        Fail(table, Concat("le mot ", Quote(word), " y est deux fois, aux accents près"));
      }
      if (names != nullptr) names->push_back(word);
    }
    return words;
  }

  void ReadPrefix(const toml::table& table, Target& target) {
    const toml::node* node = table.get("prefix");
    if (node == nullptr) return;
    const toml::table* prefix = node->as_table();
    if (prefix == nullptr) {
      Fail(*node, "prefix est une table { field = \"…\", values = { … } }");
      return;
    }
    CheckKeys(*prefix, {"field", "values"});
    target.prefix_field = Field(*prefix, Text(*prefix, "field"));
    target.prefixes = Words(*prefix, "values", target.prefix_field, nullptr);
  }

  void ReadEntry(const toml::table& table, Target& target) {
    for (const auto& [name, value] : Pairs(table, "entry")) {
      const FieldDescriptor* leaf = target.field.leaf;
      const FieldDescriptor* part =
          leaf != nullptr && leaf->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE
              ? leaf->message_type()->FindFieldByName(name)
              : nullptr;
      if (part == nullptr || part->is_repeated() ||
          part->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
        Fail(table,
             Concat("les éléments de ", target.field.name, " n'ont pas de texte ", Quote(name)));
        continue;
      }
      target.entry.emplace_back(part, value);
    }
  }

  Target ReadTarget(const toml::table& table) {
    Target target;
    target.field = Field(table, Text(table, "field"));
    if (target.field.leaf == nullptr) return target;
    target.values = Words(table, "values", target.field, &target.value_names);
    ReadPrefix(table, target);
    ReadEntry(table, target);
    target.set = Constants(table, "set");
    target.strip = FoldedTexts(table, "strip");
    target.left_as_text = Flag(table, "left_as_text");
    target.split = {Texts(table, "split"), Texts(table, "split_if_known")};
    target.currency = Text(table, "currency");
    ReadConverter(table, target);
    return target;
  }

  void ReadConverter(const toml::table& table, Target& target) {
    std::string name = Text(table, "convert");
    if (name.empty() && target.values.empty()) name = "text";
    if (name.empty()) return;
    target.convert = FindConverter(name);
    if (target.convert == nullptr) {
      Fail(table, Concat("convertisseur inconnu ", Quote(name), " ; il y a ",
                         absl::StrJoin(ConverterNames(), ", ", AppendView)));
    } else if (absl::Status fits = CheckTarget(name, target); !fits.ok()) {
      Fail(table, ToStd(fits.message()));
    }
    const bool money = name == "amount" || name == "funding";
    if (money && target.currency.empty()) {
      Fail(table, Concat("le convertisseur ", name, " demande currency = \"EUR\""));
    }
    for (const std::string& separator : target.split.always) {
      if (separator.empty()) Fail(table, "un séparateur de split est vide");
    }
    for (const std::string& separator : target.split.if_known) {
      if (separator.empty()) Fail(table, "un séparateur de split_if_known est vide");
    }
  }

  ColumnMapping Column(const toml::table& table) {
    CheckKeys(table, {"header",  "required",     "optional",      "ignore",         "multiline",
                      "list",    "blank",        "several_field", "case",           "field",
                      "convert", "values",       "prefix",        "entry",          "set",
                      "strip",   "left_as_text", "split",         "split_if_known", "currency"});
    ColumnMapping column;
    column.header = Text(table, "header");
    if (column.header.empty()) Fail(table, "une colonne a un header");
    column.required = Flag(table, "required");
    column.optional = Flag(table, "optional");
    column.ignored = Flag(table, "ignore");
    column.multiline = Flag(table, "multiline");
    column.blank = FoldedTexts(table, "blank");
    const std::string list = Text(table, "list");
    if (list.size() > 1) Fail(table, "list est un seul caractère ASCII");
    if (!list.empty()) column.list = list[0];
    if (!column.ignored) ReadCases(table, column);
    ReadSeveral(table, column);
    return column;
  }

  void ReadSeveral(const toml::table& table, ColumnMapping& column) {
    if (!table.contains("several_field")) return;
    if (column.list == 0) Fail(table, "several_field va avec list");
    if (!column.cases.empty()) column.several = column.cases.front();
    column.several.field = Field(table, Text(table, "several_field"));
    const FieldDescriptor* leaf = column.several.field.leaf;
    if (leaf != nullptr && leaf->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      Fail(table, "several_field est un texte ou une suite de textes");
    }
  }

  void ReadCases(const toml::table& table, ColumnMapping& column) {
    const toml::node* cases = table.get("case");
    if (cases == nullptr) {
      column.cases.push_back(ReadTarget(table));
      return;
    }
    if (table.contains("field")) Fail(table, "une colonne a un field ou des case, pas les deux");
    if (!cases->is_array_of_tables()) {
      Fail(*cases, "case est une suite de tables [[column.case]]");
      return;
    }
    for (const toml::node& node : *cases->as_array()) {
      const toml::table& target = *node.as_table();
      CheckKeys(target, {"field", "convert", "values", "prefix", "entry", "set", "strip",
                         "left_as_text", "split", "split_if_known", "currency"});
      column.cases.push_back(ReadTarget(target));
    }
  }

  std::string source_;
  Mapping mapping_;
  absl::Status status_;
};

absl::StatusOr<ColumnMapping> ColumnOfField(const Descriptor& kind, std::string_view header) {
  ColumnMapping column;
  column.header = std::string(header);
  column.multiline = true;
  if (header == kIdHeader) {
    column.ignored = true;
    return column;
  }
  absl::StatusOr<FieldPath> field = ResolveField(kind, header);
  if (!field.ok()) return field.status();
  Target target;
  target.field = *std::move(field);
  target.convert = FindConverter("literal");
  if (target.field.leaf->is_repeated()) {
    column.list = '|';
    column.escaped = true;
  }
  column.cases.push_back(std::move(target));
  return column;
}

}  // namespace

absl::StatusOr<Mapping> ParseMapping(std::string_view toml, std::string_view source) {
  // The one library here that reports by exceptions: they end here.
  try {
    const toml::table root = toml::parse(toml, source);
    return Reader(source).Read(root);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(Concat(source, ", ligne ", error.source().begin.line,
                                             " : ce n'est pas du TOML (", error.description(),
                                             ")"));
  }
}

absl::StatusOr<std::vector<const ColumnMapping*>> BindColumns(
    const Mapping& mapping, absl::Span<const std::string> header) {
  absl::flat_hash_map<std::string, size_t> positions;
  for (size_t i = 0; i < header.size(); ++i) {
    const std::string folded = FoldText(header[i]);
    if (!folded.empty() && !positions.emplace(folded, i).second) {
      return absl::InvalidArgumentError(Concat("l'en-tête a deux colonnes ", Quote(header[i])));
    }
  }
  std::vector<const ColumnMapping*> bound(header.size(), nullptr);
  std::vector<std::string> missing;
  for (const ColumnMapping& column : mapping.columns) {
    const auto found = positions.find(FoldText(column.header));
    if (found != positions.end()) {
      bound[found->second] = &column;
    } else if (!column.optional) {
      missing.push_back(Quote(column.header));
    }
  }
  if (missing.empty()) return bound;
  return absl::InvalidArgumentError(Concat("l'en-tête n'a pas ", absl::StrJoin(missing, ", "),
                                           ", que demande ", Quote(mapping.name)));
}

absl::StatusOr<Mapping> MappingOfFields(const Descriptor& kind,
                                        absl::Span<const std::string> header) {
  Mapping mapping;
  mapping.kind = KindOf(kind).name();
  mapping.name = Concat("export-", mapping.kind);
  mapping.descriptor = &kind;
  mapping.digest = false;
  for (const std::string& name : header) {
    if (IsReasonHeader(name)) continue;
    absl::StatusOr<ColumnMapping> column = ColumnOfField(kind, name);
    if (!column.ok()) return column.status();
    mapping.columns.push_back(*std::move(column));
  }
  return mapping;
}

}  // namespace maillage::client
