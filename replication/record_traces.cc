#include "replication/record_traces.h"

#include <algorithm>

#include "replication/replica.h"
#include "storage/keys.h"

namespace maillage::replication {

RecordTraces TracesOfState(const RecordKey& record, const RecordState& state, std::string_view bytes,
                           const IndexSource* index) {
  RecordTraces traces;
  traces.fingerprint = Fingerprint::OfState(record, bytes);
  traces.territories = state.Territories();
  if (traces.territories.empty()) traces.territories.emplace_back();
  traces.deleted = state.life() == Life::kDeleted;
  if (index != nullptr) traces.index_keys = index->IndexKeys(record, state);
  traces.conflicting =
      !traces.deleted &&
      (state.life() == Life::kContested ||
       std::any_of(state.cells().begin(), state.cells().end(), [](const Cell& cell) {
         return cell.field != kLifeField && cell.versions.size() > 1 && !OtherVersions(cell).empty();
       }));
  if (traces.conflicting) traces.index_keys.push_back(storage::ConflictKey(record));
  std::sort(traces.index_keys.begin(), traces.index_keys.end());
  traces.index_keys.erase(std::unique(traces.index_keys.begin(), traces.index_keys.end()),
                          traces.index_keys.end());
  return traces;
}

}  // namespace maillage::replication
