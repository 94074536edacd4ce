#include "replication/sealed_store.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>

#include <map>
#include <utility>
#include <vector>

#include "replication/byte_codec.h"
#include "replication/check.h"
#include "replication/feed_entry.h"
#include "replication/personal_spans.h"
#include "replication/signing.h"
#include "storage/keys.h"

namespace maillage::replication {

using storage::CommitBatch;
using storage::Cursor;
using storage::KeyRange;
using storage::ReadView;
using storage::ScanOrder;
using storage::Table;

namespace {

constexpr uint8_t kSealed = 0xf0;
constexpr size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == kHashSize);

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

absl::Status Unreadable(const char* why) {
  return absl::DataLossError(std::string("données personnelles illisibles : ") + why);
}

// Two keys of one, each for its own use.
std::string EncryptionKey(const std::string& subject_key) { return SubKey(subject_key, "encrypts the row"); }
std::string NonceKey(const std::string& subject_key) { return SubKey(subject_key, "makes the nonces"); }

// Whom the row is about. Nothing of it lies in a span, so `row` may be without them.
std::optional<RecordKey> RecordOf(Table table, std::string_view key, std::string_view row) {
  if (table == Table::kStates) return storage::ParseStateKey(key);
  const absl::StatusOr<FeedEntry> entry = DecodeFeedEntry(row);
  return entry.ok() ? std::optional(entry->record) : std::nullopt;
}

// What is authenticated beside the spans: where the row is, its head, and the rest of it.
std::string Context(Table table, std::string_view key, std::string_view head, std::string_view rest) {
  std::string context;
  ByteWriter writer(&context);
  writer.Byte(static_cast<uint8_t>(table));
  writer.String(key);
  writer.String(head);
  writer.Raw(rest);
  return context;
}

std::string Head(uint64_t generation, const std::vector<Span>& spans) {
  std::string head;
  ByteWriter writer(&head);
  writer.Byte(kSealed);
  writer.Varint(generation);
  writer.Varint(spans.size());
  size_t end = 0;
  for (const Span& span : spans) {
    writer.Varint(span.offset - end);
    writer.Varint(span.size);
    end = span.offset + span.size;
  }
  return head;
}

struct Parts {
  uint64_t generation = 0;
  std::vector<Span> spans;
  std::string_view head;
  std::string_view nonce;
  std::string_view box;
  std::string_view rest;
};

std::optional<Parts> Parse(std::string_view stored) {
  ByteReader reader(stored);
  Parts parts;
  reader.Byte();
  parts.generation = reader.Varint();
  const uint64_t count = reader.Varint();
  uint64_t secret = 0;
  size_t end = 0;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t gap = reader.Varint();
    const uint64_t size = reader.Varint();
    // No row is longer than what holds it: sums don't overflow.
    if (gap > stored.size() || size > stored.size()) return std::nullopt;
    parts.spans.push_back({end + gap, size});
    end += gap + size;
    secret += size;
  }
  parts.head = stored.substr(0, stored.size() - reader.rest().size());
  parts.nonce = reader.Raw(kNonceSize);
  parts.box = reader.String();
  parts.rest = reader.rest();
  const bool whole = reader.ok() && parts.box.size() == secret + kTagSize && end <= secret + parts.rest.size();
  return whole ? std::optional(std::move(parts)) : std::nullopt;
}

// Puts the spans back into the row.
std::string Merged(const Parts& parts, std::string_view secret) {
  std::string row;
  row.reserve(secret.size() + parts.rest.size());
  std::string_view rest = parts.rest;
  for (const Span& span : parts.spans) {
    const size_t gap = span.offset - row.size();
    row.append(rest.substr(0, gap)).append(secret.substr(0, span.size));
    rest.remove_prefix(gap);
    secret.remove_prefix(span.size);
  }
  return row.append(rest);
}

bool MaySeal(Table table) { return table == Table::kStates || table == Table::kFeed; }

class SealedCursor final : public Cursor {
 public:
  SealedCursor(std::unique_ptr<Cursor> inner, const SubjectKeys* keys, Table table)
      : inner_(std::move(inner)), keys_(keys), table_(table) {
    Settle();
  }

  bool Valid() const override { return broken_.ok() && inner_->Valid(); }
  void Next() override {
    inner_->Next();
    Settle();
  }
  std::string_view key() const override { return inner_->key(); }
  std::string_view value() const override { return sealed_ ? std::string_view(row_) : inner_->value(); }
  absl::Status status() const override { return broken_.ok() ? inner_->status() : broken_; }
  bool SkipDamage() override {
    if (broken_.ok()) {
      if (!inner_->SkipDamage()) return false;
    } else {
      inner_->Next();
    }
    Settle();
    return true;
  }

 private:
  void Settle() {
    broken_ = absl::OkStatus();
    sealed_ = inner_->Valid() && IsSealed(table_, inner_->value());
    if (!sealed_) return;
    absl::StatusOr<std::string> row = Unseal(*keys_, table_, inner_->key(), inner_->value());
    broken_ = row.status();
    if (row.ok()) row_ = *std::move(row);
  }

  const std::unique_ptr<Cursor> inner_;
  const SubjectKeys* const keys_;
  const Table table_;
  bool sealed_ = false;
  std::string row_;
  // The row where the inner cursor stands can't be decrypted.
  absl::Status broken_;
};

absl::StatusOr<std::optional<std::string>> GetUnsealed(const ReadView& view, const SubjectKeys& keys, Table table,
                                                       std::string_view key) {
  absl::StatusOr<std::optional<std::string>> stored = view.Get(table, key);
  if (!stored.ok() || !stored->has_value() || !IsSealed(table, **stored)) return stored;
  absl::StatusOr<std::string> row = Unseal(keys, table, key, **stored);
  if (!row.ok()) return row.status();
  return std::optional(*std::move(row));
}

std::unique_ptr<Cursor> ScanUnsealed(const ReadView& view, const SubjectKeys& keys, Table table, const KeyRange& range,
                                     ScanOrder order) {
  std::unique_ptr<Cursor> cursor = view.Scan(table, range, order);
  if (!MaySeal(table)) return cursor;
  return std::make_unique<SealedCursor>(std::move(cursor), &keys, table);
}

class SealedView final : public ReadView {
 public:
  SealedView(std::unique_ptr<ReadView> inner, const SubjectKeys* keys) : inner_(std::move(inner)), keys_(keys) {}
  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return GetUnsealed(*inner_, *keys_, table, key);
  }
  std::unique_ptr<Cursor> Scan(Table table, const KeyRange& range, ScanOrder order) const override {
    return ScanUnsealed(*inner_, *keys_, table, range, order);
  }

 private:
  const std::unique_ptr<ReadView> inner_;
  const SubjectKeys* const keys_;
};

}  // namespace

bool IsSealed(Table table, std::string_view stored) {
  return MaySeal(table) && !stored.empty() && static_cast<uint8_t>(stored.front()) == kSealed;
}

std::optional<std::string> Seal(const SubjectKeys& keys, Table table, std::string_view key, std::string_view row) {
  if (!MaySeal(table)) return std::nullopt;
  const std::vector<Span> spans = table == Table::kStates ? PersonalInState(row) : PersonalInFeedEntry(row);
  if (spans.empty()) return std::nullopt;
  const std::optional<RecordKey> record = RecordOf(table, key, row);
  MAILLAGE_CHECK(record.has_value());
  const SubjectKeys::Key subject = keys.Current(*record);
  std::string secret;
  std::string rest;
  size_t end = 0;
  for (const Span& span : spans) {
    rest.append(row.substr(end, span.offset - end));
    secret.append(row.substr(span.offset, span.size));
    end = span.offset + span.size;
  }
  rest.append(row.substr(end));
  std::string sealed = Head(subject.generation, spans);
  const std::string context = Context(table, key, sealed, rest);
  const std::string nonce = Hash256(context + secret, NonceKey(subject.bytes)).substr(0, kNonceSize);
  std::string box(secret.size() + kTagSize, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(box.data()), nullptr, Bytes(secret), secret.size(),
                                             Bytes(context), context.size(), nullptr, Bytes(nonce),
                                             Bytes(EncryptionKey(subject.bytes)));
  ByteWriter writer(&sealed);
  writer.Raw(nonce);
  writer.String(box);
  writer.Raw(rest);
  return sealed;
}

absl::StatusOr<std::string> Unseal(const SubjectKeys& keys, Table table, std::string_view key, std::string_view stored) {
  const std::optional<Parts> parts = Parse(stored);
  const auto record = parts.has_value() ? RecordOf(table, key, parts->rest) : std::nullopt;
  if (!record.has_value()) return Unreadable("la ligne est endommagée");
  const std::optional<std::string> subject = keys.Find(*record, parts->generation);
  if (!subject.has_value()) return Unreadable("leur clé a été détruite");
  const std::string context = Context(table, key, parts->head, parts->rest);
  std::string secret(parts->box.size() - kTagSize, '\0');
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(secret.data()), nullptr, nullptr, Bytes(parts->box), parts->box.size(), Bytes(context),
      context.size(), Bytes(parts->nonce), Bytes(EncryptionKey(*subject)));
  if (opened != 0) return Unreadable("la ligne est endommagée, ou d'une autre clé");
  return Merged(*parts, secret);
}

absl::StatusOr<std::optional<std::string>> SealedStore::Get(Table table, std::string_view key) const {
  return GetUnsealed(*inner_, *keys_, table, key);
}

std::unique_ptr<Cursor> SealedStore::Scan(Table table, const KeyRange& range, ScanOrder order) const {
  return ScanUnsealed(*inner_, *keys_, table, range, order);
}

std::unique_ptr<ReadView> SealedStore::Snapshot() const { return std::make_unique<SealedView>(inner_->Snapshot(), keys_); }

absl::Status SealedStore::Commit(const CommitBatch& batch) {
  const std::vector<CommitBatch::Write>& writes = batch.writes();
  std::map<size_t, std::string> sealed;
  for (size_t i = 0; i < writes.size(); ++i) {
    if (!writes[i].value.has_value()) continue;
    std::optional<std::string> row = Seal(*keys_, writes[i].table, writes[i].key, *writes[i].value);
    if (row.has_value()) sealed.emplace(i, *std::move(row));
  }
  if (sealed.empty()) return inner_->Commit(batch);
  CommitBatch rewritten;
  auto next = sealed.begin();
  for (size_t i = 0; i < writes.size(); ++i) {
    if (next != sealed.end() && next->first == i) {
      rewritten.Put(writes[i].table, writes[i].key, std::move(next++->second));
    } else if (writes[i].value.has_value()) {
      rewritten.Put(writes[i].table, writes[i].key, *writes[i].value);
    } else {
      rewritten.Delete(writes[i].table, writes[i].key);
    }
  }
  return inner_->Commit(rewritten);
}

}  // namespace maillage::replication
