#include "storage/rocks_store_log.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks_store_folder.h"

namespace maillage::storage::rocks {
namespace {

// RocksDB's log format (its wiki, "Write Ahead Log File Format"): blocks of 32 KiB; a header is a checksum (4 bytes), a
// length (2, little-endian) and a type; what is left of a block after its last record is less than a header.
constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;
enum RecordType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i > 0; --i) number = number << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return number;
}

// Of a log, by its name.
uint64_t NumberOf(const std::string& log) { return std::strtoull(log.c_str(), nullptr, 10); }

absl::Status DamagedManifest(const std::string& folder, const std::string& what) {
  return absl::DataLossError(absl::StrCat("Le dossier « ", folder, " » contient une base dont ", what,
                                          ". Rien n'a été modifié. « maillage doctor --salvage DONNÉES » sauve tout ce "
                                          "qui peut l'être ; sinon mettez ce dossier de côté, puis restaurez une "
                                          "sauvegarde ou repartez d'un dossier vide, que les autres sites rempliront."));
}

}  // namespace

std::optional<BrokenFrame> FirstBrokenFrame(std::string_view bytes) {
  bool in_record = false;
  BrokenFrame record;
  for (size_t at = 0; at < bytes.size();) {
    const size_t left = kBlockBytes - at % kBlockBytes;
    if (left < kHeaderBytes) {
      at += left;
      continue;
    }
    if (!in_record) record.at = at;
    if (bytes.size() - at < kHeaderBytes) return record;
    const uint64_t length = LittleEndian(bytes.substr(at + 4, 2));
    const auto type = static_cast<uint8_t>(bytes[at + 6]);
    const bool begins = type == kFull || type == kFirst;
    const bool known = begins || type == kMiddle || type == kLast;
    if (!known || begins == in_record) return record;
    if (kHeaderBytes + length > std::min(left, bytes.size() - at)) return record;
    in_record = type == kFirst || type == kMiddle;
    if (!in_record) ++record.records_before;
    at += kHeaderBytes + length;
  }
  return in_record ? std::optional<BrokenFrame>(record) : std::nullopt;
}

absl::StatusOr<std::optional<LogDamage>> FindLogDamage(rocksdb::Env* env, const std::string& folder, const Note& note) {
  const auto names = FilesIn(env, folder);
  if (!names.ok()) return names.status();
  // By number: what the log must hold, and nothing for one that isn't there.
  std::map<uint64_t, std::pair<FileLength, bool>> logs;
  for (const FileLength& log : note.logs) logs[NumberOf(log.name)] = {log, false};
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, kLogSuffix)) continue;
    auto& [log, exists] = logs[NumberOf(name)];
    log.name = name;
    exists = true;
  }
  for (const auto& [number, expected] : logs) {
    const auto& [log, exists] = expected;
    if (!exists) return LogDamage{absl::StrCat(log.name, " a disparu"), number, 0};
    std::string bytes;
    const rocksdb::Status read = rocksdb::ReadFileToString(env, In(folder, log.name), &bytes);
    if (!read.ok()) return ToStatus(read, absl::StrCat("Lecture de « ", In(folder, log.name), " »"));
    if (const auto broken = FirstBrokenFrame(bytes)) {
      return LogDamage{absl::StrCat(log.name, " est illisible à partir de l'octet ", broken->at), number,
                       broken->records_before};
    }
    if (bytes.size() < log.bytes) {
      return LogDamage{absl::StrCat(log.name, " n'a que ", bytes.size(), " octets sur ", log.bytes), number,
                       std::numeric_limits<uint64_t>::max()};
    }
  }
  return std::nullopt;
}

absl::Status CheckManifest(rocksdb::Env* env, const std::string& folder, const Note& note) {
  if (!note.manifest.has_value()) return absl::OkStatus();
  std::string current;
  const std::string current_file = In(folder, kCurrentFile);
  rocksdb::Status read = rocksdb::ReadFileToString(env, current_file, &current);
  if (read.IsPathNotFound()) return DamagedManifest(folder, absl::StrCat("le fichier ", kCurrentFile, " a disparu"));
  if (!read.ok()) return ToStatus(read, absl::StrCat("Lecture de « ", current_file, " »"));
  if (!current.empty() && current.back() == '\n') current.pop_back();
  // Their numbers have at least six digits, and only grow.
  const FileLength& noted = *note.manifest;
  if (current.size() < noted.name.size() || (current.size() == noted.name.size() && current < noted.name)) {
    return DamagedManifest(folder, absl::StrCat("le fichier ", kCurrentFile, " ne désigne plus ", noted.name));
  }
  if (current != noted.name) return absl::OkStatus();
  std::string bytes;
  read = rocksdb::ReadFileToString(env, In(folder, noted.name), &bytes);
  if (!read.ok()) return ToStatus(read, absl::StrCat("Lecture de « ", In(folder, noted.name), " »"));
  if (bytes.size() < noted.bytes) {
    return DamagedManifest(folder,
                           absl::StrCat("le fichier ", noted.name, " n'a que ", bytes.size(), " octets sur ", noted.bytes));
  }
  // What follows was not noted yet, and may end in a write that the power cut off.
  const auto broken = FirstBrokenFrame(std::string_view(bytes).substr(0, noted.bytes));
  if (!broken.has_value()) return absl::OkStatus();
  return DamagedManifest(folder, absl::StrCat("le fichier ", noted.name, " est illisible à partir de l'octet ", broken->at));
}

LogDamage DamageToldByRocksDb(const rocksdb::Status& opened) {
  LogDamage damage;
  damage.what = opened.ToString();
  // It has no codes of its own for them.
  for (const auto& [words, what] : {std::pair("Missing WAL with log number: ", " a disparu"),
                                    std::pair("Size mismatch: WAL (log number: ", " est trop court")}) {
    const size_t found = damage.what.find(words);
    if (found == damage.what.npos) continue;
    damage.log = NumberOf(damage.what.substr(found + std::string_view(words).size()));
    damage.records_before = std::numeric_limits<uint64_t>::max();
    damage.what = absl::StrCat(absl::Dec(damage.log, absl::kZeroPad6), kLogSuffix, what);
    damage.told_by_manifest = true;
    break;
  }
  return damage;
}

GaplessLogs::GaplessLogs(std::vector<LogDamage> damages) : damages_(std::move(damages)) {}

void GaplessLogs::ColumnFamilyLogNumberMap(const std::map<uint32_t, uint64_t>& first_logs,
                                           const std::map<std::string, uint32_t>&) {
  // All tables are flushed together; the number of one that was empty then stays behind.
  for (const auto& [family, log] : first_logs) first_needed_log_ = std::max(first_needed_log_, log);
}

bool GaplessLogs::IsBeyondDamage(uint64_t log) {
  records_ = log == log_ ? records_ + 1 : 1;
  log_ = log;
  return std::any_of(damages_.begin(), damages_.end(), [&](const LogDamage& damage) {
    if (IsObsolete(damage.log)) return false;
    return log > damage.log || (log == damage.log && records_ > damage.records_before);
  });
}

rocksdb::WalFilter::WalProcessingOption GaplessLogs::LogRecordFound(unsigned long long log, const std::string&,
                                                                    const rocksdb::WriteBatch& batch,
                                                                    rocksdb::WriteBatch*, bool*) {
  if (IsBeyondDamage(log)) return WalProcessingOption::kCorruptedRecord;
  // A batch begins with the number of its first write.
  const uint64_t first = LittleEndian(std::string_view(batch.Data()).substr(0, 8));
  if (last_.has_value() && first != *last_ + 1) return WalProcessingOption::kCorruptedRecord;
  if (!first_.has_value()) first_ = first;
  last_ = first + batch.Count() - 1;
  return WalProcessingOption::kContinueProcessing;
}

}  // namespace maillage::storage::rocks
