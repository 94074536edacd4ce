#include "tests/replication/sync_harness.h"

#include <cstdlib>
#include <iostream>
#include <utility>

#include "replication/check.h"
#include "replication/record_reader.h"
#include "replication/renounce.h"
#include "storage/keys.h"

namespace maillage::replication::testing {
namespace {

void MustBeOk(const absl::Status& status) {
  if (!status.ok()) std::cerr << status << std::endl;
  MAILLAGE_CHECK(status.ok());
}

const KindSchema& KindOf(const google::protobuf::Message& message) {
  const KindSchema* kind =
      Schema::BuiltIn().FindKindOfMessage(message.GetDescriptor()->full_name());
  MAILLAGE_CHECK(kind != nullptr);
  return *kind;
}

}  // namespace

v1::Project ProjectLedBy(const RecordId& actor, const std::string& department) {
  v1::Project project;
  project.set_title("eau");
  project.mutable_lead()->set_actor(FormatUuid(actor));
  if (!department.empty()) project.add_departments(department);
  return project;
}

v1::Actor NamedActor(const std::string& name, const std::string& department) {
  v1::Actor actor;
  actor.set_name(name);
  actor.set_department(department);
  return actor;
}

TestSite::TestSite(std::string site_name, uint64_t seed, SteppedClock* clock)
    : name(std::move(site_name)), random(seed), clock_(clock) {
  uint8_t bytes[SiteId::kSize];
  random.Fill(bytes);
  id = *SiteId::FromBytes({reinterpret_cast<const char*>(bytes), sizeof(bytes)});
  Restart();
}

TestSite::TestSite(const TestSite& original, uint64_t seed)
    : name(original.name),
      id(original.id),
      store(original.store->Clone()),
      random(seed),
      network(original.network),
      key(original.key),
      clock_(original.clock_) {
  Restart();
}

std::unique_ptr<TestSite> TestSite::Clone(uint64_t seed) const {
  return std::unique_ptr<TestSite>(new TestSite(*this, seed));
}

void TestSite::Join(const v1::NetworkFile& told, const SigningKey& member_key) {
  id = member_key.site();
  store = std::make_unique<storage::MemoryStore>();
  network = told;
  key = &member_key;
  Restart();
}

void TestSite::Hear(const v1::SignedEntry& entry) {
  v1::MembershipLog log;
  *log.add_entry() = entry;
  MustBeOk(replica->AddMembership(log).status());
  MustBeOk(replica->Commit());
}

void TestSite::Restart(bool continuity_proven) {
  replica.reset();
  store->Reopen();
  storage::Store* const disk =
      damaged != nullptr ? static_cast<storage::Store*>(damaged.get()) : store.get();
  Replica::Options options{id, &Schema::BuiltIn(), continuity_proven};
  options.network = network;
  options.key = key;
  auto opened = Replica::Open(disk, clock_, &random, options);
  MustBeOk(opened.status());
  replica = *std::move(opened);
}

Dot TestSite::Write(const RecordKey& record, const Edit& edit, const KindSchema& kind,
                    const std::string& person, const VersionVector* seen) {
  auto state = replica->State(record);
  MustBeOk(state.status());
  const RecordState before = state->value_or(RecordState());
  const VersionVector context = seen == nullptr ? before.vector() : *seen;
  auto operations = PlanEdit(kind, before, context, edit);
  MustBeOk(operations.status());
  auto dot = replica->Write({record, context, *operations, person, ""});
  MustBeOk(dot.status());
  MustBeOk(replica->Commit());
  return *dot;
}

RecordId TestSite::Create(const google::protobuf::Message& content, const std::string& person) {
  const KindSchema& kind = KindOf(content);
  const RecordId record = replica->NewRecordId();
  Edit edit;
  edit.fields = SetFields(kind, content);
  edit.content = &content;
  Write({kind.number, record}, edit, kind, person, nullptr);
  return record;
}

Dot TestSite::Update(const RecordId& record, const google::protobuf::Message& content,
                     const std::vector<std::string>& fields, const std::string& person,
                     const VersionVector* seen) {
  const KindSchema& kind = KindOf(content);
  Edit edit;
  edit.content = &content;
  for (const std::string& field : fields) edit.fields.push_back(kind.FindField(field));
  return Write({kind.number, record}, edit, kind, person, seen);
}

void TestSite::Add(const RecordId& record, const google::protobuf::Message& additions,
                   const std::string& person) {
  const KindSchema& kind = KindOf(additions);
  Edit edit;
  edit.additions = &additions;
  Write({kind.number, record}, edit, kind, person, nullptr);
}

void TestSite::Remove(const RecordId& record, const google::protobuf::Message& removals,
                      const std::string& person) {
  const KindSchema& kind = KindOf(removals);
  Edit edit;
  edit.removals = &removals;
  Write({kind.number, record}, edit, kind, person, nullptr);
}

void TestSite::Delete(uint16_t kind, const RecordId& record, const std::string& person,
                      const VersionVector* seen) {
  const VersionVector context = seen == nullptr ? State(kind, record).vector() : *seen;
  MustBeOk(replica->Write({{kind, record}, context, {DeleteOperation(context)}, person, ""}).status());
  MustBeOk(replica->Commit());
}

RecordState TestSite::State(uint16_t kind, const RecordId& record) const {
  auto state = ReadState(*store, {kind, record});
  MustBeOk(state.status());
  return state->value_or(RecordState());
}

std::vector<std::string> TestSite::Feed() const {
  std::vector<std::string> changes;
  MustBeOk(ScanFeed(*store, 0, [&](uint64_t, FeedEntry entry) {
    if (entry.type == FeedEntry::Type::kChange) changes.push_back(std::move(entry.change));
    return true;
  }));
  return changes;
}

v1::Actor TestSite::Actor(const RecordId& record) const {
  const Schema& schema = Schema::BuiltIn();
  auto message = schema.ToMessage(*schema.FindKind("actor"), State(1, record));
  v1::Actor actor;
  actor.CopyFrom(*message);
  return actor;
}

Link::Link(TestSite* caller, TestSite* answerer, bool known)
    : caller_site_(caller), answerer_site_(answerer) {
  SyncSession::Options options;
  options.caller = true;
  options.name = caller->name;
  if (known) options.expected_peer = answerer->id;
  caller_session_ = std::make_unique<SyncSession>(caller->replica.get(), options);
  answerer_session_ = std::make_unique<SyncSession>(answerer->replica.get(),
                                                    SyncSession::Options{false, answerer->name, {}});
}

bool Link::Carry(TestSite& from, SyncSession& sender, TestSite& to, SyncSession& receiver,
                 bool from_caller) {
  v1::SyncFrame frame;
  auto next = sender.Next(&frame);
  MustBeOk(next.status());
  if (!*next) {
    // A closing or agreeing session may have left a note for the next commit.
    MustBeOk(from.replica->Commit());
    return false;
  }
  if (frames_left_.has_value()) {
    if (*frames_left_ == 0) return false;
    --*frames_left_;
  }
  if (on_frame) on_frame(from_caller, frame);
  ++carried_;
  v1::SyncFrame parsed;
  MAILLAGE_CHECK(parsed.ParseFromString(frame.SerializeAsString()));
  MustBeOk(receiver.Receive(parsed));
  MustBeOk(to.replica->Commit());
  return true;
}

bool Link::Step() {
  const bool there = Carry(*caller_site_, *caller_session_, *answerer_site_, *answerer_session_, true);
  const bool back = Carry(*answerer_site_, *answerer_session_, *caller_site_, *caller_session_, false);
  return there || back;
}

size_t Link::Run() {
  constexpr size_t kTooMany = 1'000'000;
  const size_t before = carried_;
  while (Step()) MAILLAGE_CHECK(carried_ < kTooMany);
  return carried_ - before;
}

size_t Link::RunUntilCut(size_t frames) {
  frames_left_ = frames;
  return Run();
}

uint64_t Link::bytes() const {
  return caller_session_->progress().bytes_sent + answerer_session_->progress().bytes_sent;
}

Dot PresentName(const storage::ReadView& store, const RecordKey& record, Dot dot) {
  const auto bytes = store.Get(storage::Table::kMeta, storage::RenouncedKey(record));
  MustBeOk(bytes.status());
  if (!bytes->has_value()) return dot;
  const std::vector<Renaming> renamings = DecodeRenamings(**bytes).value();
  for (const Renaming& renaming : renamings) dot = RenameDot(dot, {renaming});
  return dot;
}

}  // namespace maillage::replication::testing
