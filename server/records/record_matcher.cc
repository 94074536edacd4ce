#include "server/records/record_matcher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/quote.h"
#include "replication/value_codec.h"
#include "server/records/limits.h"
#include "server/records/record_request.h"
#include "storage/keys.h"

namespace maillage::server {

using google::protobuf::Message;
using replication::KindSchema;
using replication::Life;
using replication::NaturalKeySchema;
using replication::NaturalKeyValue;
using replication::RecordState;

namespace {

constexpr uint8_t kAllRules = UINT8_MAX;

std::string DigestOf(const std::vector<NaturalKeyValue>& keys, uint8_t rule) {
  for (const NaturalKeyValue& key : keys) {
    if (key.rule == rule) return key.digest;
  }
  return "";
}

}  // namespace

bool RecordMatcher::IsImportKey(const KindSchema& kind, const NaturalKeySchema& key) {
  if (key.fields.size() != 1) return false;
  const auto* field = kind.FindField(static_cast<uint32_t>(key.fields[0]->number()));
  return field != nullptr && field->rule == v1::MAP;
}

template <typename Wanted>
absl::StatusOr<std::vector<RecordMatcher::Candidate>> RecordMatcher::Candidates(
    const std::vector<NaturalKeyValue>& keys, Wanted wanted) {
  std::vector<Candidate> candidates;
  for (const NaturalKeyValue& key : keys) {
    if (!wanted(kind_->natural_keys[key.rule])) continue;
    auto ids =
        store_->Find(kind_->number, storage::NaturalKeyPrefix(kind_->number, key.rule, key.digest));
    if (!ids.ok()) return ids.status();
    for (const RecordId& id : *ids) {
      const bool known = std::any_of(candidates.begin(), candidates.end(),
                                     [&](const Candidate& other) { return other.id == id; });
      if (known) continue;
      absl::StatusOr<std::optional<RecordState>> state = store_->State({kind_->number, id});
      if (!state.ok()) return state.status();
      if (!state->has_value()) return absl::DataLossError("index table: a key of no record");
      Candidate candidate;
      candidate.id = id;
      candidate.content = schema_->ToMessage(*kind_, **state);
      candidate.rule = key.rule;
      candidate.deleted = (*state)->life() == Life::kDeleted;
      candidate.state = **std::move(state);
      candidates.push_back(std::move(candidate));
    }
  }
  return candidates;
}

absl::StatusOr<RecordMatch> RecordMatcher::Find(const Message& row) {
  const std::vector<NaturalKeyValue> keys = schema_->NaturalKeys(*kind_, row);
  const auto is_import = [this](const NaturalKeySchema& key) { return IsImportKey(*kind_, key); };
  auto imported = Candidates(keys, is_import);
  if (!imported.ok()) return imported.status();
  if (!imported->empty()) {
    const auto alive = std::find_if(imported->begin(), imported->end(),
                                    [](const Candidate& candidate) { return !candidate.deleted; });
    RecordMatch match;
    match.outcome = RecordMatch::Outcome::kImported;
    match.id = alive == imported->end() ? imported->front().id : alive->id;
    return match;
  }
  auto strong =
      Candidates(keys, [&](const NaturalKeySchema& key) { return !key.weak && !is_import(key); });
  if (!strong.ok()) return strong.status();
  if (!strong->empty()) return ChooseStrong(keys, *std::move(strong));
  for (const NaturalKeySchema& weak : kind_->natural_keys) {
    if (!weak.weak) continue;
    auto candidates =
        Candidates(keys, [&](const NaturalKeySchema& key) { return key.rule == weak.rule; });
    if (!candidates.ok()) return candidates.status();
    RecordMatch match = ChooseWeak(keys, *std::move(candidates));
    if (match.outcome != RecordMatch::Outcome::kNone) return match;
  }
  return RecordMatch();
}

RecordMatch RecordMatcher::ChooseStrong(const std::vector<NaturalKeyValue>& keys,
                                        std::vector<Candidate> candidates) const {
  std::vector<Candidate> alive;
  for (Candidate& candidate : candidates) {
    if (!candidate.deleted) alive.push_back(std::move(candidate));
  }
  if (alive.empty()) {
    return Refuse(kind_->natural_keys[candidates.front().rule], candidates,
                  "c'est une fiche supprimée\u00A0; la rétablir avant d'importer\u00A0: ");
  }
  const NaturalKeySchema& key = kind_->natural_keys[alive.front().rule];
  if (alive.size() > 1) {
    return Refuse(key, alive,
                  "plusieurs fiches correspondent\u00A0; à départager par une personne\u00A0: ");
  }
  Candidate& found = alive.front();
  const NaturalKeySchema* contradiction = Contradiction(keys, found, found.rule);
  if (contradiction != nullptr) {
    return Refuse(
        *contradiction, alive,
        absl::StrCat("la fiche de même ", key.fields[0]->name(), " en a un autre\u00A0: "));
  }
  RecordMatch match;
  match.outcome = RecordMatch::Outcome::kFound;
  match.id = found.id;
  match.state = std::move(found.state);
  return match;
}

RecordMatch RecordMatcher::ChooseWeak(const std::vector<NaturalKeyValue>& keys,
                                      std::vector<Candidate> candidates) const {
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return candidate.deleted || Contradiction(keys, candidate, kAllRules) != nullptr;
  });
  RecordMatch match;
  if (candidates.empty()) return match;
  if (candidates.size() > 1) {
    return Refuse(kind_->natural_keys[candidates.front().rule], candidates,
                  "plusieurs fiches correspondent\u00A0; à départager par une personne\u00A0: ");
  }
  match.outcome = RecordMatch::Outcome::kFound;
  match.id = candidates.front().id;
  match.state = std::move(candidates.front().state);
  return match;
}

const NaturalKeySchema* RecordMatcher::Contradiction(const std::vector<NaturalKeyValue>& keys,
                                                     const Candidate& candidate,
                                                     uint8_t below) const {
  const std::vector<NaturalKeyValue> theirs = schema_->NaturalKeys(*kind_, *candidate.content);
  for (const NaturalKeySchema& key : kind_->natural_keys) {
    if (key.weak || key.rule >= below || key.fields.size() != 1 || key.fields[0]->is_repeated()) {
      continue;
    }
    const std::string mine = DigestOf(keys, key.rule);
    const std::string other = DigestOf(theirs, key.rule);
    if (!mine.empty() && !other.empty() && mine != other) return &key;
  }
  return nullptr;
}

RecordMatch RecordMatcher::Refuse(const NaturalKeySchema& key, const std::vector<Candidate>& named,
                                  const std::string& why) const {
  RecordMatch match;
  match.outcome = RecordMatch::Outcome::kRefused;
  match.field = key.fields[0]->name();
  match.reason = why;
  for (size_t i = 0; i < named.size() && i < kMaxNamedCandidates; ++i) {
    absl::StrAppend(&match.reason, i == 0 ? "" : ", ", Describe(named[i]));
  }
  if (named.size() > kMaxNamedCandidates) absl::StrAppend(&match.reason, ", …");
  return match;
}

std::string RecordMatcher::Describe(const Candidate& candidate) const {
  return absl::StrCat(Quote(replication::EncodeValue(*candidate.content, *kind_->title)), " (",
                      RecordName(*kind_, candidate.id), ")");
}

}  // namespace maillage::server
