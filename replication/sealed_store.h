// A store that encrypts what records say of persons on its way to another one, and decrypts it on its way back. Each value is
// encrypted under its record's key (subject_keys.h), with XChaCha20-Poly1305 of libsodium; so whoever destroys the key destroys it in
// every table, log file and copy of the disk at once.
//
// A row of the tables of states and of the feed that has something to encrypt (personal_spans.h) is stored as
//   sealed:1 = 0xf0  generation:varint
//   spans varint count; each  gap:varint size:varint     from the end of the one before, in the row as it was
//   nonce:24  box string: the spans, one after the other, encrypted, with 16 bytes of authentication
//   the row without the spans
// The first byte tells it from a row as it is. Authenticated together with table, key and all the rest of the row. The nonce is a
// keyed hash of all that (as in Rogaway, Shrimpton, "Deterministic Authenticated-Encryption", 2006), so the same row has the same
// bytes, and no randomness is needed. Pinned by tests/golden/meta/sealed.txt.
#ifndef MAILLAGE_REPLICATION_SEALED_STORE_H_
#define MAILLAGE_REPLICATION_SEALED_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/subject_keys.h"
#include "storage/store.h"

namespace maillage::replication {

// The row as it is stored; nothing where it stays as it is.
std::optional<std::string> Seal(const SubjectKeys& keys, storage::Table table, std::string_view key, std::string_view row);
bool IsSealed(storage::Table table, std::string_view stored);
// DataLoss where its key was destroyed, or bytes are damaged.
absl::StatusOr<std::string> Unseal(const SubjectKeys& keys, storage::Table table, std::string_view key, std::string_view stored);

// Keeps the promises of storage::Store as the inner one does; a row that can't be decrypted is one whose bytes are damaged.
class SealedStore final : public storage::Store {
 public:
  // Both must outlive it.
  SealedStore(storage::Store* inner, const SubjectKeys* keys) : inner_(inner), keys_(keys) {}

  absl::StatusOr<std::optional<std::string>> Get(storage::Table table, std::string_view key) const override;
  std::unique_ptr<storage::Cursor> Scan(storage::Table table, const storage::KeyRange& range,
                                        storage::ScanOrder order) const override;
  std::unique_ptr<storage::ReadView> Snapshot() const override;
  absl::Status Commit(const storage::CommitBatch& batch) override;
  std::string KnownDamage() const override { return inner_->KnownDamage(); }

 private:
  storage::Store* const inner_;
  const SubjectKeys* const keys_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SEALED_STORE_H_
