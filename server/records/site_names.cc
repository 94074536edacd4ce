#include "server/records/site_names.h"

#include "replication/record_reader.h"
#include "replication/value_codec.h"

namespace maillage::server {

const replication::KindSchema* SiteKind(const replication::Schema& schema) {
  return schema.FindKind("site");
}

RecordId SiteRecordId(const SiteId& site) { return *RecordId::FromBytes(site.bytes()); }

std::string SiteName(const replication::Schema& schema, const storage::ReadView& view,
                     const SiteId& site) {
  const replication::KindSchema* kind = SiteKind(schema);
  if (kind == nullptr) return FormatSiteId(site);
  const auto state = replication::ReadState(view, {kind->number, SiteRecordId(site)});
  if (!state.ok() || !state->has_value()) return FormatSiteId(site);
  const auto message = schema.ToMessage(*kind, **state);
  std::string name = replication::EncodeValue(*message, *kind->title);
  return name.empty() ? FormatSiteId(site) : name;
}

}  // namespace maillage::server
