// A site's disk: a store, and what can become of it.
#ifndef MAILLAGE_TESTS_SIM_DISK_H_
#define MAILLAGE_TESTS_SIM_DISK_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "storage/store.h"
#include "tests/replication/support/ports.h"

namespace maillage::sim {

using replication::testing::SeededRandom;

class Disk {
 public:
  virtual ~Disk() = default;

  // Null between PowerOff and PowerOn.
  virtual storage::Store* store() = 0;
  // What is on it, whether the power is on or not: for the observer.
  virtual const storage::ReadView& content() = 0;

  // The next commit reports `error`; whether its batch is there afterwards, nobody can tell before. `noted`: the
  // store lives to note that its end is in doubt; otherwise the power goes in the middle of the commit.
  virtual void FailNextCommit(SeededRandom& random, absl::Status error, bool noted) = 0;

  // All that was committed is kept. Nothing may hold a view.
  virtual void PowerOff(SeededRandom& random) = 0;
  // While the power is off, the end of what was committed is damaged.
  virtual void DamageEnd(SeededRandom& random) = 0;
  // Returns whether the store vouches that nothing acknowledged is missing.
  virtual bool PowerOn() = 0;

  // What a backup holds, powered off.
  virtual std::unique_ptr<Disk> Copy() = 0;
};

std::unique_ptr<Disk> NewMemoryDisk();
// With a real RocksStore on it.
std::unique_ptr<Disk> NewRocksDisk();

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_DISK_H_
