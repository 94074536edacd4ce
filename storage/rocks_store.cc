#include "storage/rocks_store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/transaction_log.h"
#include "rocksdb/utilities/checkpoint.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks_store_background.h"
#include "storage/rocks_store_folder.h"
#include "storage/rocks_store_log.h"
#include "storage/rocks_store_note.h"
#include "storage/rocks_store_options.h"
#include "storage/rocks_store_salvage.h"
#include "storage/rocks_store_sorted_file.h"

namespace maillage::storage {
namespace {

// The only size of checksum that RocksDB has for a batch on its way from here to the log and the
// memory table.
constexpr size_t kBatchChecksumBytesPerKey = 8;
// RocksDB makes a checkpoint in its own temporary folder beside this one.
constexpr char kPartialSuffix[] = ".partial";

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

absl::Status CannotOpen(const rocksdb::Status& status, const std::string& path) {
  const std::string detail = status.ToString();
  // RocksDB has no code of its own for these.
  if (absl::StrContains(detail, "lock hold by current process") ||
      absl::StrContains(detail, "While lock file")) {
    return absl::FailedPreconditionError(
        absl::StrCat("Le dossier « ", path,
                     " » est déjà ouvert par un autre nœud : arrêtez-le, ou donnez à celui-ci un "
                     "autre dossier."));
  }
  if (absl::StrContains(detail, "Column families not opened")) {
    return absl::FailedPreconditionError(absl::StrCat(
        "Le dossier « ", path, " » a été écrit par une version plus récente de Maillage (", detail,
        ") : installez cette version, ou restaurez une sauvegarde faite avant elle."));
  }
  if (status.IsIOError() && !status.IsNoSpace() && !status.IsPathNotFound()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "Le dossier « ", path, " » ne peut pas être ouvert (", detail,
        ") : vérifiez que le nœud a le droit d'y lire et d'y écrire, et que le disque n'est pas en "
        "lecture seule."));
  }
  return rocks::ToStatus(status, absl::StrCat("Ouverture de la base « ", path, " »"));
}

// Held by nobody else while a folder is examined; RocksDB's own lock, which it takes again when it opens.
class FolderLock {
 public:
  FolderLock(rocksdb::Env* env, const std::string& folder)
      : env_(env), status_(env->LockFile(rocks::In(folder, "LOCK"), &lock_)) {}
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (status_.ok()) env_->UnlockFile(lock_);
  }
  const rocksdb::Status& status() const { return status_; }

 private:
  rocksdb::Env* const env_;
  rocksdb::FileLock* lock_ = nullptr;
  const rocksdb::Status status_;
};

}  // namespace

class RocksStore::View final : public ReadView {
 public:
  explicit View(const RocksStore& store) : store_(store) {
    store_.gate_.Enter();
    if (store_.db_ != nullptr) snapshot_ = store_.db_->GetSnapshot();
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() override {
    if (snapshot_ != nullptr) store_.db_->ReleaseSnapshot(snapshot_);
    store_.gate_.Leave();
  }

  absl::StatusOr<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return snapshot_ == nullptr ? store_.Closed() : store_.GetAt(snapshot_, table, key);
  }
  std::unique_ptr<Cursor> Scan(Table table, const KeyRange& range, ScanOrder order) const override {
    store_.gate_.EnterFromInside();
    return store_.ScanAt(snapshot_, table, range, order);
  }

 private:
  const RocksStore& store_;
  // Null where the database is closed.
  const rocksdb::Snapshot* snapshot_ = nullptr;
};

// Made by someone who entered the gate for it; its end leaves.
class RocksStore::RowCursor final : public Cursor {
 public:
  RowCursor(const RocksStore& store, const rocksdb::Snapshot* snapshot, Table table, KeyRange range,
            ScanOrder order)
      : store_(store),
        table_(table),
        range_(std::move(range)),
        lower_(ToSlice(range_.begin)),
        upper_(ToSlice(range_.end)),
        order_(order) {
    store_.open_cursors_.fetch_add(1, std::memory_order_relaxed);
    if (store_.db_ == nullptr) return;
    read_ = rocks::CheckedReads(snapshot);
    if (!range_.begin.empty()) read_.iterate_lower_bound = &lower_;
    if (!range_.end.empty()) read_.iterate_upper_bound = &upper_;
    rows_ = MakeRows();
    order_ == ScanOrder::kAscending ? rows_->SeekToFirst() : rows_->SeekToLast();
  }
  RowCursor(const RowCursor&) = delete;
  RowCursor& operator=(const RowCursor&) = delete;
  ~RowCursor() override {
    rows_.reset();
    store_.open_cursors_.fetch_sub(1, std::memory_order_release);
    store_.gate_.Leave();
  }

  bool Valid() const override { return rows_ != nullptr && rows_->Valid(); }
  void Next() override {
    if (order_ == ScanOrder::kDescending) return rows_->Prev();
    passed_.assign(rows_->key().data(), rows_->key().size());
    rows_->Next();
  }
  std::string_view key() const override { return ToView(rows_->key()); }
  std::string_view value() const override { return ToView(rows_->value()); }
  absl::Status status() const override {
    if (rows_ == nullptr) return store_.Closed();
    if (rows_->status().ok()) return absl::OkStatus();
    return rocks::ToStatus(rows_->status(),
                           absl::StrCat("Parcours de la table ", std::string(TableName(table_)),
                                        " dans « ", store_.path_, " »"));
  }
  bool SkipDamage() override {
    if (rows_ == nullptr || order_ == ScanOrder::kDescending || !rows_->status().IsCorruption())
      return false;
    const std::string from = passed_.empty() ? range_.begin : passed_ + '\0';
    auto beyond = rocks::SeekBeyondDamage(*store_.db_, store_.column_family(table_), from,
                                          [this] { return MakeRows(); });
    if (beyond == nullptr) return false;
    rows_ = std::move(beyond);
    return true;
  }

 private:
  std::unique_ptr<rocksdb::Iterator> MakeRows() const {
    return std::unique_ptr<rocksdb::Iterator>(
        store_.db_->NewIterator(read_, store_.column_family(table_)));
  }

  const RocksStore& store_;
  const Table table_;
  const KeyRange range_;
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  const ScanOrder order_;
  // The last row that was left; empty at the first.
  std::string passed_;
  rocksdb::ReadOptions read_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

RocksStore::RocksStore(std::string path, const RocksOptions& options)
    : path_(std::move(path)),
      options_(options),
      env_(options.env != nullptr ? options.env : rocksdb::Env::Default()),
      continuity_(std::make_shared<rocks::Continuity>(env_, path_)) {}

bool RocksStore::CloseDatabase() {
  if (db_ == nullptr) return true;
  if (open_cursors_.load(std::memory_order_acquire) != 0) return false;
  for (rocksdb::ColumnFamilyHandle* family : column_families_) {
    db_->DestroyColumnFamilyHandle(family);
  }
  db_->DestroyColumnFamilyHandle(default_column_family_);
  // Only a snapshot aborts it. Any other error is of a disk that has failed before, and is told by the next opening.
  if (db_->Close().IsAborted()) return false;
  db_.reset();
  return true;
}

RocksStore::~RocksStore() {
  NoteStop();
  if (CloseDatabase()) return;
  std::fputs("RocksStore: a view or a cursor outlives its store\n", stderr);
  std::abort();
}

void RocksStore::Adopt(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles) {
  db_.reset(db);
  std::copy_n(handles.begin(), kTableCount, column_families_.begin());
  default_column_family_ = handles.back();
}

void RocksStore::NoteStop() {
  if (db_ == nullptr || !StillWriting().ok()) return;
  rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
  // Clears away what is no longer needed, which closing would otherwise do after the note; nothing where RocksDB keeps
  // its files since a manifest's write failed.
  if (!db_->DisableFileDeletions().ok() || !db_->EnableFileDeletions(/*force=*/false).ok()) return;
  std::vector<rocks::FileLength> logs;
  rocksdb::VectorLogPtr files;
  if (!db_->GetSortedWalFiles(files).ok()) return;
  for (const auto& file : files) logs.push_back({file->PathName().substr(1), file->SizeFileBytes()});
  // Without it the next opening finds what a killed process leaves.
  continuity_->Stop(*db_, logs).IgnoreError();
}

rocksdb::Status RocksStore::OpenDatabase(const std::vector<rocks::LogDamage>& known, bool refuse_other_damage) {
  const auto mode = refuse_other_damage ? rocksdb::WALRecoveryMode::kAbsoluteConsistency
                                        : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions database = rocks::DatabaseOptions(options_, env_, mode);
  database.track_and_verify_wals_in_manifest =
      std::none_of(known.begin(), known.end(), [](const auto& damage) { return damage.told_by_manifest; });
  log_reading_ = std::make_unique<rocks::GaplessLogs>(known);
  database.wal_filter = log_reading_.get();
  compactions_ = std::make_shared<rocks::CompactionGuard>();
  compactions_stopped_ = false;
  flushes_ = std::make_unique<rocks::FlushPacer>(options_.write_buffer_bytes);
  database.listeners = {std::make_shared<rocks::FlushNoter>(continuity_), compactions_,
                        std::make_shared<rocks::NoResumption>()};
  rocksdb::Status opened = rocksdb::DB::Open(database, path_, rocks::Families(options_), &handles, &db);
  if (opened.ok()) Adopt(db, handles);
  return opened;
}

rocksdb::Status RocksStore::OpenDatabaseToRescue() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::Status opened =
      rocksdb::DB::OpenForReadOnly(rocks::RescueOptions(options_, env_), path_, rocks::Families(options_), &handles, &db);
  if (opened.ok()) Adopt(db, handles);
  return opened;
}

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::OpenToRescue(const std::string& path,
                                                                     const RocksOptions& options) {
  std::unique_ptr<RocksStore> store(new RocksStore(path, options));
  if (absl::Status whole = rocks::CheckSortedFiles(store->env_, path); !whole.ok()) return whole;
  const rocksdb::Status opened = store->OpenDatabaseToRescue();
  if (!opened.ok()) return CannotOpen(opened, path);
  return store;
}

absl::Status RocksStore::MakeManifest(const std::string& path, const RocksOptions& options) {
  rocksdb::Env* const env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  const std::string doing = absl::StrCat("Reconstruction de l'inventaire de « ", path, " »");
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = rocks::Families(options);
  rocksdb::DBOptions made = rocks::RescueOptions(options, env);
  const auto sorted_files = rocks::HasSortedFiles(env, path);
  if (!sorted_files.ok()) return sorted_files.status();
  if (*sorted_files) {
    if (const auto repaired = rocksdb::RepairDB(path, made, families); !repaired.ok()) {
      return rocks::ToStatus(repaired, doing);
    }
  } else {
    // RepairDB knows tables from sorted files alone. A new database numbers them as every store does, and its log is
    // replaced by the damaged one's.
    made.create_if_missing = true;
  }
  made.create_missing_column_families = true;
  const auto open_once = [&] {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(made, path, families, &handles, &db);
    if (!opened.ok()) return rocks::ToStatus(opened, doing);
    for (rocksdb::ColumnFamilyHandle* family : handles) db->DestroyColumnFamilyHandle(family);
    delete db;
    return absl::OkStatus();
  };
  return *sorted_files ? open_once() : rocks::WithLogsAside(env, path, open_once);
}

absl::Status RocksStore::OpenUpToDamage(const rocks::LogDamage& damage) {
  const std::optional<std::string> doubted_before = continuity_->doubt();
  const absl::StatusOr<std::string> kept = KeepDamagedLogs(damage);
  if (!kept.ok()) return kept.status();
  std::vector<rocks::LogDamage> known = {damage};
  rocksdb::Status opened = OpenDatabase(known, /*refuse_other_damage=*/damage.told_by_manifest);
  const bool harmless = opened.ok() && IsHarmless(damage);
  if (opened.IsCorruption()) {
    known.push_back(rocks::DamageToldByRocksDb(opened));
    opened = OpenDatabase(known, /*refuse_other_damage=*/false);
  }
  // The logs are untouched, and a copy at each attempt would fill the disk.
  if (!opened.ok() || harmless) rocks::RemoveFolder(env_, *kept).IgnoreError();
  if (!harmless) return ToStatus(opened);
  return doubted_before.has_value() ? continuity_->Doubt(*doubted_before) : continuity_->Settle();
}

bool RocksStore::IsHarmless(const rocks::LogDamage& damage) const {
  if (!damage.told_by_manifest || !log_reading_->IsObsolete(damage.log)) return false;
  // RocksDB tells of the first log alone that it misses. What follows on what was noted lacks none.
  const std::optional<uint64_t> first = log_reading_->first();
  return !first.has_value() || *first <= continuity_->note().sequence + 1;
}

absl::StatusOr<std::string> RocksStore::KeepDamagedLogs(const rocks::LogDamage& damage) {
  const FolderLock lock(env_, path_);
  if (!lock.status().ok()) return ToStatus(lock.status());
  absl::StatusOr<std::string> kept = rocks::KeepLogs(env_, path_);
  if (!kept.ok()) return kept;
  // Before the recovery, which leaves a log that looks as if nothing had happened.
  absl::Status status = continuity_->Doubt(absl::StrCat(
      "Le journal de la base était endommagé (", damage.what,
      ") : ce qui suivait le dommage n'a pas pu être relu. Les journaux d'origine sont "
      "gardés dans « ",
      *kept, " »."));
  if (status.ok()) status = continuity_->Start();
  if (status.ok()) return kept;
  rocks::RemoveFolder(env_, *kept).IgnoreError();
  return status;
}

absl::StatusOr<RocksStore::Opened> RocksStore::Open(const std::string& path,
                                                    const RocksOptions& options) {
  Opened opened;
  opened.store.reset(new RocksStore(path, options));
  if (absl::Status status = opened.store->OpenInPlace(); !status.ok()) return status;
  const std::optional<std::string> doubt = opened.store->continuity_->doubt();
  opened.continuity_proven = !doubt.has_value();
  opened.damage = doubt.value_or("");
  return opened;
}

absl::Status RocksStore::ToStatus(const rocksdb::Status& opened) const {
  return opened.ok() ? absl::OkStatus() : CannotOpen(opened, path_);
}

absl::Status RocksStore::OpenInPlace() {
  absl::Status opened = OpenExamined();
  if (opened.ok()) opened = CompareWithNote();
  // Only what is noted counts as open.
  if (!opened.ok()) CloseDatabase();
  return opened;
}

absl::Status RocksStore::OpenExamined() {
  const absl::StatusOr<bool> database = rocks::PrepareFolder(env_, path_);
  if (!database.ok()) return database.status();
  const auto damage = Examine(*database);
  if (!damage.ok()) return damage.status();
  if (damage->has_value()) return OpenUpToDamage(**damage);
  const rocksdb::Status status = OpenDatabase({}, /*refuse_other_damage=*/true);
  if (!status.IsCorruption()) return ToStatus(status);
  return OpenUpToDamage(rocks::DamageToldByRocksDb(status));
}

absl::StatusOr<std::optional<rocks::LogDamage>> RocksStore::Examine(bool database) {
  const FolderLock lock(env_, path_);
  if (!lock.status().ok()) return ToStatus(lock.status());
  if (absl::Status loaded = continuity_->Load(!database); !loaded.ok()) return loaded;
  absl::Status whole = rocks::CheckManifest(env_, path_, continuity_->note());
  if (whole.ok()) whole = rocks::CheckSortedFiles(env_, path_);
  if (!whole.ok()) return whole;
  if (!database) return std::nullopt;
  const absl::StatusOr<bool> lacks_log = rocks::LacksLog(env_, path_);
  if (!lacks_log.ok()) return lacks_log.status();
  // A copy made by Checkpoint has no log either; the doubt that it comes with stays as it is.
  if (*lacks_log && !continuity_->doubt().has_value()) {
    absl::Status noted =
        continuity_->Doubt("Le journal de la base a disparu, et ce qu'il contenait avec lui.");
    if (!noted.ok()) return noted;
  }
  if (!*lacks_log) {
    auto damage = rocks::FindLogDamage(env_, path_, continuity_->note());
    if (!damage.ok() || damage->has_value()) return damage;
  }
  if (absl::Status started = continuity_->Start(); !started.ok()) return started;
  return std::nullopt;
}

absl::Status RocksStore::CompareWithNote() {
  // The manifest may have taken a later number down than the logs hold.
  const uint64_t last = log_reading_->last().value_or(db_->GetLatestSequenceNumber());
  const uint64_t noted = continuity_->note().sequence;
  if (last < noted && !continuity_->doubt().has_value()) {
    absl::Status doubted = continuity_->Doubt(absl::StrCat(
        "Des écritures confirmées manquent : la base s'arrête au numéro ", last,
        ", alors qu'elle avait noté le numéro ", noted, "."));
    if (!doubted.ok()) return doubted;
  }
  return continuity_->Hold(*db_);
}

absl::StatusOr<std::string> RocksStore::Reopen(std::chrono::milliseconds patience) {
  // Noted before anything else: StopWriting may have met a disk that took nothing.
  std::optional<std::string> doubt = continuity_->doubt();
  if (!doubt.has_value()) {
    doubt = "Une écriture a échoué, et la base a été rouverte sans redémarrage.";
    if (absl::Status noted = continuity_->Doubt(*doubt); !noted.ok()) return noted;
  }
  if (!gate_.Close(patience)) {
    return absl::DeadlineExceededError(absl::StrCat(
        "La base « ", path_, " » n'a pas pu être rouverte : des lectures durent encore."));
  }
  absl::Status opened = absl::InternalError("a snapshot without a view");
  if (CloseDatabase()) opened = OpenInPlace();
  if (opened.ok()) {
    std::lock_guard lock(mutex_);
    failed_ = absl::OkStatus();
  }
  gate_.Open();
  if (!opened.ok()) return opened;
  return *doubt;
}

absl::Status RocksStore::Closed() const {
  return absl::UnavailableError(absl::StrCat(
      "La base « ", path_, " » est fermée après une erreur du disque ; le nœud essaie de la rouvrir."));
}

absl::StatusOr<std::optional<std::string>> RocksStore::Get(Table table,
                                                           std::string_view key) const {
  const GateUse inside(gate_);
  if (db_ == nullptr) return Closed();
  return GetAt(nullptr, table, key);
}

std::unique_ptr<Cursor> RocksStore::Scan(Table table, const KeyRange& range,
                                         ScanOrder order) const {
  gate_.Enter();
  return ScanAt(nullptr, table, range, order);
}

std::unique_ptr<ReadView> RocksStore::Snapshot() const { return std::make_unique<View>(*this); }

absl::StatusOr<std::optional<std::string>> RocksStore::GetAt(const rocksdb::Snapshot* snapshot,
                                                             Table table,
                                                             std::string_view key) const {
  std::string value;
  const rocksdb::Status status =
      db_->Get(rocks::CheckedReads(snapshot), column_family(table), ToSlice(key), &value);
  if (status.ok()) return value;
  if (status.IsNotFound()) return std::nullopt;
  return rocks::ToStatus(status, absl::StrCat("Lecture de la table ", std::string(TableName(table)),
                                              " dans « ", path_, " »"));
}

std::unique_ptr<Cursor> RocksStore::ScanAt(const rocksdb::Snapshot* snapshot, Table table,
                                           const KeyRange& range, ScanOrder order) const {
  return std::make_unique<RowCursor>(*this, snapshot, table, range, order);
}

absl::Status RocksStore::Commit(const CommitBatch& batch) {
  if (absl::Status writing = StillWriting(); !writing.ok()) return writing;
  const GateUse inside(gate_);
  if (db_ == nullptr) return absl::FailedPreconditionError(std::string(Closed().message()));
  StopCompactionsAtDamage();
  return WriteBatch(batch);
}

void RocksStore::StopCompactionsAtDamage() {
  if (compactions_stopped_ || compactions_->damage().empty()) return;
  compactions_stopped_ = true;
  // Otherwise RocksDB tries again every second. Best effort.
  for (rocksdb::ColumnFamilyHandle* family : column_families_) {
    db_->SetOptions(family, {{"disable_auto_compactions", "true"}}).PermitUncheckedError();
  }
}

std::string RocksStore::KnownDamage() const {
  const GateUse inside(gate_);
  const std::string damage = compactions_ == nullptr ? "" : compactions_->damage();
  if (damage.empty()) return damage;
  return absl::StrCat("un fichier de la base est endommagé (", damage,
                      ") ; le reste continue, sans compactage : arrêtez le nœud, puis « maillage doctor --salvage DONNÉES »");
}

absl::Status RocksStore::WriteBatch(const CommitBatch& batch) {
  rocksdb::WriteBatch writes(batch.byte_size(), /*max_bytes=*/0, kBatchChecksumBytesPerKey,
                             /*default_cf_ts_sz=*/0);
  rocksdb::Status status;
  for (const CommitBatch::Write& write : batch.writes()) {
    rocksdb::ColumnFamilyHandle* const family = column_family(write.table);
    status = write.value ? writes.Put(family, write.key, *write.value)
                         : writes.Delete(family, write.key);
    if (!status.ok()) break;
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (status.ok() && !batch.empty()) {
    flushes_->MakeRoom(*db_, column_families_, writes.GetDataSize(), batch.writes().size());
    status = db_->Write(synced, &writes);
  }
  if (status.ok()) return absl::OkStatus();
  return StopWriting(rocks::ToStatus(status, absl::StrCat("Écriture dans « ", path_, " »")));
}

absl::Status RocksStore::StillWriting() const {
  std::lock_guard lock(mutex_);
  if (failed_.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "La base « ", path_,
      " » n'accepte plus d'écritures avant d'être rouverte, depuis cette erreur : ",
      failed_.message()));
}

absl::Status RocksStore::StopWriting(absl::Status error) {
  std::lock_guard lock(mutex_);
  if (failed_.ok()) failed_ = error;
  // Best effort: the disk may refuse this too, and the error says all that the caller can act on.
  continuity_
      ->Doubt(absl::StrCat("Une écriture a échoué sans qu'on sache si elle est sur le disque. ",
                           error.message()))
      .IgnoreError();
  return error;
}

absl::Status RocksStore::SettleContinuity() {
  if (absl::Status writing = StillWriting(); !writing.ok()) return writing;
  return continuity_->Settle();
}

std::array<uint64_t, kTableCount> RocksStore::DiskUse() const {
  std::array<uint64_t, kTableCount> bytes{};
  const GateUse inside(gate_);
  if (db_ == nullptr) return bytes;
  for (size_t table = 0; table < kTableCount; ++table) {
    uint64_t sorted = 0;
    uint64_t in_memory = 0;
    db_->GetIntProperty(column_families_[table], rocksdb::DB::Properties::kLiveSstFilesSize,
                        &sorted);
    db_->GetIntProperty(column_families_[table], rocksdb::DB::Properties::kCurSizeAllMemTables,
                        &in_memory);
    bytes[table] = sorted + in_memory;
  }
  return bytes;
}

RocksStore::PerTable RocksStore::PropertyOfTables(const std::string& property) const {
  PerTable values{};
  const GateUse inside(gate_);
  if (db_ == nullptr) return values;
  for (size_t table = 0; table < kTableCount; ++table) db_->GetIntProperty(column_families_[table], property, &values[table]);
  return values;
}

uint64_t RocksStore::ApproximateRows() const {
  const PerTable rows = PropertyOfTables(rocksdb::DB::Properties::kEstimateNumKeys);
  return std::accumulate(rows.begin(), rows.end(), uint64_t{0});
}

RocksStore::PerTable RocksStore::TableBytes() const {
  return PropertyOfTables(rocksdb::DB::Properties::kTotalSstFilesSize);
}

absl::Status RocksStore::VerifyFiles() const {
  const GateUse inside(gate_);
  if (db_ == nullptr) return Closed();
  rocksdb::ReadOptions read(/*cksum=*/true, /*cache=*/false);
  return rocks::ToStatus(db_->VerifyChecksum(read), absl::StrCat("Vérification de la base « ", path_, " »"));
}

absl::Status RocksStore::Checkpoint(const std::string& path) const {
  if (env_->FileExists(path).ok()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "« ", path, " » existe déjà : donnez à la copie un dossier qui n'existe pas."));
  }
  const GateUse inside(gate_);
  if (db_ == nullptr) return Closed();
  const std::string partial = absl::StrCat(path, kPartialSuffix);
  if (absl::Status removed = rocks::RemoveFolder(env_, partial); !removed.ok()) return removed;
  const std::string doing = absl::StrCat("Copie de la base « ", path_, " » vers « ", path, " »");
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) {
    status = flushes_->Alone(*db_, column_families_, [&] { return checkpoint->CreateCheckpoint(partial); });
  }
  if (!status.ok()) return rocks::ToStatus(status, doing);
  const absl::Status noted = rocks::WriteDoubt(
      env_, partial, absl::StrCat("Ce dossier est une copie (sauvegarde) de « ", path_, " »."));
  if (!noted.ok()) return noted;
  status = env_->RenameFile(partial, path);
  if (!status.ok()) return rocks::ToStatus(status, doing);
  return rocks::SyncFolderAbove(env_, path);
}

}  // namespace maillage::storage
