#include "tests/client/fake_node.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/kinds.h"
#include "google/protobuf/util/message_differencer.h"

namespace maillage::client::testing {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

namespace {

std::string TitleOf(const Message& content) {
  const FieldDescriptor* const field = NamingField(*content.GetDescriptor());
  return content.GetReflection()->GetString(content, field);
}

// Removes from a repeated field the elements that `removals` has.
void Remove(const FieldDescriptor& field, const Message& removals, Message& content) {
  const auto& reflection = *content.GetReflection();
  for (int r = 0; r < reflection.FieldSize(removals, &field); ++r) {
    for (int i = reflection.FieldSize(content, &field) - 1; i >= 0; --i) {
      if (reflection.GetRepeatedString(content, &field, i) !=
          reflection.GetRepeatedString(removals, &field, r)) {
        continue;
      }
      reflection.SwapElements(&content, &field, i, reflection.FieldSize(content, &field) - 1);
      reflection.RemoveLast(&content, &field);
    }
  }
}

void CopyField(const FieldDescriptor& field, const Message& from, Message& to) {
  const auto& reflection = *to.GetReflection();
  reflection.ClearField(&to, &field);
  const std::unique_ptr<Message> alone(from.New());
  alone->CopyFrom(from);
  for (int i = 0; i < from.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const other = from.GetDescriptor()->field(i);
    if (other != &field) reflection.ClearField(alone.get(), other);
  }
  to.MergeFrom(*alone);
}

}  // namespace

absl::Status FakeNode::NextFailure() {
  if (failures.empty()) return absl::OkStatus();
  absl::Status failure = failures.front();
  failures.pop_front();
  return failure;
}

absl::StatusOr<v1::Record*> FakeNode::Find(const std::string& name) {
  const auto found = records.find(name);
  if (found == records.end()) return absl::NotFoundError(name + " : aucune fiche de ce nom");
  return &found->second;
}

void FakeNode::Commit(v1::Record& record, const v1::WriteContext& context,
                      v1::FieldChange field_change) {
  contexts.push_back(context);
  ++writes_;
  record.set_etag(absl::StrCat("e", writes_));
  record.mutable_update_time()->set_seconds(kStartSeconds + 60 * (writes_ - 1));
  v1::RecordChange change;
  change.set_person(context.person());
  change.set_site("Savoie");
  *change.mutable_time() = record.update_time();
  *change.add_fields() = std::move(field_change);
  change.set_dot(absl::StrCat("5a/1/1:", writes_));
  history_[record.name()].push_front(std::move(change));
}

absl::StatusOr<v1::Record> FakeNode::GetRecord(const v1::GetRecordRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  const absl::StatusOr<v1::Record*> record = Find(request.name());
  if (!record.ok()) return record.status();
  return **record;
}

absl::StatusOr<v1::ListRecordsResponse> FakeNode::ListRecords(
    const v1::ListRecordsRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  lists.push_back(request);
  const int wanted = request.page_size() == 0 ? 50 : request.page_size();
  const int page_size = std::min(wanted, max_page_size);
  v1::ListRecordsResponse response;
  for (auto at = records.upper_bound(request.page_token()); at != records.end(); ++at) {
    if (SplitName(at->first).first != request.kind()) continue;
    if (at->second.deleted() && !request.show_deleted()) continue;
    if (response.records_size() == page_size) {
      response.set_next_page_token(response.records(page_size - 1).name());
      break;
    }
    *response.add_records() = at->second;
  }
  return response;
}

absl::StatusOr<v1::Record> FakeNode::CreateRecord(const v1::CreateRecordRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  const auto content = Unpack(request.record().content());
  if (!content.ok()) return content.status();
  v1::Record record;
  record.set_name(
      RecordName(*(*content)->GetDescriptor(),
                 absl::StrFormat("018f%04x-0000-7000-8000-000000000000", records.size() + 1)));
  *record.mutable_content() = request.record().content();
  v1::FieldChange change;
  change.set_field(NamingField(*(*content)->GetDescriptor())->name());
  change.set_action(v1::FieldChange::SET);
  change.set_value(TitleOf(**content));
  Commit(record, request.context(), std::move(change));
  *record.mutable_create_time() = record.update_time();
  return records[record.name()] = record;
}

absl::StatusOr<v1::Record> FakeNode::UpdateRecord(const v1::UpdateRecordRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  updates.push_back(request);
  const absl::StatusOr<v1::Record*> record = Find(request.record().name());
  if (!record.ok()) return record.status();
  const auto content = Unpack((*record)->content());
  const auto sent = Unpack(request.record().content());
  v1::FieldChange change;
  change.set_action(v1::FieldChange::SET);
  for (const std::string& path : request.update_mask().paths()) {
    CopyField(*(*content)->GetDescriptor()->FindFieldByName(path), **sent, **content);
    change.set_field(path);
    const FieldDescriptor& field = *(*sent)->GetDescriptor()->FindFieldByName(path);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field.is_repeated()) {
      change.set_value((*sent)->GetReflection()->GetString(**sent, &field));
    }
  }
  if (request.has_removals()) {
    const auto removals = Unpack(request.removals());
    for (int i = 0; i < (*removals)->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *(*removals)->GetDescriptor()->field(i);
      if (field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        Remove(field, **removals, **content);
      }
    }
  }
  if (request.has_additions()) (*content)->MergeFrom(**Unpack(request.additions()));
  (*record)->mutable_content()->PackFrom(**content);
  Commit(**record, request.context(), std::move(change));
  return **record;
}

absl::StatusOr<v1::Record> FakeNode::DeleteRecord(const v1::DeleteRecordRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  deletes.push_back(request);
  const absl::StatusOr<v1::Record*> record = Find(request.name());
  if (!record.ok()) return record.status();
  (*record)->set_deleted(true);
  v1::FieldChange change;
  change.set_field("deleted");
  change.set_action(v1::FieldChange::DELETE);
  Commit(**record, request.context(), std::move(change));
  return **record;
}

absl::StatusOr<v1::Record> FakeNode::UndeleteRecord(const v1::UndeleteRecordRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  undeletes.push_back(request);
  const absl::StatusOr<v1::Record*> record = Find(request.name());
  if (!record.ok()) return record.status();
  (*record)->set_deleted(false);
  v1::FieldChange change;
  change.set_field("deleted");
  change.set_action(v1::FieldChange::UNDELETE);
  Commit(**record, request.context(), std::move(change));
  return **record;
}

v1::UpsertResult FakeNode::Upsert(const std::string& kind, const google::protobuf::Any& content,
                                  bool validate_only, const v1::WriteContext& context) {
  v1::UpsertResult result;
  const auto message = Unpack(content);
  const std::string title = TitleOf(**message);
  if (std::count(refused_titles.begin(), refused_titles.end(), title) > 0) {
    result.set_outcome(v1::UpsertResult::REFUSED);
    result.set_error("refusé pour l'essai");
    result.set_error_field("siren");
    return result;
  }
  for (auto& [name, record] : records) {
    if (SplitName(name).first != kind) continue;
    const auto known = Unpack(record.content());
    if (!MessageDifferencer::Equals(**known, **message)) continue;
    result.set_outcome(v1::UpsertResult::UNCHANGED);
    result.set_name(name);
    return result;
  }
  result.set_outcome(v1::UpsertResult::CREATED);
  if (validate_only) return result;
  v1::CreateRecordRequest request;
  *request.mutable_record()->mutable_content() = content;
  *request.mutable_context() = context;
  result.set_name(CreateRecord(request)->name());
  return result;
}

absl::StatusOr<v1::BatchUpsertRecordsResponse> FakeNode::BatchUpsertRecords(
    const v1::BatchUpsertRecordsRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  batches.push_back(request);
  v1::BatchUpsertRecordsResponse response;
  for (const google::protobuf::Any& content : request.content()) {
    *response.add_results() =
        Upsert(request.kind(), content, request.validate_only(), request.context());
  }
  return response;
}

absl::Status FakeNode::WatchRecords(const v1::WatchRecordsRequest& request, absl::Time until,
                                    const EventHandler& handler) {
  watches.push_back(request);
  watch_ends.push_back(until);
  for (const v1::RecordEvent& event : events) {
    if (event.position() <= request.after()) continue;
    if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
    if (!handler(event)) return absl::OkStatus();
  }
  return NextFailure();
}

absl::StatusOr<v1::ListRecordChangesResponse> FakeNode::ListRecordChanges(
    const v1::ListRecordChangesRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  const std::deque<v1::RecordChange>& changes = history_[request.name()];
  size_t begin = 0;
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &begin)) {
    return absl::InvalidArgumentError("page_token");
  }
  v1::ListRecordChangesResponse response;
  size_t end = std::min(changes.size(), begin + static_cast<size_t>(max_page_size));
  for (size_t i = begin; i < end; ++i) *response.add_changes() = changes[i];
  if (end < changes.size()) response.set_next_page_token(absl::StrCat(end));
  return response;
}

absl::StatusOr<v1::ListConflictsResponse> FakeNode::ListConflicts(
    const v1::ListConflictsRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  v1::ListConflictsResponse response;
  size_t begin = 0;
  if (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &begin)) {
    return absl::InvalidArgumentError("page_token");
  }
  for (size_t i = begin; i < conflicts.size(); ++i) {
    if (response.conflicts_size() == max_page_size) {
      response.set_next_page_token(absl::StrCat(i));
      break;
    }
    *response.add_conflicts() = conflicts[i];
  }
  return response;
}

absl::StatusOr<v1::ListKindsResponse> FakeNode::ListKinds(const v1::ListKindsRequest&) {
  return v1::ListKindsResponse();
}

absl::Status FakeNode::Backup(const v1::BackupRequest& request,
                              const std::function<void(const v1::BackupProgress&)>& handler) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  v1::BackupProgress last;
  last.mutable_summary()->set_folder(request.folder());
  handler(last);
  return absl::OkStatus();
}

absl::Status FakeNode::Scrub(const v1::ScrubRequest&,
                             const std::function<void(const v1::ScrubProgress&)>& handler) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  // Twice, as a repair does.
  for (const uint64_t done : {1000, 4000, 1000}) {
    v1::ScrubProgress progress;
    progress.set_rows_done(done);
    progress.set_rows_total(4000);
    handler(progress);
  }
  v1::ScrubProgress last;
  *last.mutable_report() = scrub;
  handler(last);
  return absl::OkStatus();
}

absl::StatusOr<v1::RecordExplanation> FakeNode::ExplainRecord(const v1::ExplainRecordRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  v1::RecordExplanation told = explanation;
  told.set_name(request.name());
  return told;
}

absl::Status FakeNode::ExportBundle(const v1::ExportBundleRequest& request,
                                    const std::function<absl::Status(const v1::BundlePart&)>& handler) {
  bundle_calls.push_back(request);
  if (absl::Status handled = handler(bundle); !handled.ok()) return handled;
  return NextFailure();
}

absl::Status FakeNode::ImportBundle(const std::function<std::optional<v1::BundlePart>()>& next,
                                    const std::function<void(const v1::ImportBundleProgress&)>& handler) {
  for (auto part = next(); part.has_value(); part = next()) imported += part->data();
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  v1::ImportBundleProgress progress;
  progress.set_bytes_done(imported.size());
  *progress.mutable_summary() = bundle.summary();
  *progress.mutable_outcome() = bundle_outcome;
  handler(progress);
  return absl::OkStatus();
}

absl::StatusOr<v1::NodeStatus> FakeNode::GetStatus(const v1::GetStatusRequest&) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return status;
}

absl::StatusOr<v1::ListPeersResponse> FakeNode::ListPeers(const v1::ListPeersRequest&) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  v1::ListPeersResponse response;
  *response.mutable_peers() = status.peers();
  return response;
}

absl::StatusOr<v1::PeerStatus> FakeNode::PausePeer(const v1::PausePeerRequest& request) {
  peer_calls.push_back("pause " + request.peer());
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return peer;
}

absl::StatusOr<v1::PeerStatus> FakeNode::ResumePeer(const v1::ResumePeerRequest& request) {
  peer_calls.push_back("resume " + request.peer());
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return peer;
}

absl::StatusOr<v1::PeerStatus> FakeNode::SyncPeer(const v1::SyncPeerRequest& request) {
  peer_calls.push_back("sync " + request.peer());
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return peer;
}

absl::StatusOr<v1::ListAuditEntriesResponse> FakeNode::ListAuditEntries(const v1::ListAuditEntriesRequest&) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return audit;
}

absl::StatusOr<v1::ListQuarantinedResponse> FakeNode::ListQuarantined(const v1::ListQuarantinedRequest&) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return quarantine;
}

absl::StatusOr<v1::AdoptQuarantinedResponse> FakeNode::AdoptQuarantined(const v1::AdoptQuarantinedRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  adopted.push_back(request.person() + " " + request.id());
  v1::AdoptQuarantinedResponse response;
  response.mutable_record()->set_name("actor/018f3c1e-7a2b-7c3d-8e4f-0123456789ab");
  return response;
}

absl::StatusOr<v1::DropQuarantinedResponse> FakeNode::DropQuarantined(const v1::DropQuarantinedRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  dropped.push_back(request.id());
  return v1::DropQuarantinedResponse();
}

absl::StatusOr<v1::NoteExportResponse> FakeNode::NoteExport(const v1::NoteExportRequest& request) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  exports.push_back(request);
  return v1::NoteExportResponse();
}

absl::StatusOr<v1::ListMembersResponse> FakeNode::ListMembers(const v1::ListMembersRequest&) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return members;
}

absl::StatusOr<v1::ListSitesResponse> FakeNode::ListSites(const v1::ListSitesRequest&) {
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return sites;
}

absl::StatusOr<v1::SetSiteScopeResponse> FakeNode::SetSiteScope(const v1::SetSiteScopeRequest& request) {
  scope_calls.push_back(request);
  if (absl::Status failure = NextFailure(); !failure.ok()) return failure;
  return scope_change;
}

}  // namespace maillage::client::testing
