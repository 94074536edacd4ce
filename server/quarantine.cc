#include "server/quarantine.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "proto/quote.h"
#include "replication/edit.h"
#include "replication/local_meta.h"
#include "server/records/history.h"
#include "server/records/record_request.h"
#include "server/records/record_view.h"
#include "server/records/site_names.h"
#include "storage/keys.h"

namespace maillage::server {
namespace {

using replication::Change;
using replication::Operation;
using replication::QuarantineEntry;
using replication::Replica;
using replication::Schema;
using replication::VersionVector;
using storage::Table;

constexpr size_t kIdDigits = 32;
constexpr int32_t kMostItems = 1'000;

absl::StatusOr<std::string> KeyOf(const std::string& id) {
  const bool hexadecimal = id.size() == kIdDigits && std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c); });
  if (!hexadecimal) {
    return absl::InvalidArgumentError(absl::StrCat("id\u00A0: ", Quote(id), " n'est pas celui d'une ligne de quarantaine, que « maillage quarantine » montre"));
  }
  return storage::QuarantineKey(absl::HexStringToBytes(id));
}

absl::StatusOr<QuarantineEntry> Find(const storage::ReadView& view, const std::string& id) {
  absl::StatusOr<std::string> key = KeyOf(id);
  if (!key.ok()) return key.status();
  auto row = view.Get(Table::kMeta, *key);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::NotFoundError(absl::StrCat("rien en quarantaine sous ", Quote(id)));
  return replication::DecodeQuarantineEntry(**row);
}

v1::QuarantinedItem Tell(const Schema& schema, const storage::ReadView& view, std::string_view digest, const QuarantineEntry& entry) {
  v1::QuarantinedItem item;
  item.set_id(absl::BytesToHexString(ToAbsl(digest)));
  item.set_from_site(SiteName(schema, view, entry.source));
  item.set_reason(entry.reason);
  item.set_bytes(static_cast<int64_t>(entry.bytes.size()));
  const absl::StatusOr<Change> change = replication::DecodeChange(entry.bytes);
  const replication::KindSchema* const kind = change.ok() ? schema.FindKind(change->record.kind) : nullptr;
  if (kind == nullptr) return item;
  item.set_record(RecordName(*kind, change->record.id));
  *item.mutable_change() = ToRecordChange(schema, view, *kind, *change);
  return item;
}

// What of a context this site has, too: the rest nobody here can have replaced.
VersionVector Common(const VersionVector& context, const VersionVector& held) {
  VersionVector common;
  for (const VersionVector::Entry& entry : context.entries()) {
    const uint64_t n = std::min(entry.n, held.Get(entry.actor));
    if (n > 0) common.Add({entry.actor, n});
  }
  return common;
}

std::vector<Operation> TakenOver(const Change& change, const VersionVector& context) {
  std::vector<Operation> operations;
  for (const Operation& operation : change.operations) {
    if (operation.rule == v1::COUNTER) continue;
    const bool deletes = operation.field == replication::kLifeField && operation.value.has_value();
    operations.push_back(deletes ? replication::DeleteOperation(context) : operation);
  }
  return operations;
}

}  // namespace

absl::StatusOr<v1::ListQuarantinedResponse> ListQuarantined(const Schema& schema, const storage::ReadView& view,
                                                            const v1::ListQuarantinedRequest& request) {
  if (request.page_size() < 0) return absl::InvalidArgumentError("page_size\u00A0: un nombre de lignes, ou 0");
  const int32_t size = request.page_size() == 0 ? kMostItems : std::min(request.page_size(), kMostItems);
  storage::KeyRange range = storage::KeyRange::Prefix(storage::kQuarantinePrefix);
  if (!request.page_token().empty()) {
    absl::StatusOr<std::string> after = KeyOf(request.page_token());
    if (!after.ok()) return absl::InvalidArgumentError("page_token\u00A0: jeton d'une autre liste");
    range.begin = *after + '\0';
  }
  v1::ListQuarantinedResponse response;
  PageRoom room(static_cast<size_t>(size));
  auto rows = view.Scan(Table::kMeta, range);
  for (; rows->Valid() || (rows->SkipDamage() && rows->Valid()); rows->Next()) {
    const absl::StatusOr<QuarantineEntry> entry = replication::DecodeQuarantineEntry(rows->value());
    if (!entry.ok()) continue;
    if (room.full()) {
      response.set_next_page_token(response.items().rbegin()->id());
      break;
    }
    *response.add_items() = Tell(schema, view, rows->key().substr(storage::kQuarantinePrefix.size()), *entry);
    room.Take(*response.items().rbegin());
  }
  if (!rows->status().ok()) return rows->status();
  return response;
}

absl::StatusOr<v1::AdoptQuarantinedResponse> AdoptQuarantined(const Schema& schema, Replica& replica,
                                                              const v1::AdoptQuarantinedRequest& request) {
  const absl::StatusOr<QuarantineEntry> entry = Find(replica.store(), request.id());
  if (!entry.ok()) return entry.status();
  const absl::StatusOr<Change> change = replication::DecodeChange(entry->bytes);
  const replication::KindSchema* const kind = change.ok() ? schema.FindKind(change->record.kind) : nullptr;
  if (kind == nullptr) {
    return absl::InvalidArgumentError("ce ne sont pas des modifications que ce nœud sait lire : rien à reprendre");
  }
  auto state = replica.State(change->record);
  if (!state.ok()) return state.status();
  const VersionVector held = state->has_value() ? (*state)->vector() : VersionVector();
  const VersionVector context = Common(change->context, held);
  std::vector<Operation> operations = TakenOver(*change, context);
  if (operations.empty()) return absl::FailedPreconditionError("rien de cela ne peut être repris par quelqu'un d'autre");
  const auto dot = replica.Write({change->record, context, std::move(operations), request.person(), ""});
  if (!dot.ok()) return dot.status();
  if (absl::Status dropped = DropQuarantined(replica, request.id()); !dropped.ok()) return dropped;
  v1::AdoptQuarantinedResponse response;
  *response.mutable_record() = ToRecord(schema, *kind, change->record.id, **replica.State(change->record));
  return response;
}

absl::Status DropQuarantined(Replica& replica, const std::string& id) {
  const absl::StatusOr<std::string> key = KeyOf(id);
  if (!key.ok()) return key.status();
  if (const auto found = Find(replica.store(), id); !found.ok()) return found.status();
  replica.ForgetQuarantined(*key);
  return absl::OkStatus();
}

}  // namespace maillage::server
