#include "server/peer_text.h"

#include <algorithm>
#include "absl/strings/str_cat.h"

namespace maillage::server {

using replication::SyncProgress;
using replication::SyncState;

void SetMillis(uint64_t millis, google::protobuf::Timestamp* time) {
  time->set_seconds(static_cast<int64_t>(millis / 1000));
  time->set_nanos(static_cast<int32_t>(millis % 1000) * 1'000'000);
}

void DescribeProgress(const SyncProgress& progress, v1::PeerStatus& status) {
  status.set_sent_position(progress.sent_position);
  status.set_stored_position(progress.stored_position);
  status.set_applied_position(progress.applied_position);
  status.set_bytes_sent(progress.bytes_sent);
  status.set_bytes_received(progress.bytes_received);
  status.set_changes_sent(progress.changes_sent + progress.states_sent);
  status.set_changes_received(progress.changes_received + progress.states_received);
  status.set_frames_sent(progress.frames_sent);
  status.set_frames_received(progress.frames_received);
  status.set_clock_difference_ms(progress.clock_difference_millis);
  status.set_peer_records(progress.peer_records);
  if (progress.last_agreement_millis > 0) {
    SetMillis(progress.last_agreement_millis, status.mutable_last_agreement_time());
  }
}

v1::PeerStatus::State StateOf(const replication::SyncSession& session) {
  if (session.up_to_date()) return v1::PeerStatus::UP_TO_DATE;
  switch (session.progress().state) {
    case SyncState::kGreeting:
      return v1::PeerStatus::CONNECTING;
    case SyncState::kReconciling:
      return v1::PeerStatus::SYNCING;
    case SyncState::kLive:
      return v1::PeerStatus::BEHIND;
    case SyncState::kClosed:
      return v1::PeerStatus::OFFLINE;
  }
  return v1::PeerStatus::UNKNOWN;
}

namespace {

// What the door said at the end of a handshake (trust/credentials.cc), within what gRPC says of the connection.
std::string DoorsRefusal(const grpc::Status& status) {
  constexpr absl::string_view kMark = "Custom verification check failed with error: PERMISSION_DENIED: ";
  const std::string text = status.error_message();
  const size_t begin = text.find(kMark.data(), 0, kMark.size());
  return begin == std::string::npos ? "" : text.substr(begin + kMark.size());
}

}  // namespace

bool IsFault(v1::Goodbye::Reason reason) {
  switch (reason) {
    case v1::Goodbye::UNSUPPORTED_PROTOCOL:
    case v1::Goodbye::MALFORMED:
    case v1::Goodbye::SELF:
    case v1::Goodbye::NOT_CONVERGING:
    case v1::Goodbye::TWIN:
    case v1::Goodbye::NO_MEMBER:
      return true;
    default:
      return false;
  }
}

std::string LinkErrorText(const SyncProgress& progress, const grpc::Status& status,
                          const std::string& address) {
  switch (progress.goodbye) {
    case v1::Goodbye::DUPLICATE:
      return "";
    case v1::Goodbye::PAUSED:
      return progress.closed_by_peer ? absl::StrCat("mis en pause par ", progress.goodbye_message) : "";
    case v1::Goodbye::UNSUPPORTED_PROTOCOL:
      return absl::StrCat("versions incompatibles (", progress.goodbye_message,
                          ") ; mettez à jour le nœud le plus ancien");
    case v1::Goodbye::MALFORMED:
      return absl::StrCat("message illisible (", progress.goodbye_message,
                          ") ; comparez les versions des deux nœuds");
    case v1::Goodbye::SHUTTING_DOWN:
      return progress.closed_by_peer ? "le pair s'est arrêté" : "";
    case v1::Goodbye::SELF:
      return "ce nœud s'appelle lui-même : retirez sa propre adresse de ses pairs";
    case v1::Goodbye::TWIN:
      return "deux copies de ce site fonctionnent en même temps ; arrêtez-en une (rien n'est perdu : chacune a pris une "
             "nouvelle incarnation)";
    case v1::Goodbye::NO_MEMBER:
      return progress.closed_by_peer
                 ? absl::StrCat("le pair refuse ce site : ", progress.goodbye_message, " ; voyez « maillage members » chez lui")
                 : absl::StrCat("refusé : ", progress.goodbye_message, " ; voyez « maillage members »");
    case v1::Goodbye::NOT_CONVERGING:
      return absl::StrCat(progress.goodbye_message, " ; voyez la quarantaine des deux côtés");
    case v1::Goodbye::READ_ONLY:
      return progress.closed_by_peer
                 ? "le pair n'enregistre rien pour l'instant, son disque est plein ou en panne ; voyez « maillage "
                   "status » chez lui, l'échange reprendra ensuite"
                 : "ce nœud n'enregistre rien pour l'instant (lecture seule) ; l'échange reprendra ensuite";
    case v1::Goodbye::BUSY:
      return progress.closed_by_peer ? "le pair est occupé par d'autres sites ; nouvel essai sous peu"
                                     : "la liaison n'avançait plus, d'autres sites attendaient ; elle reprendra";
    default:
      break;
  }
  if (status.ok()) return "le pair a fermé la liaison";
  if (const std::string refusal = DoorsRefusal(status); !refusal.empty()) return absl::StrCat("refusé : ", refusal);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return absl::StrCat("injoignable",
                        address.empty() ? "" : absl::StrCat(" à l'adresse ", address),
                        " ; vérifiez le réseau et que le nœud tourne");
  }
  if (status.error_code() == grpc::StatusCode::CANCELLED) return "liaison coupée";
  return absl::StrCat("liaison rompue : ", status.error_message());
}

std::string ContinuityText(const replication::ContinuityNote& note) {
  using replication::ContinuityDoubt;
  switch (note.doubt) {
    case ContinuityDoubt::kNone:
      return "";
    case ContinuityDoubt::kStoreDamaged:
      return "la base ne garantissait plus d'être complète (panne, disque ou sauvegarde restaurée)";
    case ContinuityDoubt::kLease:
      return "le dossier des données n'est pas celui qui a servi en dernier (restauré ou copié)";
    case ContinuityDoubt::kPeerKnowsMore:
      return "un pair connaît des modifications de ce site que sa base n'a plus : elle vient d'une copie plus ancienne";
    case ContinuityDoubt::kPeerKnowsOther:
      return "un pair connaît d'autres modifications sous les mêmes numéros : le dossier de ce site a servi deux fois";
    case ContinuityDoubt::kTwinMet:
      return "une autre copie de ce site fonctionne ; arrêtez-en une";
  }
  return "";
}

std::string StallText(const replication::SyncProgress& progress, uint64_t feed_head) {
  const uint64_t unacknowledged = feed_head - std::min(feed_head, progress.applied_position);
  const std::string what = progress.state == SyncState::kLive ? absl::StrCat(unacknowledged, " modifications attendent qu'il les confirme")
                                                              : std::string("la comparaison n'est pas finie");
  return absl::StrCat("rien n'avance depuis une minute : ", what,
                      " ; la liaison recommence d'elle-même. Si cela dure : « maillage status » chez lui (disque plein, machine arrêtée ?)");
}

std::string StoreErrorText(const absl::Status& status) {
  return absl::StrCat("la base de ce nœud a refusé : ", status.message());
}

}  // namespace maillage::server
