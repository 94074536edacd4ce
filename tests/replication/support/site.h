// One site in memory: a store, a clock, chance, and the replica over them, which can be restarted.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_SITE_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_SITE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "replication/replica.h"
#include "replication/schema.h"
#include "storage/memory_store.h"
#include "tests/replication/support/changes.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {

class Site {
 public:
  // Opens a new store. `letter` names the site; the seed makes its incarnations.
  explicit Site(char letter, uint64_t seed = 1);

  // Closes the replica, reads the store again.
  void Restart(bool continuity_proven = true);
  // Another machine that believes to be this one, with the data of this moment.
  std::unique_ptr<Site> Clone(uint64_t seed, bool continuity_proven) const;

  // Writes with the context that the record has here, and commits; the author's bytes.
  std::string Write(const RecordKey& record, std::vector<Operation> operations);
  // Writes into the open batch, having read `context`; aborts if it is refused.
  Dot Stage(const RecordKey& record, const VersionVector& context,
            std::vector<Operation> operations, std::string request_id = "");
  // Applies and commits; what became of it. Where it shows a twin, gives up every own change that nobody holds, first.
  Replica::Applied Receive(const std::string& change_bytes);
  // Joins the other's whole state of a record, and commits.
  bool MergeFrom(const Site& other, const RecordKey& record);

  // Empty where the site has none.
  RecordState State(const RecordKey& record) const;
  // The author's bytes of all changes of the feed, in order.
  std::vector<std::string> Feed() const;
  std::string Digest() const { return replica->tree().Digest(); }

  SiteId id;
  FakeWall wall;
  SeededRandom random;
  std::unique_ptr<storage::MemoryStore> store;
  std::unique_ptr<Replica> replica;

 private:
  Site(SiteId id, uint64_t seed, std::unique_ptr<storage::MemoryStore> store,
       bool continuity_proven);
  void Open(bool continuity_proven);
};

// Each row of a table, in order.
std::vector<std::pair<std::string, std::string>> Rows(const storage::ReadView& view,
                                                      storage::Table table);

// The whole store told from its states table alone, and compared: counts by kind, records with
// versions that wait for a person, fingerprints, index, feed head. Empty where everything agrees.
std::string Inconsistency(const storage::ReadView& store, const Replica& replica);
std::string Inconsistency(const Site& site);

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_SITE_H_
