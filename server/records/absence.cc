#include "server/records/absence.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "proto/absl_view.h"
#include "replication/evicted_record.h"
#include "replication/record_reader.h"
#include "replication/stub.h"
#include "server/records/site_names.h"
#include "storage/keys.h"

namespace maillage::server {
namespace {

std::string Day(uint64_t millis) {
  return absl::FormatTime("%d/%m/%Y", absl::FromUnixMillis(static_cast<int64_t>(millis)), absl::LocalTimeZone());
}

std::string Places(const std::vector<std::string>& territories) {
  return absl::StrCat(territories.size() == 1 ? "le département " : "les départements ",
                      absl::StrJoin(territories, ", "));
}

std::string Whither(const replication::EvictedRecord& evicted) {
  return evicted.territories.empty() ? "" : absl::StrCat(" pour ", Places(evicted.territories));
}

std::optional<replication::EvictedRecord> FindEvicted(const storage::ReadView& view, const RecordKey& record) {
  const auto bytes = view.Get(storage::Table::kMeta, storage::EvictedKey(record));
  if (!bytes.ok() || !bytes->has_value()) return std::nullopt;
  auto evicted = replication::DecodeEvictedRecord(**bytes);
  if (!evicted.ok()) return std::nullopt;
  return *std::move(evicted);
}

}  // namespace

std::string WhyElsewhere(const replication::Schema& schema, const storage::ReadView& view, const RecordKey& record) {
  if (const auto evicted = FindEvicted(view, record); evicted.has_value()) {
    return absl::StrCat("a quitté ce site le ", Day(evicted->millis), Whither(*evicted), " ; ",
                        SiteName(schema, view, evicted->keeper), " l'a reprise, avec toutes ses modifications");
  }
  const auto stub = replication::ReadStub(view, record.id);
  if (!stub.ok() || !stub->has_value() || (*stub)->kind != record.kind) return "";
  const std::vector<std::string> territories = (*stub)->state.Territories();
  return absl::StrCat("est hors du périmètre de ce site",
                      territories.empty() ? "" : absl::StrCat(" (elle est dans ", Places(territories), ")"),
                      " : seul son abrégé est ici, et elle se modifie sur un site qui la tient");
}

absl::Status WhyAbsent(const replication::Schema& schema, const storage::ReadView& view, const RecordKey& record,
                       std::string_view name) {
  const std::string elsewhere = WhyElsewhere(schema, view, record);
  absl::Status why = absl::NotFoundError(elsewhere.empty() ? absl::StrCat("pas de fiche ", ToAbsl(name), " sur ce nœud")
                                                           : absl::StrCat("la fiche ", ToAbsl(name), " ", elsewhere));
  return replication::Absent(view, record, std::move(why));
}

}  // namespace maillage::server
