// What each site of the network told of itself last: signed by the site, so that it may come from anybody.
#ifndef MAILLAGE_REPLICATION_SITE_REPORTS_H_
#define MAILLAGE_REPLICATION_SITE_REPORTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "proto/site_report.pb.h"
#include "replication/membership.h"
#include "replication/signing.h"

namespace maillage::replication {

// Of each site the report of the highest number; of two with one number, which a site and its copy may sign, the one whose
// bytes are greater: so all sites keep the same ones, in whatever order they come. A value.
class SiteReports {
 public:
  struct Entry {
    v1::SignedSiteReport told;
    v1::SiteReport body;
    // Of told: what it adds to the digest.
    uint64_t digest = 0;
    // version() once it was here.
    uint64_t arrival = 0;
  };

  // True where it is newer than what is here. InvalidArgument, in French, where it isn't what a member of the network, not
  // revoked, has signed.
  absl::StatusOr<bool> Add(const Membership& membership, const v1::SignedSiteReport& told);
  // Forgets what those told who aren't members any more; who that was.
  std::set<SiteId> KeepMembers(const Membership& membership);

  // Null: it told nothing yet.
  const Entry* Find(const SiteId& site) const;
  const std::map<SiteId, Entry>& entries() const { return entries_; }
  // In the order in which they came: those after `version`.
  std::map<uint64_t, SiteId>::const_iterator After(uint64_t version) const { return arrivals_.upper_bound(version); }
  std::map<uint64_t, SiteId>::const_iterator end() const { return arrivals_.end(); }
  // Grows with every change.
  uint64_t version() const { return version_; }
  // Two sites with the same reports have the same. 0: there are none.
  uint64_t digest() const { return digest_; }

 private:
  void Erase(std::map<SiteId, Entry>::iterator entry);

  std::map<SiteId, Entry> entries_;
  std::map<uint64_t, SiteId> arrivals_;
  uint64_t version_ = 0;
  uint64_t digest_ = 0;
};

v1::SignedSiteReport SignReport(const SigningKey& key, const v1::SiteReport& report);

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SITE_REPORTS_H_
