// A connection that tries again, as a decorator of any other.
#ifndef MAILLAGE_CLIENT_RETRYING_CONNECTION_H_
#define MAILLAGE_CLIENT_RETRYING_CONNECTION_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "client/connection.h"

namespace maillage::client {

struct RetryOptions {
  // The first try included.
  int max_attempts = 5;
  // Bound of the first pause; each bound is twice the one before.
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(5);
  // Waits; returns early where the caller stops. Set in tests.
  std::function<void(absl::Duration)> sleep;
  // Uniform in [0, 1). Set in tests.
  std::function<double()> uniform;
};

// Repeats calls that ended with Unavailable or DeadlineExceeded, after pauses that are uniform
// between 0 and the bound ("full jitter", Brooker 2015), and returns the last status. Reads and
// handles are repeated as they are. A write is repeated if its context carries a request_id, by
// which the node knows it again, and also after Unknown: the node's disk didn't confirm it; SyncPeer, which may have taken its half hour, only after
// Unavailable. A watch resumes after the last event that the handler saw, and counts its attempts
// anew from each event.
std::shared_ptr<Connection> MakeRetryingConnection(std::shared_ptr<Connection> connection,
                                                   RetryOptions options = {});

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_RETRYING_CONNECTION_H_
