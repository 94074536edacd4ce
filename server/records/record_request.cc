#include "server/records/record_request.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/coded_stream.h"
#include "proto/absl_view.h"
#include "proto/quote.h"
#include "proto/text_fold.h"
#include "replication/tuning.h"
#include "replication/value_codec.h"
#include "server/query/input_error.h"
#include "server/records/limits.h"

namespace maillage::server {

using google::protobuf::Message;
using replication::FieldSchema;
using replication::KindSchema;
using replication::Schema;

namespace {

std::vector<std::string> KindNames(const Schema& schema) {
  std::vector<std::string> names;
  for (const KindSchema& kind : schema.kinds()) names.push_back(kind.name);
  return names;
}

std::vector<std::string> FieldNames(const KindSchema& kind) {
  std::vector<std::string> names;
  for (const FieldSchema& field : kind.fields) names.push_back(field.descriptor->name());
  return names;
}

absl::StatusOr<const FieldSchema*> FindMaskField(const KindSchema& kind, std::string_view path) {
  const std::string_view name = path.substr(0, path.find('.'));
  const FieldSchema* field = kind.FindField(name);
  const std::vector<std::string> names = FieldNames(kind);
  if (field == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("masque\u00A0: champ inconnu ", QuoteWithSuggestion(name, names),
                     "\u00A0; champs\u00A0: ", absl::StrJoin(names, ", ")));
  }
  if (name.size() != path.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "masque\u00A0: ", Quote(path), " n'est qu'une partie d'un champ\u00A0; mettre ",
        Quote(name), " dans le masque et envoyer toute sa valeur"));
  }
  return field;
}

}  // namespace

absl::StatusOr<const KindSchema*> FindKind(const Schema& schema, std::string_view name) {
  const KindSchema* kind = schema.FindKind(name);
  if (kind != nullptr) return kind;
  const std::vector<std::string> names = KindNames(schema);
  return absl::InvalidArgumentError(
      absl::StrCat("type de fiche inconnu\u00A0: ", QuoteWithSuggestion(name, names),
                   "\u00A0; types\u00A0: ", absl::StrJoin(names, ", ")));
}

absl::Status CheckWritable(const KindSchema& kind) {
  if (!kind.options.system()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("les fiches de type ", Quote(kind.name),
                   " sont écrites par les nœuds, pas par les personnes"));
}

absl::StatusOr<NamedRecord> ParseRecordName(const Schema& schema, std::string_view name) {
  const size_t slash = name.find('/');
  const auto id =
      slash == std::string_view::npos ? std::nullopt : ParseUuid(name.substr(slash + 1));
  if (!id.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quote(name),
                     " n'est pas le nom d'une fiche\u00A0: un type, une barre et un UUID, "
                     "comme actor/018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0f"));
  }
  absl::StatusOr<const KindSchema*> kind = FindKind(schema, name.substr(0, slash));
  if (!kind.ok()) return kind.status();
  return NamedRecord{*kind, RecordKey{(*kind)->number, *id}};
}

std::string RecordName(const KindSchema& kind, const RecordId& id) {
  return absl::StrCat(kind.name, "/", FormatUuid(id));
}

absl::StatusOr<std::vector<const FieldSchema*>> ResolveMask(
    const KindSchema& kind, const google::protobuf::FieldMask& mask) {
  std::vector<const FieldSchema*> fields;
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      for (const FieldSchema& field : kind.fields) fields.push_back(&field);
      continue;
    }
    absl::StatusOr<const FieldSchema*> field = FindMaskField(kind, path);
    if (!field.ok()) return field.status();
    fields.push_back(*field);
  }
  // A kind's fields lie in one vector, by number.
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  return fields;
}

absl::StatusOr<std::unique_ptr<Message>> UnpackContent(const Schema& schema, const KindSchema& kind,
                                                       const google::protobuf::Any& any) {
  const std::string& url = any.type_url();
  const std::string type = url.substr(url.rfind('/') + 1);
  if (type != kind.descriptor->full_name()) {
    return absl::InvalidArgumentError(
        absl::StrCat("contenu\u00A0: un message ", kind.descriptor->full_name(),
                     " est attendu, pas ", type.empty() ? "rien" : Quote(type)));
  }
  std::unique_ptr<Message> message = schema.NewMessage(kind);
  // The content's own level, and its values as deep as every site reads them.
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(any.value().data()),
                                            static_cast<int>(any.value().size()));
  in.SetRecursionLimit(replication::kMaxValueDepth + 1);
  if (!message->ParseFromCodedStream(&in) || !in.ConsumedEntireMessage()) {
    return absl::InvalidArgumentError(
        absl::StrCat("contenu\u00A0: ces octets ne sont pas un message ", type));
  }
  const google::protobuf::UnknownFieldSet& unknown =
      message->GetReflection()->GetUnknownFields(*message);
  if (!unknown.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "contenu\u00A0: ce nœud ne connaît pas le champ n° ", unknown.field(0).number(), " de ",
        type, "\u00A0; le mettre à jour, ou écrire sur un nœud plus récent"));
  }
  return message;
}

absl::Status CheckTitle(const KindSchema& kind, const Message& content, bool required) {
  const bool set = replication::IsSet(content, *kind.title);
  if (!set && !required) return absl::OkStatus();
  if (set && !FoldText(replication::EncodeValue(content, *kind.title)).empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(kind.title->name(), "\u00A0: une fiche a besoin d'un nom"));
}

absl::StatusOr<size_t> PageSize(int32_t requested) {
  if (requested < 0) {
    return absl::InvalidArgumentError(absl::StrCat("page_size\u00A0: ", requested,
                                                   " est négatif\u00A0; 1 à ", kMaxPageSize,
                                                   ", ou 0 pour ", kDefaultPageSize));
  }
  if (requested == 0) return kDefaultPageSize;
  return std::min(static_cast<size_t>(requested), kMaxPageSize);
}

}  // namespace maillage::server
