// Making and taking in bundles and snapshots (replication/bundle.h), as files that come and go in parts.
#ifndef MAILLAGE_SERVER_BUNDLE_JOBS_H_
#define MAILLAGE_SERVER_BUNDLE_JOBS_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/admin_service.pb.h"
#include "proto/bundle.pb.h"
#include "replication/schema.h"
#include "server/writer.h"

namespace maillage::server {

// Takes the part, and waits until there is room for the next; false where nobody wants it any more.
using SendPart = std::function<bool(v1::BundlePart part)>;
// The next bytes of the file; nothing at its end.
using ReadPart = std::function<std::optional<std::string>()>;
using TellImport = std::function<bool(v1::ImportBundleProgress progress)>;

// Both run on the caller's thread and do their work in steps on the writer's, so that people and peers write meanwhile.

// `site`: this site's name. InvalidArgument for a scope that is none, NotFound for a site that nobody knows, Cancelled
// where nobody takes the parts.
absl::Status ExportBundle(Writer& writer, const replication::Schema& schema, const std::string& site,
                          const v1::ExportBundleRequest& request, const SendPart& send);

// The good part of a damaged file is kept. InvalidArgument, with the place: the file is damaged, cut, or not for this site;
// otherwise why the node stores nothing.
absl::Status ImportBundle(Writer& writer, const replication::Schema& schema, const std::string& site,
                          const ReadPart& read, const TellImport& tell);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_BUNDLE_JOBS_H_
