#include "replication/stub_talk.h"

#include <algorithm>
#include <string>

#include "replication/byte_codec.h"
#include "replication/stub.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

constexpr size_t kIdSize = RecordId::kSize;
constexpr size_t kStubsPerPage = 256;
// Shown or not: whoever asks for what they may not see doesn't hold up the others.
constexpr size_t kStubsPerFrame = 4096;

bool IsAsking(const v1::Stubs& frame) {
  return !frame.wanted().empty() || frame.ranges().roots() ||
         std::any_of(frame.ranges().range().begin(), frame.ranges().range().end(), IsQuestion);
}

}  // namespace

void StubTalk::SetShared(const Scope& shared) {
  if (shared == shared_) return;
  shared_ = shared;
  compared_.reset();
}

uint64_t StubTalk::Digest() const {
  if (replica_->stub_tree().Partitions(shared_).empty()) return 0;
  return ByteReader(replica_->stub_tree().Digest(shared_)).Fixed64();
}

uint64_t StubTalk::Tell() {
  told_version_ = replica_->stub_version();
  return told_ = Digest();
}

bool StubTalk::WantsToTell() {
  if (!Quiet() || told_version_ == replica_->stub_version()) return false;
  if (Digest() != told_) return true;
  told_version_ = replica_->stub_version();
  return false;
}

void StubTalk::Compare(uint64_t mine, uint64_t theirs) {
  const std::pair<uint64_t, uint64_t> both(mine, theirs);
  if (mine == theirs || !Quiet() || compared_ == both) return;
  compared_ = both;
  frames_.emplace_back();
  *frames_.back().mutable_ranges() = DescribeRoots(replica_->stub_tree(), shared_, replica_->random().Next64());
}

void StubTalk::Queue(const RecordId& id, bool reply) {
  if (ids_.size() >= kMaxAwaitedRecords || !queued_.insert(id).second) return;
  ids_.push_back({id, reply});
}

absl::Status StubTalk::OnStubs(const v1::Stubs& frame, bool accepting) {
  peer_sends_more_ = frame.more();
  if (frame.answer_ends()) {
    if (awaited_ == 0) return absl::InvalidArgumentError("stubs that answer no question");
    --awaited_;
  }
  for (const v1::StubBytes& shown : frame.stub()) {
    if (absl::Status status = OnShown(shown, accepting); !status.ok()) return status;
  }
  if (!frame.has_ranges() && frame.wanted().empty()) return absl::OkStatus();
  if (frame.wanted().size() % kIdSize != 0) return absl::InvalidArgumentError("ids that aren't 16 bytes");
  v1::Stubs question = frame;
  question.clear_stub();
  asked_memory_ += question.SpaceUsedLong();
  asked_.push_back(std::move(question));
  return asked_memory_ <= kMaxQuestionMemory
             ? absl::OkStatus()
             : absl::InvalidArgumentError("more questions about stubs than answers are read");
}

absl::Status StubTalk::OnShown(const v1::StubBytes& shown, bool accepting) {
  const auto id = RecordId::FromBytes(shown.id());
  if (!id.has_value()) return absl::InvalidArgumentError("a stub without a valid id");
  const absl::StatusOr<Stub> theirs = DecodeStub(shown.stub());
  if (!theirs.ok()) return theirs.status();
  if (accepting) {
    absl::StatusOr<bool> merged = replica_->MergeStub(*id, *theirs);
    // An index that can't be read is for a repair.
    if (!merged.ok() && !absl::IsDataLoss(merged.status())) return merged.status();
    received_ += merged.value_or(false) ? 1 : 0;
  } else {
    left_aside_ = true;
  }
  if (shown.reply()) return absl::OkStatus();
  absl::StatusOr<std::optional<Stub>> mine = replica_->FindShown(*id);
  if (!mine.ok()) return mine.status();
  const bool differs = mine->has_value() && StubFingerprint(*id, **mine) != StubFingerprint(*id, *theirs);
  if (differs) Queue(*id, /*reply=*/true);
  return absl::OkStatus();
}

absl::StatusOr<bool> StubTalk::MayShow(const RecordId& id) const {
  absl::StatusOr<std::set<storage::PartitionKey>> referrers = ReferredFrom(replica_->store(), id);
  if (absl::IsDataLoss(referrers.status())) return false;
  if (!referrers.ok()) return referrers.status();
  return std::any_of(referrers->begin(), referrers->end(),
                     [&](const storage::PartitionKey& partition) { return shared_.Holds(partition); });
}

absl::Status StubTalk::AnswerRanges(const v1::Ranges& ranges) {
  RangeOutcome outcome;
  absl::Status status = Reconcile(replica_->stub_tree(), replica_->store(), shared_, ranges, outcome);
  if (!status.ok()) return status;
  for (const RecordKey& stub : outcome.different) Queue(stub.id, /*reply=*/false);
  for (const RecordKey& stub : outcome.missing_there) Queue(stub.id, /*reply=*/true);
  for (const WholeRange& range : outcome.whole_ranges_missing_there) ranges_.push_back({range, std::nullopt});
  v1::Stubs answer;
  answer.mutable_ranges()->set_salt(ranges.salt());
  for (v1::Range& range : outcome.answers) {
    if (static_cast<size_t>(answer.ranges().range_size()) == kRangesPerFrame) {
      frames_.push_back(answer);
      answer.mutable_ranges()->clear_range();
    }
    *answer.mutable_ranges()->add_range() = std::move(range);
  }
  for (const RecordKey& stub : outcome.missing_here) answer.mutable_wanted()->append(stub.id.bytes());
  if (answer.ranges().range_size() == 0) answer.clear_ranges();
  if (answer.ByteSizeLong() > 0) frames_.push_back(std::move(answer));
  return absl::OkStatus();
}

absl::Status StubTalk::Answer(const v1::Stubs& question) {
  ending_ = IsAsking(question);
  for (size_t at = 0; at < question.wanted().size(); at += kIdSize) {
    Queue(*RecordId::FromBytes(std::string_view(question.wanted()).substr(at, kIdSize)), /*reply=*/true);
  }
  return question.has_ranges() ? AnswerRanges(question.ranges()) : absl::OkStatus();
}

absl::Status StubTalk::ExpandRange() {
  WholeStubRange& next = ranges_.front();
  absl::StatusOr<std::vector<LeafEntry>> page = replica_->stub_tree().Leaves(
      replica_->store(), next.range.partition, next.range.prefix, next.after, kStubsPerPage);
  if (!page.ok()) return page.status();
  for (const LeafEntry& entry : *page) Queue(entry.id, /*reply=*/true);
  if (page->size() < kStubsPerPage) {
    ranges_.pop_front();
  } else {
    next.after = page->back();
  }
  return absl::OkStatus();
}

absl::Status StubTalk::FillShown(v1::Stubs* stubs) {
  size_t bytes = 0;
  for (size_t looked_at = 0; bytes < kFrameBytes && looked_at < kStubsPerFrame; ++looked_at) {
    while (ids_.empty() && !ranges_.empty()) {
      if (absl::Status status = ExpandRange(); !status.ok()) return status;
    }
    if (ids_.empty()) return absl::OkStatus();
    const Shown shown = ids_.front();
    ids_.pop_front();
    queued_.erase(shown.id);
    absl::StatusOr<bool> may_show = MayShow(shown.id);
    if (!may_show.ok()) return may_show.status();
    absl::StatusOr<std::optional<Stub>> stub = replica_->FindShown(shown.id);
    if (!stub.ok()) return stub.status();
    if (!*may_show || !stub->has_value()) continue;
    std::string encoded = EncodeStub(**stub);
    if (encoded.size() > kMaxStateBytes) continue;
    v1::StubBytes* entry = stubs->add_stub();
    entry->set_id(std::string(shown.id.bytes()));
    entry->set_stub(std::move(encoded));
    entry->set_reply(shown.reply);
    bytes += entry->ByteSizeLong();
    ++sent_;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> StubTalk::Fill(v1::SyncFrame* frame) {
  while (sending()) {
    v1::Stubs* stubs = frame->mutable_stubs();
    if (!frames_.empty()) {
      *stubs = std::move(frames_.front());
      frames_.pop_front();
      awaited_ += IsAsking(*stubs) ? 1 : 0;
    } else if (!ids_.empty() || !ranges_.empty()) {
      if (absl::Status status = FillShown(stubs); !status.ok()) return status;
    } else if (!ending_) {
      const v1::Stubs question = std::move(asked_.front());
      asked_.pop_front();
      asked_memory_ -= std::min(asked_memory_, question.SpaceUsedLong());
      if (absl::Status status = Answer(question); !status.ok()) return status;
      continue;
    }
    const bool more = !frames_.empty() || !ids_.empty() || !ranges_.empty();
    if (!more && std::exchange(ending_, false)) stubs->set_answer_ends(true);
    if (stubs->ByteSizeLong() == 0 && !more) continue;
    told_more_ = sending();
    stubs->set_more(told_more_);
    return true;
  }
  frame->Clear();
  // What was to follow turned out to be nothing.
  if (!std::exchange(told_more_, false)) return false;
  frame->mutable_stubs();
  return true;
}

}  // namespace maillage::replication
