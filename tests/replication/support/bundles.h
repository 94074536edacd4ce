// Bundles from site to site, without files.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_BUNDLES_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_BUNDLES_H_

#include <cstddef>
#include <limits>
#include <vector>

#include "replication/bundle.h"
#include "tests/replication/sync_harness.h"

namespace maillage::replication::testing {

struct TestBundle {
  v1::BundleHeader header;
  std::vector<v1::SyncFrame> frames;

  size_t bytes() const;
};

// `whole`: whatever is known of the receiver.
TestBundle Export(TestSite& from, const TestSite& to, bool whole = false);
// For nobody in particular.
TestBundle Snapshot(TestSite& from, const Scope& scope);
// Stops before frame number `until`; then nothing is told of an outcome.
absl::StatusOr<BundleOutcome> Import(TestSite& at, const TestBundle& bundle,
                                     size_t until = std::numeric_limits<size_t>::max());

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_BUNDLES_H_
