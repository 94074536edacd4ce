#include "replication/rights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "replication/record_id.h"
#include "replication/record_state.h"

namespace maillage::replication {
namespace {

bool MayWriteIn(const Member& author, uint16_t kind, const std::vector<std::string>& territories) {
  return std::any_of(author.may_write.begin(), author.may_write.end(),
                     [&](const Scope& scope) { return scope.HoldsAny(kind, territories); });
}

absl::Status Denied(const Member& author, const std::string& why) {
  return absl::PermissionDeniedError(absl::StrCat("« ", author.name, " » n'en a pas le droit : ", why));
}

absl::Status DeniedIn(const Member& author, const std::vector<std::string>& territories) {
  std::vector<std::string> own;
  for (const Scope& scope : author.may_write) own.push_back(scope.ToText());
  return Denied(author, absl::StrCat("la fiche est dans ", absl::StrJoin(territories, ", "), ", et son territoire est ",
                                     absl::StrJoin(own, " ; ")));
}

// Where the change itself puts a record that wasn't there.
std::vector<std::string> TerritoriesOfNew(Change change) {
  change.dot.n = 1;
  change.context = {};
  RecordState created;
  created.Apply(change);
  return created.Territories();
}

}  // namespace

bool MayWriteEverything(const Member& author) {
  return std::any_of(author.may_write.begin(), author.may_write.end(),
                     [](const Scope& scope) { return scope.everything(); });
}

absl::Status CheckRights(const Member& author, const Change& change, const std::vector<std::string>& read_in) {
  if (MayWriteEverything(author)) return absl::OkStatus();
  if (change.record.kind == kSiteKind) {
    const bool own = change.record.id.bytes() == author.site.bytes();
    return own ? absl::OkStatus() : Denied(author, "la liste des sites est tenue par les antennes");
  }
  if (!change.context.empty()) {
    return MayWriteIn(author, change.record.kind, read_in) ? absl::OkStatus() : DeniedIn(author, read_in);
  }
  if (!IsIdOf(change.record.id, author.site)) {
    return Denied(author, "une fiche nouvelle porte un identifiant que son site a fait");
  }
  const std::vector<std::string> put_in = TerritoriesOfNew(change);
  return MayWriteIn(author, change.record.kind, put_in) ? absl::OkStatus() : DeniedIn(author, put_in);
}

}  // namespace maillage::replication
