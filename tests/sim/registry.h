// What the whole fleet ever wrote, as an all-knowing observer sees it, and the laws that hold whatever happens.
#ifndef MAILLAGE_TESTS_SIM_REGISTRY_H_
#define MAILLAGE_TESTS_SIM_REGISTRY_H_

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proto/id.h"
#include "replication/change.h"
#include "replication/record_state.h"

namespace maillage::sim {

using replication::Change;
using replication::Dot;
using replication::RecordState;
using replication::VersionVector;

// A dot is one of its record.
struct ChangeName {
  RecordKey record;
  Dot dot;
  auto operator<=>(const ChangeName&) const = default;
};

class Registry {
 public:
  using Report = std::function<void(const std::string& violation)>;
  explicit Registry(Report report) : report_(std::move(report)) {}

  // Some site's disk holds this change; its name. Law: no dot has two contents.
  ChangeName Saw(std::string_view change_bytes);
  // Its author was told that the write is durable.
  void Acknowledge(const ChangeName& name) { acknowledged_.insert(name); }
  // Its author's site gave the change a new dot; somebody may still hold it under the old one.
  void Rename(const ChangeName& from, const ChangeName& to);

  // A disk is lost for good: what was acknowledged and is on no other may be missing from now on.
  void LoseDisk(const std::function<bool(const ChangeName&)>& elsewhere);

  // Laws: the vector names changes that were written; sites with equal change sets have equal states; the state is
  // what the definitions make of these changes (so each is visible, overwritten by one who had seen it, or kept
  // beside); nothing deleted is back unless somebody edited it without having seen the deletion.
  void CheckState(const RecordKey& record, const RecordState& state, std::string_view bytes);

  // What a site held, all of it, when it made its report of that number.
  using Holding = std::map<RecordKey, VersionVector>;
  // Of two copies of a site that made reports of one number nothing is known.
  void Reported(const SiteId& site, uint64_t number, Holding holding);
  // Null: not known.
  const Holding* FindReported(const SiteId& site, uint64_t number) const;

  // Law: nothing acknowledged is missing, where `holds` tells what every site has in the end.
  void CheckNothingLost(const std::function<bool(const ChangeName&)>& holds);

  size_t changes() const { return changes_.size(); }
  size_t acknowledged() const { return acknowledged_.size(); }
  size_t lost_with_disks() const { return lost_with_disks_.size(); }
  const Change* Find(const ChangeName& name) const;

 private:
  std::vector<const Change*> ChangesOf(const RecordKey& record, const VersionVector& vector);
  void CheckLife(const RecordKey& record, const RecordState& state, const std::vector<const Change*>& changes);

  const Report report_;
  struct Known {
    std::string bytes;
    Change change;
  };
  std::map<ChangeName, Known> changes_;
  std::unordered_map<std::string, ChangeName> names_;
  std::set<ChangeName> acknowledged_;
  std::set<ChangeName> lost_with_disks_;
  std::map<std::pair<SiteId, uint64_t>, Holding> reported_;
  std::set<std::pair<SiteId, uint64_t>> reported_twice_;
  // Bytes of the state that each change set makes.
  std::map<std::pair<RecordKey, std::string>, std::string> states_;
};

std::string Show(const ChangeName& name);

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_REGISTRY_H_
