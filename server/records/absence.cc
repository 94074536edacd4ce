#include "server/records/absence.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "proto/absl_view.h"
#include "replication/evicted_record.h"
#include "replication/record_reader.h"
#include "server/records/site_names.h"
#include "storage/keys.h"

namespace maillage::server {
namespace {

std::string Day(uint64_t millis) {
  return absl::FormatTime("%d/%m/%Y", absl::FromUnixMillis(static_cast<int64_t>(millis)), absl::LocalTimeZone());
}

std::string Whither(const replication::EvictedRecord& evicted) {
  if (evicted.territories.empty()) return "";
  return absl::StrCat(evicted.territories.size() == 1 ? " pour le département " : " pour les départements ",
                      absl::StrJoin(evicted.territories, ", "));
}

}  // namespace

absl::Status WhyAbsent(const replication::Schema& schema, const storage::ReadView& view, const RecordKey& record,
                       std::string_view name) {
  absl::Status why = absl::NotFoundError(absl::StrCat("pas de fiche ", ToAbsl(name), " sur ce nœud"));
  const auto bytes = view.Get(storage::Table::kMeta, storage::EvictedKey(record));
  if (bytes.ok() && bytes->has_value()) {
    const auto evicted = replication::DecodeEvictedRecord(**bytes);
    if (evicted.ok()) {
      why = absl::NotFoundError(absl::StrCat(
          "la fiche ", ToAbsl(name), " a quitté ce site le ", Day(evicted->millis), Whither(*evicted), " ; ",
          SiteName(schema, view, evicted->keeper), " l'a reprise, avec toutes ses modifications"));
    }
  }
  return replication::Absent(view, record, std::move(why));
}

}  // namespace maillage::server
