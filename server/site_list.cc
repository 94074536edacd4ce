#include "server/site_list.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/absl_view.h"
#include "proto/field_format.h"
#include "proto/quote.h"
#include "proto/records.pb.h"
#include "replication/edit.h"
#include "replication/record_reader.h"
#include "server/records/record_request.h"
#include "server/records/site_names.h"

namespace maillage::server {
namespace {

using replication::KindSchema;
using replication::RecordState;
using replication::Replica;
using replication::Schema;
using replication::Scope;

RecordKey SiteKey(const SiteId& site) { return {replication::kSiteKind, SiteRecordId(site)}; }

absl::Status CheckDepartments(absl::string_view list) {
  if (list == "*" || list == "-") return absl::OkStatus();
  for (const absl::string_view code : absl::StrSplit(list, ',')) {
    absl::Status status = CheckFormat(v1::DEPARTMENT, ToStd(code));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Names become numbers.
absl::StatusOr<std::string> KindNumbers(const Schema& schema, absl::string_view list) {
  if (list == "*" || list == "-") return std::string(list);
  std::vector<std::string> numbers;
  for (const absl::string_view name : absl::StrSplit(list, ',')) {
    absl::StatusOr<const KindSchema*> kind = FindKind(schema, ToStd(name));
    if (!kind.ok()) return kind.status();
    numbers.push_back(absl::StrCat((*kind)->number));
  }
  return absl::StrJoin(numbers, ",");
}

// Of the records that lie in `partition`, those that enter or leave the scope; each once, however many territories it has.
absl::Status CountMoves(const Replica& replica, const storage::PartitionKey& partition, const Scope& before,
                        const Scope& after, std::set<RecordId>& seen, v1::SetSiteScopeResponse& response) {
  constexpr size_t kPage = 1000;
  std::optional<replication::LeafEntry> last;
  while (true) {
    auto page = replica.tree().Leaves(replica.store(), partition, {}, last, kPage);
    if (!page.ok()) return page.status();
    for (const replication::LeafEntry& entry : *page) {
      if (!seen.insert(entry.id).second) continue;
      const auto state = replication::ReadState(replica.store(), {partition.kind, entry.id});
      if (!state.ok() && !absl::IsDataLoss(state.status())) return state.status();
      if (!state.ok() || !state->has_value()) continue;
      const std::vector<std::string> territories = (*state)->Territories();
      const int was = before.HoldsAny(partition.kind, territories) ? 1 : 0;
      const int is = after.HoldsAny(partition.kind, territories) ? 1 : 0;
      response.set_records_in(response.records_in() + std::max(is - was, 0));
      response.set_records_out(response.records_out() + std::max(was - is, 0));
    }
    if (page->size() < kPage) return absl::OkStatus();
    last = page->back();
  }
}

// What would enter and leave a site's scope, of what is here.
absl::Status CountMoves(const Replica& replica, const Scope& before, const Scope& after,
                        v1::SetSiteScopeResponse& response) {
  std::set<RecordId> seen;
  for (const auto& [partition, sum] : replica.tree().Partitions()) {
    if (before.Holds(partition) == after.Holds(partition)) continue;
    absl::Status counted = CountMoves(replica, partition, before, after, seen, response);
    if (!counted.ok()) return counted;
  }
  return absl::OkStatus();
}

// Of this site's changes that nobody is known to hold, those of records that leave.
absl::Status CountUnsent(const Replica& replica, const Scope& before, const Scope& after,
                         v1::SetSiteScopeResponse& response) {
  const auto changes = replica.UnwitnessedChanges();
  if (!changes.ok()) return changes.status();
  int64_t unsent = 0;
  for (const Replica::OwnChange& change : *changes) {
    const auto state = replication::ReadState(replica.store(), change.record);
    if (!state.ok() && !absl::IsDataLoss(state.status())) return state.status();
    if (!state.ok() || !state->has_value()) continue;
    const std::vector<std::string> territories = (*state)->Territories();
    const uint16_t kind = change.record.kind;
    unsent += before.HoldsAny(kind, territories) && !after.HoldsAny(kind, territories) ? 1 : 0;
  }
  response.set_unsent_edits(unsent);
  return absl::OkStatus();
}

v1::SiteEntry Describe(const Schema& schema, const Replica& replica, const SiteId& site, const Scope& scope) {
  v1::SiteEntry entry;
  entry.set_name(SiteName(schema, replica.store(), site));
  entry.set_site_id(FormatSiteId(site));
  entry.set_scope(ScopeText(schema, scope));
  entry.set_here(site == replica.identity().site);
  return entry;
}

// Those whose records can be read.
absl::StatusOr<std::vector<SiteId>> KnownSites(const Replica& replica) {
  std::vector<SiteId> sites;
  replication::Unread unread;
  absl::Status scanned = ScanStates(
      replica.store(), replication::kSiteKind, std::nullopt,
      [&](const RecordKey& record, std::string_view) {
        sites.push_back(*SiteId::FromBytes(record.id.bytes()));
        return true;
      },
      &unread);
  if (!scanned.ok()) return scanned;
  return sites;
}

absl::Status Write(const KindSchema& kind, Replica& replica, const RecordKey& record, const v1::Site& content,
                   const std::string& person) {
  auto state = replica.State(record);
  if (!state.ok()) return state.status();
  const RecordState before = state->value_or(RecordState());
  replication::Edit edit;
  edit.fields = replication::SetFields(kind, content);
  edit.content = &content;
  auto operations = PlanEdit(kind, before, before.vector(), edit);
  if (!operations.ok()) return operations.status();
  if (operations->empty()) return absl::OkStatus();
  return replica.Write({record, before.vector(), *operations, person, ""}).status();
}

}  // namespace

absl::StatusOr<SiteId> FindSite(const Schema& schema, const Replica& replica, const std::string& wanted) {
  absl::StatusOr<std::vector<SiteId>> sites = KnownSites(replica);
  if (!sites.ok()) return sites.status();
  std::vector<std::string> names;
  std::optional<SiteId> found;
  for (const SiteId& site : *sites) {
    const std::string name = SiteName(schema, replica.store(), site);
    names.push_back(name);
    if (wanted == FormatSiteId(site)) return site;
    if (wanted != name) continue;
    if (found.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("plusieurs sites s'appellent ", Quote(wanted),
                       " : nommez-le par son identifiant, que « maillage sites » montre"));
    }
    found = site;
  }
  if (found.has_value()) return *found;
  std::sort(names.begin(), names.end());
  return absl::NotFoundError(
      absl::StrCat("ce nœud ne connaît pas de site ", Quote(wanted), " ; il connaît ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<Scope> ParseScope(const Schema& schema, std::string_view text) {
  const std::string written = absl::AsciiStrToUpper(ToAbsl(text.substr(0, text.find('|'))));
  if (absl::Status status = CheckDepartments(written); !status.ok()) return status;
  if (text.find('|') == std::string_view::npos) return Scope::Parse(written);
  absl::StatusOr<std::string> kinds = KindNumbers(schema, ToAbsl(text.substr(text.find('|') + 1)));
  if (!kinds.ok()) return kinds.status();
  return Scope::Parse(absl::StrCat(written, "|", *kinds));
}

std::string ScopeText(const Schema& schema, const Scope& scope) {
  const std::string text = scope.ToText();
  const size_t bar = text.find('|');
  if (bar == std::string::npos) return text;
  std::vector<std::string> names;
  for (const absl::string_view number : absl::StrSplit(text.substr(bar + 1), ',')) {
    uint32_t kind = 0;
    const KindSchema* known =
        absl::SimpleAtoi(number, &kind) ? schema.FindKind(static_cast<uint16_t>(kind)) : nullptr;
    names.push_back(known != nullptr ? known->name : std::string(number));
  }
  return absl::StrCat(text.substr(0, bar), "|", absl::StrJoin(names, ","));
}

absl::StatusOr<v1::ListSitesResponse> ListSites(const Schema& schema, const Replica& replica) {
  absl::StatusOr<std::vector<SiteId>> sites = KnownSites(replica);
  if (!sites.ok()) return sites.status();
  v1::ListSitesResponse response;
  for (const SiteId& site : *sites) {
    *response.add_sites() = Describe(schema, replica, site, replica.ScopeOf(site));
  }
  std::sort(response.mutable_sites()->begin(), response.mutable_sites()->end(),
            [](const v1::SiteEntry& a, const v1::SiteEntry& b) {
              return std::tie(a.name(), a.site_id()) < std::tie(b.name(), b.site_id());
            });
  return response;
}

absl::StatusOr<v1::SetSiteScopeResponse> SetSiteScope(const Schema& schema, Replica& replica,
                                                      const v1::SetSiteScopeRequest& request) {
  absl::StatusOr<SiteId> site = FindSite(schema, replica, request.site());
  if (!site.ok()) return site.status();
  absl::StatusOr<Scope> scope = ParseScope(schema, request.scope());
  if (!scope.ok()) return scope.status();
  const Scope rights = replica.RightsOf(*site);
  if (!rights.Contains(*scope)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "ce site ne peut tenir que ", ScopeText(schema, rights), " ; une antenne peut étendre son territoire : maillage rights ",
        request.site(), " --territory …"));
  }
  const Scope before = replica.ScopeOf(*site);
  v1::SetSiteScopeResponse response;
  *response.mutable_before() = Describe(schema, replica, *site, before);
  *response.mutable_after() = Describe(schema, replica, *site, *scope);
  if (absl::Status counted = CountMoves(replica, before, *scope, response); !counted.ok()) return counted;
  if (*site == replica.identity().site) {
    if (absl::Status counted = CountUnsent(replica, before, *scope, response); !counted.ok()) return counted;
  }
  if (request.validate_only()) return response;
  v1::Site content;
  content.set_scope(scope->ToText());
  absl::Status written = Write(*SiteKind(schema), replica, SiteKey(*site), content, request.person());
  if (!written.ok()) return written;
  return response;
}

absl::StatusOr<Scope> PublishSite(const Schema& schema, Replica& replica, const std::string& name,
                                  std::string_view scope) {
  const SiteId site = replica.identity().site;
  v1::Site content;
  content.set_name(name);
  absl::StatusOr<Scope> wanted = ParseScope(schema, scope.empty() ? "*" : scope);
  if (!wanted.ok()) return wanted.status();
  auto state = replica.State(SiteKey(site));
  if (!state.ok()) return state.status();
  const bool told = state->has_value() && (*state)->Find(replication::kSiteScopeField) != nullptr;
  if (!told && !scope.empty()) content.set_scope(wanted->ToText());
  absl::Status written =
      Write(*SiteKind(schema), replica, SiteKey(site), content, absl::StrCat("maillaged ", name));
  // A reader writes nothing, and is in the membership log all the same.
  if (!written.ok() && !absl::IsPermissionDenied(written)) return written;
  return told ? replica.ScopeOf(site) : *wanted;
}

}  // namespace maillage::server
