// Keys of all tables, read back by every parser (storage/keys.h).
#include <string>

#include "storage/keys.h"
#include "storage/store.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {

using namespace storage;

bool FuzzKeys(std::string_view bytes) {
  bool taken = false;
  if (const auto record = ParseStateKey(bytes)) {
    MAILLAGE_REQUIRE(StateKey(*record) == bytes);
    MAILLAGE_REQUIRE(bytes.starts_with(StatePrefix(record->kind)));
    taken = true;
  }
  if (const auto position = ParseChangeKeyPosition(bytes)) {
    const auto record = ParseStateKey(bytes.substr(0, bytes.size() - sizeof(*position)));
    MAILLAGE_REQUIRE(record.has_value() && ChangeKey(*record, *position) == bytes);
    taken = true;
  }
  if (const auto key = ParseFingerprintKey(bytes)) {
    MAILLAGE_REQUIRE(FingerprintKey(key->partition, key->hash, key->id) == bytes);
    // The partition's rows are those of its prefix, and no others.
    MAILLAGE_REQUIRE(key->partition.territory.find('\0') == std::string::npos);
    MAILLAGE_REQUIRE(bytes >= FingerprintBound(key->partition, key->hash));
    taken = true;
  }
  if (const auto position = ParseFeedKey(bytes)) {
    MAILLAGE_REQUIRE(FeedKey(*position) == bytes);
    taken = true;
  }
  if (const auto record = ParseConflictKey(bytes)) {
    MAILLAGE_REQUIRE(ConflictKey(*record) == bytes);
    MAILLAGE_REQUIRE(ParseIndexedId(bytes) == record->id);
    taken = true;
  }
  if (const auto id = ParseIndexedId(bytes)) {
    MAILLAGE_REQUIRE(bytes.ends_with(id->bytes()));
    taken = true;
  }
  if (const auto reference = ParseReferenceKey(bytes)) {
    MAILLAGE_REQUIRE(ReferenceKey(reference->target, reference->partition, reference->referrer) == bytes);
    MAILLAGE_REQUIRE(bytes.starts_with(ReferencePrefix(reference->target, reference->partition)));
    MAILLAGE_REQUIRE(ParseIndexedRecord(bytes) == (RecordKey{reference->partition.kind, reference->referrer}));
    taken = true;
  }
  if (const auto stub = ParseStubKey(bytes)) {
    MAILLAGE_REQUIRE(StubKey(*stub) == bytes);
    taken = true;
  }
  if (const auto due = ParseDueKey(bytes)) {
    const auto site = SiteId::FromBytes(bytes.substr(kDuePrefix.size(), SiteId::kSize));
    MAILLAGE_REQUIRE(site.has_value() && DueKey(*site, *due) == bytes);
    taken = true;
  }
  const KeyRange range = KeyRange::Prefix(bytes);
  MAILLAGE_REQUIRE(range.begin == bytes && (range.end.empty() || range.end > bytes));
  return taken;
}

}  // namespace maillage::fuzz
