#include "server/bundle_jobs.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/bundle.h"
#include "replication/bundle_file.h"
#include "server/records/site_names.h"
#include "server/site_list.h"
#include "server/tuning.h"

namespace maillage::server {

using replication::BundleExport;
using replication::BundleFileReader;
using replication::BundleFileWriter;
using replication::BundleImport;
using replication::BundleOutcome;
using replication::Replica;
using replication::Schema;

namespace {

// What people are told of a bundle, before it is made or taken in.
v1::BundleSummary Summary(const Schema& schema, const v1::BundleHeader& header) {
  v1::BundleSummary summary;
  summary.set_site(header.name());
  summary.set_receiver(header.receiver_name());
  const auto scope = replication::Scope::Parse(header.scope());
  summary.set_scope(scope.ok() ? ScopeText(schema, *scope) : header.scope());
  summary.set_created(header.created());
  summary.set_whole(header.whole());
  summary.set_records(header.records());
  return summary;
}

absl::StatusOr<BundleExport::Options> ReadRequest(const Schema& schema, const Replica& replica, const std::string& site,
                                                  const v1::ExportBundleRequest& request) {
  BundleExport::Options options;
  options.name = site;
  options.whole = request.whole();
  if (request.receiver().empty()) {
    absl::StatusOr<replication::Scope> scope = ParseScope(schema, request.scope().empty() ? "*" : request.scope());
    if (!scope.ok()) return scope.status();
    options.scope = *std::move(scope);
    return options;
  }
  absl::StatusOr<SiteId> receiver = FindSite(schema, replica, request.receiver());
  if (!receiver.ok()) return receiver.status();
  options.receiver = *receiver;
  options.receiver_name = SiteName(schema, replica.store(), *receiver);
  return options;
}

// One file after another through one export.
class Exporter {
 public:
  Exporter(Writer& writer, const Schema& schema, const SendPart& send)
      : writer_(writer), schema_(schema), send_(send) {}

  absl::Status Run(const std::string& site, const v1::ExportBundleRequest& request) {
    absl::Status status = Step([&](Replica& replica) { return Begin(replica, site, request); });
    while (status.ok() && !ended_) {
      status = Step([this](Replica&) { return Fill(); });
    }
    return status;
  }

 private:
  // On the writer's thread; what it made is sent from this one.
  absl::Status Step(const std::function<absl::Status(Replica&)>& make) {
    absl::Status made;
    part_.Clear();
    const absl::Status run = writer_.Run([&](Replica& replica) { made = make(replica); });
    if (!made.ok()) return made;
    // Nothing was written: a node that stores nothing makes bundles all the same.
    if (absl::IsUnavailable(run)) return run;
    part_.set_records_done(export_->records());
    return send_(std::move(part_)) ? absl::OkStatus() : absl::CancelledError("arrêté");
  }

  absl::Status Begin(Replica& replica, const std::string& site, const v1::ExportBundleRequest& request) {
    absl::StatusOr<BundleExport::Options> options = ReadRequest(schema_, replica, site, request);
    if (!options.ok()) return options.status();
    absl::StatusOr<std::unique_ptr<BundleExport>> begun = BundleExport::Begin(&replica, *std::move(options));
    if (!begun.ok()) return begun.status();
    export_ = *std::move(begun);
    *part_.mutable_summary() = Summary(schema_, export_->header());
    part_.set_data(file_.Block(export_->header().SerializeAsString()));
    return absl::OkStatus();
  }

  absl::Status Fill() {
    v1::SyncFrame frame;
    while (part_.data().size() < kBundlePartBytes) {
      absl::StatusOr<bool> filled = export_->Next(&frame);
      if (!filled.ok()) return filled.status();
      if (!*filled) {
        part_.mutable_data()->append(file_.End());
        ended_ = true;
        return absl::OkStatus();
      }
      part_.mutable_data()->append(file_.Block(frame.SerializeAsString()));
    }
    return absl::OkStatus();
  }

  Writer& writer_;
  const Schema& schema_;
  const SendPart& send_;
  BundleFileWriter file_;
  std::unique_ptr<BundleExport> export_;
  v1::BundlePart part_;
  bool ended_ = false;
};

class Importer {
 public:
  Importer(Writer& writer, const Schema& schema, const std::string& site, const TellImport& tell)
      : writer_(writer), schema_(schema), site_(site), tell_(tell) {}

  absl::Status Run(const ReadPart& read) {
    absl::Status status;
    while (status.ok()) {
      const std::optional<std::string> part = read();
      if (!part.has_value()) break;
      file_.Push(*part);
      status = TakeBlocks();
      v1::ImportBundleProgress progress;
      progress.set_bytes_done(file_.position());
      if (status.ok() && !tell_(std::move(progress))) status = absl::CancelledError("arrêté");
    }
    if (status.ok()) status = file_.Finish();
    if (status.ok() && import_ == nullptr) status = absl::InvalidArgumentError("le lot est vide");
    return status.ok() ? Finish() : status;
  }

 private:
  absl::Status TakeBlocks() {
    while (true) {
      absl::StatusOr<std::optional<std::string>> block = file_.Next();
      if (!block.ok()) return block.status();
      if (!block->has_value()) return absl::OkStatus();
      absl::Status taken = import_ == nullptr ? Begin(**block) : TakeFrame(**block);
      if (!taken.ok()) return taken;
    }
  }

  // On the writer's thread, and committed.
  absl::Status Step(const std::function<absl::Status(Replica&)>& take) {
    absl::Status taken;
    const absl::Status committed = writer_.Run([&](Replica& replica) {
      taken = writer_.MayWrite();
      if (taken.ok()) taken = take(replica);
    });
    return taken.ok() ? committed : taken;
  }

  absl::Status Begin(const std::string& block) {
    v1::BundleHeader header;
    if (!header.ParseFromString(block)) return absl::InvalidArgumentError("le lot commence par autre chose");
    absl::Status begun = Step([&](Replica& replica) {
      import_ = std::make_unique<BundleImport>(&replica, site_);
      return import_->Begin(header);
    });
    if (!begun.ok()) return begun;
    v1::ImportBundleProgress progress;
    *progress.mutable_summary() = Summary(schema_, header);
    progress.set_resumed(import_->taken() > 0);
    return tell_(std::move(progress)) ? absl::OkStatus() : absl::CancelledError("arrêté");
  }

  absl::Status TakeFrame(const std::string& block) {
    v1::SyncFrame frame;
    if (!frame.ParseFromString(block)) {
      return absl::InvalidArgumentError(absl::StrCat("le lot a un bloc illisible avant l'octet ", file_.position()));
    }
    absl::Status taken = Step([&](Replica&) { return import_->Receive(frame); });
    return taken.ok() ? Step([this](Replica&) { return import_->Settle(); }) : taken;
  }

  absl::Status Finish() {
    BundleOutcome outcome;
    absl::Status finished = Step([&](Replica&) {
      absl::StatusOr<BundleOutcome> told = import_->Finish();
      if (told.ok()) outcome = *told;
      return told.status();
    });
    if (!finished.ok()) return finished;
    v1::ImportBundleProgress progress;
    progress.set_bytes_done(file_.position());
    v1::BundleOutcome& out = *progress.mutable_outcome();
    out.set_equal(outcome.equal);
    out.set_gaps(outcome.gaps);
    out.set_twin(outcome.twin);
    out.set_changes(outcome.changes);
    out.set_states(outcome.states);
    out.set_stubs(outcome.stubs);
    out.set_leaving_records(outcome.leaving);
    tell_(std::move(progress));
    return absl::OkStatus();
  }

  Writer& writer_;
  const Schema& schema_;
  const std::string& site_;
  const TellImport& tell_;
  BundleFileReader file_;
  std::unique_ptr<BundleImport> import_;
};

}  // namespace

absl::Status ExportBundle(Writer& writer, const Schema& schema, const std::string& site,
                          const v1::ExportBundleRequest& request, const SendPart& send) {
  return Exporter(writer, schema, send).Run(site, request);
}

absl::Status ImportBundle(Writer& writer, const Schema& schema, const std::string& site, const ReadPart& read,
                          const TellImport& tell) {
  return Importer(writer, schema, site, tell).Run(read);
}

}  // namespace maillage::server
