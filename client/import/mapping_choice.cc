#include "client/import/mapping_choice.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "client/import/concat.h"
#include "client/import/refused_file.h"
#include "client/import/shipped_mappings.h"
#include "client/kinds.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

using google::protobuf::Descriptor;

absl::StatusOr<Mapping> NamedMapping(std::string_view name) {
  for (const ShippedMapping& shipped : ShippedMappings()) {
    if (shipped.name == name) return ParseMapping(shipped.toml, Concat(name, ".toml"));
  }
  return absl::NotFoundError(Concat("il n'y a pas de correspondance ", Quote(name),
                                    " ; le programme connaît ",
                                    absl::StrJoin(ShippedMappingNames(), ", ")));
}

// Every column of the header is read, and none is missing.
bool Fits(const Mapping& mapping, absl::Span<const std::string> header) {
  const auto bound = BindColumns(mapping, header);
  if (!bound.ok()) return false;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool needs_none = FoldText(header[i]).empty() || IsReasonHeader(header[i]);
    if ((*bound)[i] == nullptr && !needs_none) return false;
  }
  return true;
}

bool IsKind(const Descriptor& kind, const ImportOptions& options) {
  return options.kind.empty() || FindKind(options.kind) == &kind;
}

// The header names the kind's fields, with the one that names the record among them.
bool NamesFieldsOf(const Descriptor& kind, absl::Span<const std::string> header) {
  const auto* naming = NamingField(kind);
  if (naming == nullptr) return false;
  bool named = false;
  for (const std::string& name : header) named = named || name == naming->name();
  return named;
}

std::optional<Mapping> MappingOfExport(const ImportOptions& options,
                                       absl::Span<const std::string> header) {
  std::vector<Mapping> found;
  for (const Descriptor* kind : AllKinds()) {
    if (KindOf(*kind).system() || !IsKind(*kind, options) || !NamesFieldsOf(*kind, header)) {
      continue;
    }
    if (auto mapping = MappingOfFields(*kind, header); mapping.ok()) {
      found.push_back(*std::move(mapping));
    }
  }
  if (found.size() != 1) return std::nullopt;
  return std::move(found[0]);
}

absl::Status NoneFits(absl::Span<const std::string> header, const std::vector<Mapping>& mappings) {
  std::string message =
      Concat("aucune correspondance pour cet en-tête : ", absl::StrJoin(header, " ; "),
             "\nLe programme connaît :\n");
  for (const Mapping& mapping : mappings) {
    message += Concat("  ", mapping.name, " (", mapping.kind, ") : ");
    message += Concat(absl::StrJoin(mapping.columns, " ; ",
                                    [](std::string* out, const ColumnMapping& column) {
                                      *out += Concat(column.header);
                                    }),
                      "\n");
  }
  absl::StrAppend(&message,
                  "Donnez le nom d'une correspondance (--mapping acteurs) pour laisser de côté les "
                  "colonnes qu'elle n'a pas, ou un fichier (--mapping FICHIER.toml) tel que :\n"
                  "  name = \"benevoles\"\n  kind = \"actor\"\n\n  [[column]]\n"
                  "  header = \"Nom de la structure\"\n  required = true\n  field = \"name\"\n"
                  "Le format est décrit dans client/import/README.md.");
  return absl::NotFoundError(message);
}

absl::StatusOr<Mapping> MappingByHeader(const ImportOptions& options,
                                        absl::Span<const std::string> header) {
  std::vector<Mapping> all;
  std::vector<size_t> fitting;
  for (const ShippedMapping& shipped : ShippedMappings()) {
    auto mapping = ParseMapping(shipped.toml, Concat(shipped.name, ".toml"));
    if (!mapping.ok()) return mapping.status();
    if (Fits(*mapping, header)) fitting.push_back(all.size());
    all.push_back(*std::move(mapping));
  }
  if (fitting.size() == 1) return std::move(all[fitting[0]]);
  if (auto mapping = MappingOfExport(options, header)) return *std::move(mapping);
  return NoneFits(header, all);
}

absl::StatusOr<Mapping> MappingOf(const ImportOptions& options,
                                  absl::Span<const std::string> header) {
  if (!options.mapping_toml.empty()) {
    return ParseMapping(options.mapping_toml, options.mapping_file);
  }
  if (!options.mapping.empty()) return NamedMapping(options.mapping);
  return MappingByHeader(options, header);
}

}  // namespace

absl::StatusOr<Mapping> ChooseMapping(const ImportOptions& options,
                                      absl::Span<const std::string> header) {
  if (!options.kind.empty() && FindKind(options.kind) == nullptr) {
    return absl::InvalidArgumentError(
        Concat("il n'y a pas de sorte de fiche ", Quote(options.kind)));
  }
  absl::StatusOr<Mapping> mapping = MappingOf(options, header);
  if (!mapping.ok()) return mapping;
  if (!IsKind(*mapping->descriptor, options)) {
    return absl::InvalidArgumentError(Concat("ce fichier donne des fiches ", Quote(mapping->kind),
                                             ", et non ", Quote(options.kind)));
  }
  return mapping;
}

std::vector<std::string> ShippedMappingNames() {
  std::vector<std::string> names;
  for (const ShippedMapping& shipped : ShippedMappings()) names.emplace_back(shipped.name);
  return names;
}

}  // namespace maillage::client
