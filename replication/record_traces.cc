#include "replication/record_traces.h"

#include <algorithm>
#include <iterator>

#include "replication/index_source.h"
#include "replication/state_codec.h"
#include "storage/keys.h"

namespace maillage::replication {

std::vector<std::string> PlacesOf(const RecordState& state) {
  std::vector<std::string> places = state.Territories();
  if (places.empty() && !state.vector().empty()) places.emplace_back();
  return places;
}

std::vector<std::string> AllPlaces(std::vector<std::string> before, const RecordState& after) {
  std::vector<std::string> now = PlacesOf(after);
  before.insert(before.end(), std::make_move_iterator(now.begin()), std::make_move_iterator(now.end()));
  std::sort(before.begin(), before.end());
  before.erase(std::unique(before.begin(), before.end()), before.end());
  return before;
}

RecordTraces TracesOfState(const RecordKey& record, const RecordState& state, std::string_view bytes,
                           const IndexSource* index) {
  RecordTraces traces;
  traces.fingerprint = state.HasInternal() ? Fingerprint::OfState(record, EncodeState(state.WithoutInternal()))
                                           : Fingerprint::OfState(record, bytes);
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
