#include "server/explain.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/absl_view.h"
#include "proto/change.pb.h"
#include "replication/local_meta.h"
#include "replication/record_reader.h"
#include "replication/stub.h"
#include "server/records/absence.h"
#include "server/records/record_request.h"
#include "server/records/record_view.h"
#include "server/records/site_names.h"
#include "server/site_list.h"
#include "storage/keys.h"

namespace maillage::server {

using replication::ReadFeedEntry;
using replication::ReadHistory;
using replication::ReadState;
using replication::ReadStub;
using replication::Replica;
using replication::Schema;
using replication::Scope;
using replication::Stub;
using storage::Table;

namespace {

// The last change of the record that is here, and the last position of the feed that is about it.
struct LastChange {
  std::optional<replication::Change> change;
  uint64_t position = 0;
};

absl::StatusOr<LastChange> FindLastChange(const Replica& replica, const RecordKey& record,
                                          const replication::VersionVector& state) {
  absl::StatusOr<std::vector<replication::HistoryRow>> rows = ReadHistory(replica.store(), record);
  if (!rows.ok()) return rows.status();
  LastChange last;
  if (rows->empty() || rows->size() < state.CountBeyond({})) {
    // Some of it came whole: no later than the feed ends.
    last.position = replica.progress().feed_head;
    return last;
  }
  last.position = rows->back().position;
  const absl::StatusOr<replication::FeedEntry> entry = ReadFeedEntry(replica.store(), last.position);
  if (!entry.ok()) return entry.status();
  absl::StatusOr<replication::Change> change = replication::DecodeChange(entry->change);
  if (change.ok()) last.change = *std::move(change);
  return last;
}

class Explanation {
 public:
  Explanation(const Schema& schema, const Replica& replica, const RecordKey& record)
      : schema_(schema), replica_(replica), record_(record) {}

  absl::StatusOr<v1::RecordExplanation> Make(const std::vector<v1::PeerStatus>& peers) {
    const replication::KindSchema& kind = *schema_.FindKind(record_.kind);
    out_.set_name(RecordName(kind, record_.id));
    auto state = ReadState(replica_.store(), record_);
    if (absl::IsDataLoss(state.status())) {
      Set(v1::RecordExplanation::UNREADABLE, std::string(state.status().message()));
    } else if (!state.ok()) {
      return state.status();
    } else {
      absl::Status explained = state->has_value() ? ExplainHeld(**state, peers) : ExplainElsewhere();
      if (!explained.ok()) return explained;
    }
    if (absl::Status added = AddQuarantined(); !added.ok()) return added;
    return std::move(out_);
  }

 private:
  void Set(v1::RecordExplanation::Presence presence, std::string why) {
    out_.set_presence(presence);
    out_.set_why(std::move(why));
  }

  void Describe(const Stub& stub) {
    const replication::KindSchema* kind = schema_.FindKind(stub.kind);
    const auto content = schema_.ToMessage(*kind, stub.state);
    out_.set_title(content->GetReflection()->GetString(*content, kind->title));
    out_.set_deleted(stub.state.life() == replication::Life::kDeleted);
    for (const std::string& territory : stub.state.Territories()) out_.add_territories(territory);
  }

  std::string ScopeOfThisSite() const {
    const Scope& scope = replica_.scope();
    return scope.everything() ? "ce site tient tout" : absl::StrCat("ce site tient ", ScopeText(schema_, scope));
  }

  absl::Status ExplainHeld(const replication::RecordState& state, const std::vector<v1::PeerStatus>& peers) {
    Describe(StubOf(record_.kind, state, schema_));
    const std::vector<std::string> territories = state.Territories();
    const std::string place = territories.empty() ? "elle est de la région entière, que tout site tient"
                                                  : absl::StrCat("elle est dans ", absl::StrJoin(territories, ", "));
    if (replica_.scope().HoldsAny(record_.kind, territories)) {
      Set(v1::RecordExplanation::HERE, absl::StrCat(place, " ; ", ScopeOfThisSite()));
    } else {
      Set(v1::RecordExplanation::LEAVING,
          absl::StrCat(place, " ; ", ScopeOfThisSite(),
                       " : elle part dès qu'un site qui la tient aura confirmé toutes ses modifications"));
    }
    if (state.life() == replication::Life::kDeleted) out_.set_why(absl::StrCat("supprimée ; ", out_.why()));
    const absl::StatusOr<LastChange> last = FindLastChange(replica_, record_, state.vector());
    if (!last.ok() && !absl::IsDataLoss(last.status())) return last.status();
    return last.ok() ? AddSites(*last, territories, peers) : absl::OkStatus();
  }

  absl::Status ExplainElsewhere() {
    const absl::StatusOr<std::optional<Stub>> stub = ReadStub(replica_.store(), record_.id);
    if (!stub.ok()) return stub.status();
    const bool shown = stub->has_value() && (*stub)->kind == record_.kind;
    if (shown) Describe(**stub);
    if (replica_.IsLost(record_)) {
      Set(v1::RecordExplanation::WAITING,
          "elle était illisible, et une réparation l'a abandonnée : elle revient au prochain échange avec un site qui l'a");
      return absl::OkStatus();
    }
    const bool handed_over =
        replica_.store().Get(Table::kMeta, storage::EvictedKey(record_)).value_or(std::nullopt).has_value();
    const std::string elsewhere = WhyElsewhere(schema_, replica_.store(), record_);
    if (handed_over) {
      Set(v1::RecordExplanation::HANDED_OVER, absl::StrCat("elle ", elsewhere, " ; ", ScopeOfThisSite()));
    } else if (shown) {
      Set(v1::RecordExplanation::STUB, absl::StrCat("elle ", elsewhere, " ; ", ScopeOfThisSite()));
    } else {
      Set(v1::RecordExplanation::UNKNOWN,
          absl::StrCat("aucun site rencontré n'en a parlé à celui-ci : elle n'existe pas, ou elle est hors de son périmètre ; ",
                       ScopeOfThisSite()));
    }
    return absl::OkStatus();
  }

  // ---- Who has seen the last change ----

  absl::Status AddSites(const LastChange& last, const std::vector<std::string>& territories,
                        const std::vector<v1::PeerStatus>& peers) {
    if (last.change.has_value()) {
      out_.set_last_person(last.change->person);
      out_.set_last_site(SiteName(schema_, replica_.store(), last.change->dot.actor.site));
      *out_.mutable_last_time() = ToTimestamp(last.change->time);
    }
    const absl::StatusOr<v1::ListSitesResponse> sites = ListSites(schema_, replica_);
    if (!sites.ok()) return sites.status();
    for (const v1::SiteEntry& site : sites->sites()) {
      if (!site.here()) AddSite(site, last, territories, peers);
    }
    return absl::OkStatus();
  }

  void AddSite(const v1::SiteEntry& site, const LastChange& last, const std::vector<std::string>& territories,
               const std::vector<v1::PeerStatus>& peers) {
    v1::SiteKnowledge& out = *out_.add_sites();
    out.set_site(site.name());
    out.set_scope(site.scope());
    const absl::StatusOr<Scope> scope = ParseScope(schema_, site.scope());
    const auto peer = std::find_if(peers.begin(), peers.end(),
                                   [&](const v1::PeerStatus& status) { return status.site_id() == site.site_id(); });
    const bool wrote_it =
        last.change.has_value() && FormatSiteId(last.change->dot.actor.site) == site.site_id();
    if (wrote_it) {
      out.set_state(v1::SiteKnowledge::HAS_IT);
      out.set_detail("l'a écrite");
    } else if (scope.ok() && !scope->HoldsAny(record_.kind, territories)) {
      out.set_state(v1::SiteKnowledge::NOT_CONCERNED);
      out.set_detail("hors de son périmètre");
    } else if (out_.presence() == v1::RecordExplanation::LEAVING) {
      // What the two agree on is about what both hold.
      out.set_state(v1::SiteKnowledge::NOT_KNOWN);
      out.set_detail("la reprendra");
    } else if (peer == peers.end()) {
      out.set_state(v1::SiteKnowledge::NOT_KNOWN);
      out.set_detail("ce nœud ne l'a pas rencontré depuis son démarrage");
    } else {
      AddPeer(*peer, last.position, out);
    }
  }

  static void AddPeer(const v1::PeerStatus& peer, uint64_t position, v1::SiteKnowledge& out) {
    const bool agreed = peer.last_agreement_time().seconds() > 0;
    if (agreed && peer.applied_position() >= position) {
      out.set_state(v1::SiteKnowledge::HAS_IT);
      out.set_detail("l'a confirmée");
      return;
    }
    out.set_state(agreed ? v1::SiteKnowledge::BEHIND : v1::SiteKnowledge::NOT_KNOWN);
    switch (peer.state()) {
      case v1::PeerStatus::SYNCING:
        out.set_detail("échange en cours");
        break;
      case v1::PeerStatus::UP_TO_DATE:
      case v1::PeerStatus::BEHIND:
        out.set_detail(peer.sent_position() >= position ? "envoyée, pas encore confirmée" : "à envoyer");
        break;
      case v1::PeerStatus::PAUSED:
        out.set_detail("en pause");
        break;
      case v1::PeerStatus::ERROR:
        out.set_detail(absl::StrCat("en erreur : ", peer.last_error()));
        break;
      default:
        out.set_detail("hors ligne");
    }
  }

  // ---- Quarantine ----

  absl::Status AddQuarantined() {
    auto rows = replica_.store().Scan(Table::kMeta, storage::KeyRange::Prefix(storage::kQuarantinePrefix));
    for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
      const auto entry = replication::DecodeQuarantineEntry(rows->value());
      v1::Change change;
      // What keeps it there may be the very thing that can't be read.
      if (!entry.ok() || !change.ParseFromString(entry->bytes)) continue;
      if (change.record() != record_.id.bytes() || change.kind() != record_.kind) continue;
      v1::QuarantinedChange& out = *out_.add_quarantined();
      out.set_from_site(SiteName(schema_, replica_.store(), entry->source));
      out.set_reason(entry->reason);
    }
    return rows->status();
  }

  const Schema& schema_;
  const Replica& replica_;
  const RecordKey record_;
  v1::RecordExplanation out_;
};

// By a bare id: the kind under which this node knows anything of it.
RecordKey FindKindOf(const Schema& schema, const Replica& replica, const RecordId& id) {
  const std::vector<uint16_t> kinds = schema.ReferableKinds();
  for (const uint16_t kind : kinds) {
    const RecordKey record{kind, id};
    const auto state = replica.store().Get(Table::kStates, storage::StateKey(record));
    const auto evicted = replica.store().Get(Table::kMeta, storage::EvictedKey(record));
    if (!state.ok() || state->has_value() || (evicted.ok() && evicted->has_value())) return record;
  }
  const auto stub = ReadStub(replica.store(), id);
  const bool known = stub.ok() && stub->has_value() && schema.FindKind((*stub)->kind) != nullptr;
  return {known ? (*stub)->kind : kinds.front(), id};
}

}  // namespace

absl::StatusOr<v1::RecordExplanation> ExplainRecord(const Schema& schema, const Replica& replica,
                                                    const std::vector<v1::PeerStatus>& peers,
                                                    const std::string& name) {
  if (const auto id = ParseUuid(name); id.has_value()) {
    return Explanation(schema, replica, FindKindOf(schema, replica, *id)).Make(peers);
  }
  const absl::StatusOr<NamedRecord> named = ParseRecordName(schema, name);
  if (!named.ok()) return named.status();
  return Explanation(schema, replica, named->key).Make(peers);
}

}  // namespace maillage::server
