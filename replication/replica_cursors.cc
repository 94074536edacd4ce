// How far others' feeds are here: hints for the next greeting.
#include "replication/replica.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::Table;

void Replica::SetCursor(const SiteId& peer, const PeerCursor& cursor) { cursors_[peer] = cursor; }

void Replica::KeepCursors() {
  for (const auto& [peer, cursor] : cursors_) unsaved_cursors_[peer] = cursor;
  cursors_.clear();
}

absl::StatusOr<std::optional<PeerCursor>> Replica::Cursor(const SiteId& peer) const {
  for (const auto* cursors : {&cursors_, &unsaved_cursors_}) {
    const auto found = cursors->find(peer);
    if (found != cursors->end()) return found->second;
  }
  auto bytes = store_->Get(Table::kMeta, storage::CursorKey(peer));
  if (!bytes.ok()) return bytes.status();
  if (!bytes->has_value()) return std::nullopt;
  absl::StatusOr<PeerCursor> cursor = DecodeCursor(**bytes);
  if (!cursor.ok()) return cursor.status();
  return *cursor;
}

}  // namespace maillage::replication
