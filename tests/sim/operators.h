// Machines that fail, and the people who look after them: crashes, damage, full disks, clocks; backups that are
// restored, data folders that are copied and run twice, sites that leave for good.
#ifndef MAILLAGE_TESTS_SIM_OPERATORS_H_
#define MAILLAGE_TESTS_SIM_OPERATORS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "tests/sim/network.h"

namespace maillage::sim {

struct OperatorCounts {
  uint64_t crashes = 0;
  uint64_t damaged = 0;
  uint64_t failed_commits = 0;
  uint64_t full_disks = 0;
  uint64_t clock_jumps = 0;
  uint64_t restores = 0;
  uint64_t clones = 0;
  uint64_t retired = 0;
  uint64_t scope_changes = 0;
};

class Operators {
 public:
  // Makes another machine of the same site, and returns it.
  using Cloner = std::function<SimSite&(const SimSite& original)>;

  Operators(const Weather* weather, EventQueue* events, Network::Sites* sites, Network* network,
            Registry* registry, SeededRandom* random, Trace* trace, Cloner cloner);

  void LookAfter(SimSite& site);
  // An administrator gives the site other territories, at the first antenna.
  void ChangeScope(SimSite& site);
  // Its store refused a commit.
  void SiteFailed(SimSite& site);
  void Heal();

  const OperatorCounts& counts() const { return counts_; }

 private:
  using Action = void (Operators::*)(SimSite&);
  // Again and again, as long as nothing is healed.
  void Every(uint64_t pause, SimSite& site, Action action);

  void Crash(SimSite& site);
  void FillDisk(SimSite& site);
  void JumpClock(SimSite& site);
  void BackUp(SimSite& site);
  void Restore(SimSite& site);
  void Clone(SimSite& site);
  void Retire(SimSite& site);
  void PauseLines(SimSite& site);

  void StopMachine(SimSite& site);
  void StartMachine(SimSite& site);
  void StartLater(SimSite& site, uint64_t pause);
  // What only this disk held may be missing from now on.
  void NoteLoss();

  const Weather* const weather_;
  EventQueue* const events_;
  Network::Sites* const sites_;
  Network* const network_;
  Registry* const registry_;
  SeededRandom* const random_;
  Trace* const trace_;
  const Cloner cloner_;
  std::map<size_t, std::vector<std::unique_ptr<Disk>>> backups_;
  OperatorCounts counts_;
  bool healing_ = false;
};

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_OPERATORS_H_
