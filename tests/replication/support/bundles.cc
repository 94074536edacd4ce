#include "tests/replication/support/bundles.h"

#include <memory>
#include <utility>

#include "replication/check.h"

namespace maillage::replication::testing {
namespace {

TestBundle Take(TestSite& from, BundleExport::Options options) {
  auto made = BundleExport::Begin(from.replica.get(), std::move(options));
  MAILLAGE_CHECK(made.ok());
  TestBundle bundle{(*made)->header(), {}};
  v1::SyncFrame frame;
  while (true) {
    const absl::StatusOr<bool> filled = (*made)->Next(&frame);
    MAILLAGE_CHECK(filled.ok());
    if (!*filled) return bundle;
    bundle.frames.push_back(frame);
  }
}

}  // namespace

size_t TestBundle::bytes() const {
  size_t sum = header.ByteSizeLong();
  for (const v1::SyncFrame& frame : frames) sum += frame.ByteSizeLong();
  return sum;
}

TestBundle Export(TestSite& from, const TestSite& to, bool whole) {
  return Take(from, {from.name, to.id, to.name, Scope(), whole});
}

TestBundle Snapshot(TestSite& from, const Scope& scope) { return Take(from, {from.name, SiteId(), "", scope, true}); }

absl::StatusOr<BundleOutcome> Import(TestSite& at, const TestBundle& bundle, size_t until) {
  BundleImport import(at.replica.get(), at.name);
  if (absl::Status status = import.Begin(bundle.header); !status.ok()) return status;
  for (size_t i = 0; i < bundle.frames.size() && i < until; ++i) {
    absl::Status status = import.Receive(bundle.frames[i]);
    if (status.ok()) status = at.replica->Commit();
    if (status.ok()) status = import.Settle();
    if (!status.ok()) return status;
  }
  if (until < bundle.frames.size()) return absl::CancelledError("cut");
  const absl::StatusOr<BundleOutcome> outcome = import.Finish();
  if (absl::Status status = at.replica->Commit(); !status.ok()) return status;
  return outcome;
}

}  // namespace maillage::replication::testing
