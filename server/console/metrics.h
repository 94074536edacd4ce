// What the node tells Prometheus. Names after its rules: maillage_ first, base units, _total for what only grows, _timestamp_seconds
// for moments, _info for words. Labels are peer and kind alone, so that their number is that of sites and kinds.
#ifndef MAILLAGE_SERVER_CONSOLE_METRICS_H_
#define MAILLAGE_SERVER_CONSOLE_METRICS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/metric_family.h"
#include "proto/status_service.pb.h"
#include "server/console/http_server.h"

namespace maillage::server {

// A function of what `maillage status` shows, so both say the same. What isn't known isn't told: a peer that was never reached has no
// last contact.
std::vector<prometheus::MetricFamily> MetricsOf(const v1::NodeStatus& status);

// In Prometheus' text format; 503 where the node doesn't answer.
HttpReply Metrics(const absl::StatusOr<v1::NodeStatus>& status);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_CONSOLE_METRICS_H_
