// Stores on disk with one damaged file of any kind: salvaged, they open, are whole after an exchange with a peer, and have
// lost nothing that was written here and never sent.
#include "server/salvage.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "replication/edit.h"
#include "replication/record_reader.h"
#include "replication/scrub.h"
#include "server/identity.h"
#include "storage/rocks_store.h"
#include "tests/replication/sync_harness.h"
#include "tests/storage/temporary_folder.h"
#include "tests/support/seed.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;
using replication::Schema;
using replication::VersionVector;
using replication::testing::DamagedStore;
using replication::testing::Link;
using replication::testing::SeededRandom;
using replication::testing::SteppedClock;
using replication::testing::TestSite;

constexpr uint16_t kActor = 1;
constexpr int kRecords = 120;

bool GoOn(uint64_t) { return true; }

// One site on disk, its twin in memory, and what was written.
class Disaster {
 public:
  explicit Disaster(uint64_t seed, bool in_log_alone = false) : seed_(seed), random_(seed), lyon_("lyon", seed + 1, &clock_), savoie_("savoie", seed + 2, &clock_) {
    fs::create_directory(data_);
    const auto site = LoadOrCreateIdentity(data_);
    EXPECT_TRUE(site.ok()) << site.status();
    savoie_.id = site->site();
    Open();
    for (int i = 0; i < kRecords; ++i) ids_.push_back(lyon_.Create(Content()));
    Exchange();
    for (int i = 0; i < kRecords; i += 3) Edit(savoie_, ids_[i]);
    Exchange();
    // Never sent.
    for (int i = 0; i < kRecords; i += 4) Edit(savoie_, ids_[i]);
    Close();
    if (in_log_alone) return;
    // What the log held is in sorted files from here on.
    Open();
    Close();
  }

  // The file that was damaged, and how.
  std::string Damage() {
    const fs::path store = data_ / "store";
    const uint64_t how = random_.Below(8);
    if (how == 0) {
      fs::remove(store / "CURRENT");
      return "without CURRENT";
    }
    const std::string ending = how == 1 ? "" : ".sst";
    std::vector<std::string> files;
    for (const std::string& file : storage::FilesEndingIn(store.string(), ending)) {
      const bool manifest = fs::path(file).filename().string().rfind("MANIFEST", 0) == 0;
      if (how != 1 || manifest) files.push_back(file);
    }
    const std::string file = files.at(random_.Below(files.size()));
    if (how == 2) {
      fs::remove(file);
      return absl::StrCat("without ", file);
    }
    std::string bytes = storage::ReadFile(file);
    for (uint64_t flips = 1 + random_.Below(8); flips > 0; --flips) {
      bytes[random_.Below(bytes.size())] ^= static_cast<char>(1 << random_.Below(8));
    }
    storage::WriteFile(file, bytes);
    return absl::StrCat("flipped ", file);
  }

  void ExpectSalvaged(const std::string& damage) {
    SCOPED_TRACE(absl::StrCat("seed ", seed_, ", ", damage));
    const auto report = Salvage(data_, GoOn);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->repair.after.damaged(), 0u);
    EXPECT_TRUE(fs::exists(data_ / report->kept / "LOCK"));
    EXPECT_FALSE(fs::exists(data_ / "salvage-in-progress"));
    waited_ += report->repair.after.waiting;
    rebuilt_ += report->repair.done.rebuilt;
    Open();
    if (savoie_.replica == nullptr) return;
    Exchange();
    Exchange();
    EXPECT_EQ(lyon_.Digest(), savoie_.Digest());
    EXPECT_TRUE(savoie_.replica->lost().empty());
    for (const auto& [id, dot] : dots_) {
      const replication::Dot name = replication::testing::PresentName(*disk_, {kActor, id}, dot);
      EXPECT_TRUE(lyon_.State(kActor, id).vector().Covers(name)) << "lost " << replication::FormatDot(dot);
    }
    for (const auto& id : ids_) Edit(savoie_, id);
    Exchange();
    EXPECT_EQ(lyon_.Digest(), savoie_.Digest());
    const auto scrub = replication::Scrub(*disk_, &Schema::BuiltIn(), GoOn);
    ASSERT_TRUE(scrub.ok());
    EXPECT_EQ(scrub->damaged(), 0u) << scrub->findings[0].what;
  }

  void Close() {
    savoie_.replica.reset();
    savoie_.damaged.reset();
    disk_.reset();
  }
  const fs::path& data() const { return data_; }
  uint64_t waited() const { return waited_; }
  uint64_t rebuilt() const { return rebuilt_; }

 private:
  void Open() {
    auto opened = storage::RocksStore::Open((data_ / "store").string());
    ASSERT_TRUE(opened.ok()) << opened.status();
    disk_ = std::move(opened->store);
    savoie_.damaged = std::make_unique<DamagedStore>(disk_.get());
    savoie_.Restart(opened->continuity_proven);
    ASSERT_TRUE(opened->continuity_proven || disk_->SettleContinuity().ok());
  }
  v1::Actor Content() {
    v1::Actor actor;
    actor.set_name(absl::StrCat("Association ", random_.Below(1'000'000)));
    actor.add_departments("73");
    std::string text;
    for (int i = 0; i < 400; ++i) text.push_back(static_cast<char>('!' + random_.Below(90)));
    actor.set_description(text);
    return actor;
  }
  void Edit(TestSite& site, const RecordId& id) {
    const auto before = replication::ReadState(*disk_, {kActor, id});
    ASSERT_TRUE(before.ok() && before->has_value()) << before.status();
    const Schema& schema = Schema::BuiltIn();
    const auto* kind = schema.FindKind("actor");
    const v1::Actor content = Content();
    replication::Edit edit;
    edit.content = &content;
    edit.fields = {kind->FindField("name")};
    const VersionVector context = (*before)->vector();
    auto operations = PlanEdit(*kind, **before, context, edit);
    ASSERT_TRUE(operations.ok()) << operations.status();
    const auto dot = site.replica->Write({{kActor, id}, context, *operations, "Awa", ""});
    ASSERT_TRUE(dot.ok()) << dot.status();
    ASSERT_TRUE(site.replica->Commit().ok());
    EXPECT_TRUE(dots_.insert({id, *dot}).second) << "a dot was used twice";
  }
  void Exchange() {
    Link link(&savoie_, &lyon_);
    for (int second = 0; second < 3; ++second) {
      link.Run();
      clock_.millis += 2'000;
    }
  }

  const uint64_t seed_;
  SteppedClock clock_;
  SeededRandom random_;
  storage::TemporaryFolder folder_;
  const fs::path data_ = folder_.In("data");
  TestSite lyon_;
  TestSite savoie_;
  std::unique_ptr<storage::RocksStore> disk_;
  std::vector<RecordId> ids_;
  std::set<std::pair<RecordId, replication::Dot>> dots_;
  uint64_t waited_ = 0;
  uint64_t rebuilt_ = 0;
};

TEST(SalvageTest, OneDamagedFileOfAnyKindLosesNothing) {
  const uint64_t first = maillage::testing::TestSeed();
  uint64_t waited = 0;
  uint64_t rebuilt = 0;
  const uint64_t rounds = maillage::testing::TestRounds(40);
  for (uint64_t i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
    Disaster disaster(first + i);
    const std::string damage = disaster.Damage();
    disaster.ExpectSalvaged(damage);
    disaster.Close();
    waited += disaster.waited();
    rebuilt += disaster.rebuilt();
  }
  std::cout << "figure: damaged stores salvaged " << rounds << ", records rebuilt from their history " << rebuilt
            << ", fetched from the peer " << waited << ", edits lost " << (::testing::Test::HasFailure() ? "SOME" : "0")
            << std::endl;
}

TEST(SalvageTest, AYoungStoreHasNothingButItsLog) {
  for (const bool without_current : {true, false}) {
    Disaster disaster(maillage::testing::TestSeed(), /*in_log_alone=*/true);
    const fs::path store = disaster.data() / "store";
    ASSERT_TRUE(storage::FilesEndingIn(store.string(), ".sst").empty());
    for (const auto& entry : fs::directory_iterator(store)) {
      const bool manifest = entry.path().filename().string().rfind("MANIFEST", 0) == 0;
      if (!without_current && manifest) storage::FlipBit(entry.path().string(), fs::file_size(entry.path()) / 2);
    }
    if (without_current) fs::remove(store / "CURRENT");
    disaster.ExpectSalvaged("in the log alone");
    disaster.Close();
  }
}

TEST(SalvageTest, ACrashLeavesTheOneStoreOrTheOther) {
  Disaster disaster(maillage::testing::TestSeed());
  const fs::path& data = disaster.data();
  // Before the damaged store was moved away: it stays, and what was made of it goes.
  fs::create_directory(data / "salvaged-store");
  fs::create_directories(data / "salvage-in-progress" / "store");
  ASSERT_TRUE(CompleteSalvage(data).ok());
  EXPECT_TRUE(fs::exists(data / "store" / "CURRENT"));
  ASSERT_TRUE(RemoveSalvageRemains(data).ok());
  EXPECT_FALSE(fs::exists(data / "salvaged-store"));
  EXPECT_FALSE(fs::exists(data / "salvage-in-progress"));
  // Between the two moves.
  fs::rename(data / "store", data / "salvaged-store");
  fs::create_directory(data / "damaged-store-1");
  ASSERT_TRUE(CompleteSalvage(data).ok());
  EXPECT_TRUE(fs::exists(data / "store" / "CURRENT"));
  EXPECT_FALSE(fs::exists(data / "salvaged-store"));
  // The next one keeps its damaged store beside.
  const auto report = Salvage(data, GoOn);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->kept, "damaged-store-2");
}

TEST(SalvageTest, RefusesAStoreThatIsOpenAndAFolderThatIsNone) {
  Disaster disaster(maillage::testing::TestSeed());
  const auto opened = storage::RocksStore::Open((disaster.data() / "store").string());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(Salvage(disaster.data(), GoOn).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Salvage(disaster.data() / "nowhere", GoOn).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(disaster.data() / "damaged-store-1"));
}

}  // namespace
}  // namespace maillage::server
