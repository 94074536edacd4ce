#include "tests/bench/disk_site.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/records.pb.h"
#include "replication/edit.h"
#include "replication/schema.h"
#include "replication/scope.h"
#include "server/identity.h"
#include "server/personal_keys.h"
#include "server/trust/network_file.h"
#include "storage/keys.h"
#include "tests/bench/corpus.h"
#include "tests/bench/pipe.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

using replication::Edit;
using replication::KindSchema;
using replication::RecordState;
using replication::Schema;
using storage::Table;

const KindSchema& ActorKind() {
  static const KindSchema& kind = *Schema::BuiltIn().FindKind("actor");
  return kind;
}

void Write(replication::Replica& replica, const RecordKey& record, const Edit& edit) {
  const RecordState before = Must(replica.State(record)).value_or(RecordState());
  const KindSchema& kind = *Schema::BuiltIn().FindKind(record.kind);
  const auto operations = Must(PlanEdit(kind, before, before.vector(), edit));
  if (operations.empty()) Die("an edit that changes nothing");
  Must(replica.Write({record, before.vector(), operations, "Awa", ""}));
}

replication::SigningKey IdentityIn(const std::string& folder) {
  std::filesystem::create_directories(folder);
  return Must(server::LoadOrCreateIdentity(folder));
}

}  // namespace

DiskSite::DiskSite(const std::string& folder) : key_(IdentityIn(folder)), id_(key_.site()) {
  storage::RocksStore::Opened opened = Must(storage::RocksStore::Open(folder + "/store"));
  if (!opened.continuity_proven) Die(opened.damage);
  store_ = std::make_unique<CountingStore>(std::move(opened.store));
  personal_keys_ = std::make_unique<replication::SubjectKeys>(Must(server::LoadOrCreatePersonalKeys(folder, *store_, random_)));
  sealed_ = std::make_unique<replication::SealedStore>(store_.get(), personal_keys_.get());
  replication::Replica::Options options{id_, &Schema::BuiltIn(), true};
  if (const auto network = server::ReadNetworkFile(folder); network.ok()) {
    options.network = *network;
    options.key = &key_;
  }
  replica_ = Must(replication::Replica::Open(sealed_.get(), &clock_, &random_, options));
}

std::vector<RecordKey> DiskSite::Actors() const {
  std::vector<RecordKey> actors;
  const auto range = storage::KeyRange::Prefix(storage::StatePrefix(ActorKind().number));
  auto cursor = store_->Scan(Table::kStates, range, storage::ScanOrder::kAscending);
  for (; cursor->Valid(); cursor->Next()) actors.push_back(*storage::ParseStateKey(cursor->key()));
  MustBeOk(cursor->status());
  return actors;
}

uint64_t DiskSite::StoredBytes() const {
  uint64_t bytes = 0;
  for (size_t table = 0; table < storage::kTableCount; ++table) {
    auto cursor = store_->Scan(static_cast<Table>(table), storage::KeyRange(),
                               storage::ScanOrder::kAscending);
    for (; cursor->Valid(); cursor->Next()) bytes += cursor->key().size() + cursor->value().size();
    MustBeOk(cursor->status());
  }
  return bytes;
}

Imported ImportActors(DiskSite& site, size_t count, const std::string& department) {
  static const Corpus corpus;
  server::MachineClock clock;
  server::MachineRandom random;
  Imported imported;
  for (size_t done = 0; done < count; done += kImportBatch) {
    std::vector<v1::Actor> batch;
    for (size_t i = done; i < std::min(count, done + kImportBatch); ++i) {
      batch.push_back(corpus.ActorAt(i));
      if (!department.empty()) batch.back().set_department(department);
      imported.message_bytes += batch.back().ByteSizeLong();
    }
    const Stopwatch watch;
    for (const v1::Actor& actor : batch) {
      Edit edit;
      edit.fields = SetFields(ActorKind(), actor);
      edit.content = &actor;
      Write(site.replica(), {ActorKind().number, site.replica().NewRecordId()}, edit);
    }
    MustBeOk(site.replica().Commit());
    imported.seconds += watch.Seconds();
  }
  return imported;
}

std::string EditedText(size_t round) {
  return absl::StrCat("Vérifié par téléphone, appel n° ", round);
}

void EditOneField(replication::Replica& replica, const RecordKey& record, size_t round) {
  v1::Actor content;
  content.set_internal_notes(EditedText(round));
  Edit edit;
  edit.fields = {ActorKind().FindField("internal_notes")};
  edit.content = &content;
  Write(replica, record, edit);
}

void MoveActor(replication::Replica& replica, const RecordKey& record, const std::string& department) {
  v1::Actor content;
  content.set_department(department);
  Edit edit;
  edit.fields = {ActorKind().FindField("department")};
  edit.content = &content;
  Write(replica, record, edit);
}

void AssignScope(replication::Replica& replica, const SiteId& site, const std::string& scope) {
  v1::Site content;
  content.set_scope(scope);
  Edit edit;
  edit.fields = {Schema::BuiltIn().FindKind("site")->FindField("scope")};
  edit.content = &content;
  Write(replica, {replication::kSiteKind, *RecordId::FromBytes(site.bytes())}, edit);
}

const std::string& ImportedSite() {
  static const std::string* const folder = [] {
    auto* path = new std::string(RunFolder() + "/imported");
    DiskSite site(*path);
    ImportActors(site, RunSizes().records);
    return path;
  }();
  return *folder;
}

const SitePair& SyncedSites() {
  static const SitePair* const pair = [] {
    auto* folders = new SitePair{RunFolder() + "/first", RunFolder() + "/second"};
    CopySite(ImportedSite(), folders->first);
    DiskSite first(folders->first);
    DiskSite second(folders->second);
    Synchronise(second, first, /*known=*/false);
    // An edit each way: both remember how far they had the other's feed.
    const std::vector<RecordKey> actors = first.Actors();
    EditOneField(first.replica(), actors.front(), 0);
    EditOneField(second.replica(), actors.back(), 0);
    MustBeOk(first.replica().Commit());
    MustBeOk(second.replica().Commit());
    Synchronise(second, first, /*known=*/true);
    return folders;
  }();
  return *pair;
}

void CopySite(const std::string& from, const std::string& to) {
  namespace fs = std::filesystem;
  fs::create_directories(to);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    const fs::path copy = to / fs::relative(entry.path(), from);
    if (entry.is_directory()) {
      fs::create_directories(copy);
    } else if (entry.path().extension() == ".sst") {
      fs::create_hard_link(entry.path(), copy);
    } else {
      fs::copy_file(entry.path(), copy);
    }
  }
}

}  // namespace maillage::bench
