// What the derived tables hold because of one record's state: for the replica, which writes it, and the scrub, which
// checks it.
#ifndef MAILLAGE_REPLICATION_RECORD_TRACES_H_
#define MAILLAGE_REPLICATION_RECORD_TRACES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/fingerprint.h"
#include "replication/record_state.h"

namespace maillage::replication {

class IndexSource;

struct RecordTraces {
  std::optional<Fingerprint> fingerprint;
  // Sorted, each once; the empty one alone for the whole region.
  std::vector<std::string> territories;
  // Sorted, each once.
  std::vector<std::string> index_keys;
  bool deleted = false;
  // Versions wait for a person.
  bool conflicting = false;
};

// Where a record lies, "" for the whole region; nowhere if it isn't here yet. Sorted, each once.
std::vector<std::string> PlacesOf(const RecordState& state);
// The same together with where it lay before a change.
std::vector<std::string> AllPlaces(std::vector<std::string> before, const RecordState& after);

// `bytes` is the state's encoding. `index` may be null.
RecordTraces TracesOfState(const RecordKey& record, const RecordState& state, std::string_view bytes,
                           const IndexSource* index);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_RECORD_TRACES_H_
