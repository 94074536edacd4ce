// Bundles: the file as it stands, and one that was made of the blocks that follow, into a real replica
// (replication/bundle_file.h, bundle.h). The first byte:
//
//   bit 0   this site holds records already
//   bit 1   the input is the file itself; otherwise blocks, each after its length in two bytes: a header, then frames
//
// The bundle is taken in twice: the second time brings nothing, unless the first left gaps. The tables agree with each other afterwards.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/bundle.h"
#include "replication/bundle_file.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/selected.h"
#include "tests/fuzz/sync_fixture.h"
#include "tests/fuzz/targets.h"

namespace maillage::fuzz {
namespace {

using replication::BundleFileReader;
using replication::BundleFileWriter;
using replication::BundleImport;
using replication::BundleOutcome;
using replication::testing::Site;

// The blocks before whatever is wrong; whether nothing is.
bool ReadFile(std::string_view file, std::vector<std::string>& blocks) {
  BundleFileReader reader;
  reader.Push(file);
  while (true) {
    const absl::StatusOr<std::optional<std::string>> block = reader.Next();
    if (!block.ok()) RequireRefusal(block.status(), absl::StatusCode::kInvalidArgument);
    if (!block.ok()) return false;
    if (!block->has_value()) break;
    blocks.push_back(**block);
  }
  const absl::Status end = reader.Finish();
  if (!end.ok()) RequireRefusal(end, absl::StatusCode::kInvalidArgument);
  MAILLAGE_REQUIRE(reader.position() <= file.size());
  return end.ok();
}

std::string WriteFile(const std::vector<std::string>& blocks) {
  BundleFileWriter writer;
  std::string file;
  for (const std::string& block : blocks) file += writer.Block(block);
  return file + writer.End();
}

// Nothing where it was refused, with words.
std::optional<BundleOutcome> Take(Site& site, const std::vector<std::string>& blocks) {
  v1::BundleHeader header;
  if (blocks.empty() || !header.ParseFromString(blocks[0])) return std::nullopt;
  BundleImport import(site.replica.get(), "savoie");
  const absl::Status begun = import.Begin(header);
  if (!begun.ok()) RequireRefusal(begun, absl::StatusCode::kInvalidArgument);
  if (!begun.ok()) return std::nullopt;
  for (size_t i = 1; i < blocks.size(); ++i) {
    v1::SyncFrame frame;
    if (!frame.ParseFromString(blocks[i])) return std::nullopt;
    const absl::Status received = import.Receive(frame);
    if (!received.ok()) RequireRefusal(received, received.code());
    MAILLAGE_REQUIRE(received.ok() || absl::IsInvalidArgument(received) || absl::IsFailedPrecondition(received));
    MAILLAGE_REQUIRE(site.replica->Commit().ok());
    if (!received.ok()) return std::nullopt;
    MAILLAGE_REQUIRE(import.Settle().ok());
    MAILLAGE_REQUIRE(site.replica->Commit().ok());
  }
  const absl::StatusOr<BundleOutcome> outcome = import.Finish();
  MAILLAGE_REQUIRE(outcome.ok());
  MAILLAGE_REQUIRE(site.replica->Commit().ok());
  return *outcome;
}

}  // namespace

bool FuzzBundle(std::string_view bytes) {
  const uint8_t choice = TakeByte(bytes);
  std::vector<std::string> blocks;
  if ((choice & 2) != 0) {
    if (!ReadFile(bytes, blocks)) return false;
    MAILLAGE_REQUIRE(WriteFile(blocks) == bytes);
  } else {
    while (!bytes.empty()) {
      const std::string_view block = TakeBlock(bytes);
      if (!block.empty()) blocks.emplace_back(block);
    }
    std::vector<std::string> read;
    MAILLAGE_REQUIRE(ReadFile(WriteFile(blocks), read) && read == blocks);
  }
  const std::unique_ptr<Site> site = (choice & 1) != 0 ? SiteWithRecords() : EmptySite();
  const std::optional<BundleOutcome> taken = Take(*site, blocks);
  const std::string digest = site->Digest();
  if (taken.has_value()) {
    MAILLAGE_REQUIRE(Take(*site, blocks).has_value());
    MAILLAGE_REQUIRE(taken->gaps || site->Digest() == digest);
  }
  const std::string inconsistency = Inconsistency(*site);
  if (!inconsistency.empty()) std::fprintf(stderr, "%s\n", inconsistency.c_str());
  MAILLAGE_REQUIRE(inconsistency.empty());
  return taken.has_value();
}

}  // namespace maillage::fuzz
