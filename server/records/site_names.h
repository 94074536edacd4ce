// What sites call themselves: records of the kind "site", whose id has the bytes of the site's id.
#ifndef MAILLAGE_SERVER_RECORDS_SITE_NAMES_H_
#define MAILLAGE_SERVER_RECORDS_SITE_NAMES_H_

#include <string>

#include "proto/id.h"
#include "replication/schema.h"
#include "storage/store.h"

namespace maillage::server {

// The kind of record in which each site names itself; null where the schema has none.
const replication::KindSchema* SiteKind(const replication::Schema& schema);

RecordId SiteRecordId(const SiteId& site);

// The site's id in hexadecimal where this node doesn't know, or can't read, the name.
std::string SiteName(const replication::Schema& schema, const storage::ReadView& view,
                     const SiteId& site);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_SITE_NAMES_H_
