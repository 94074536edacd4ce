// When this site tells all others of itself again (replication/site_reports.h): soon where a link was cut or healed, less often
// the more sites there are.
#ifndef MAILLAGE_SERVER_SITE_REPORTER_H_
#define MAILLAGE_SERVER_SITE_REPORTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proto/site_report.pb.h"
#include "replication/replica.h"

namespace maillage::server {

// On the writer's thread.
class SiteReporter {
 public:
  // `facts`: what a report adds, links aside. `replica` must outlive the reporter.
  SiteReporter(replication::Replica* replica, std::function<v1::SiteFacts()> facts)
      : replica_(replica), facts_(std::move(facts)) {}

  // Every second or so: puts a report into the open batch where one is due.
  void Tick(const std::vector<v1::ReportedLink>& links, uint64_t now_millis);

 private:
  // By site: whether the link works, doesn't, or was cut on purpose. That it is comparing just now is no news.
  using Links = std::map<std::string, int>;

  bool IsDue(const Links& links, uint64_t now_millis) const;

  replication::Replica* const replica_;
  const std::function<v1::SiteFacts()> facts_;
  Links told_links_;
  // 0: not since the start.
  uint64_t told_millis_ = 0;
  uint64_t kept_millis_ = 0;
  // When something was last seen that the others reckon with and don't know.
  uint64_t changed_millis_ = 0;
};

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_SITE_REPORTER_H_
