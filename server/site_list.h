// The list of sites: reading it, and writing what a site holds. What SiteService does, without gRPC.
#ifndef MAILLAGE_SERVER_SITE_LIST_H_
#define MAILLAGE_SERVER_SITE_LIST_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/id.h"
#include "proto/site_service.pb.h"
#include "replication/replica.h"
#include "replication/schema.h"
#include "replication/scope.h"

namespace maillage::server {

// A scope as people write it: kinds by name, "73,74|actor,event". InvalidArgument, in French, for a département or a kind
// that doesn't exist.
absl::StatusOr<replication::Scope> ParseScope(const replication::Schema& schema, std::string_view text);
std::string ScopeText(const replication::Schema& schema, const replication::Scope& scope);

// By its name, or its id in hexadecimal; of the last commit. NotFound names those there are; InvalidArgument where several
// bear the name.
absl::StatusOr<SiteId> FindSite(const replication::Schema& schema, const replication::Replica& replica,
                                const std::string& wanted);

// Of the last commit.
absl::StatusOr<v1::ListSitesResponse> ListSites(const replication::Schema& schema, const replication::Replica& replica);

// Writes into the open batch, unless the request only asks what would happen. InvalidArgument for what the request says,
// NotFound where this node knows no such site.
absl::StatusOr<v1::SetSiteScopeResponse> SetSiteScope(const replication::Schema& schema,
                                                      replication::Replica& replica,
                                                      const v1::SetSiteScopeRequest& request);

// Every site's own record tells the others its name, and at first what it holds. `scope`: empty for everything. Returns the
// scope that the list has; an administrator may have given it another one since.
absl::StatusOr<replication::Scope> PublishSite(const replication::Schema& schema, replication::Replica& replica,
                                               const std::string& name, std::string_view scope);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_SITE_LIST_H_
