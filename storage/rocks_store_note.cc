#include "storage/rocks_store_note.h"

#include <sodium/crypto_generichash.h>

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/rocks_store_folder.h"

namespace maillage::storage::rocks {
namespace {

constexpr char kNoteFile[] = "CONTINUITY";
constexpr char kNewNoteFile[] = "CONTINUITY.new";
constexpr char kDoubtFile[] = "CONTINUITY_LOST";
constexpr char kFirstLine[] = "maillage store note 1";
constexpr char kChecksum[] = "checksum ";

std::string Checksum(std::string_view bytes) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                     nullptr, 0);
  return absl::BytesToHexString({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

// One line, without its end. False where it is none of a note's.
bool ReadLine(std::string_view line, Note& note) {
  const std::vector<std::string> words = absl::StrSplit(absl::string_view(line.data(), line.size()), ' ');
  if (words.size() == 2 && words[0] == "doubt") {
    note.in_doubt = words[1] == "yes";
    return note.in_doubt || words[1] == "no";
  }
  if (words.size() == 2 && words[0] == "sequence") return absl::SimpleAtoi(words[1], &note.sequence);
  if (words.size() != 3) return false;
  FileLength file{words[1], 0};
  if (!absl::SimpleAtoi(words[2], &file.bytes)) return false;
  if (words[0] == "manifest") {
    note.manifest = std::move(file);
    return true;
  }
  note.logs.push_back(std::move(file));
  return words[0] == "log";
}

// What is in the file; nothing where there is none.
absl::StatusOr<std::optional<std::string>> Read(rocksdb::Env* env, const std::string& file) {
  const rocksdb::Status found = env->FileExists(file);
  if (found.IsNotFound()) return std::nullopt;
  std::string contents;
  const rocksdb::Status read = found.ok() ? rocksdb::ReadFileToString(env, file, &contents) : found;
  if (!read.ok()) return ToStatus(read, absl::StrCat("Lecture de « ", file, " »"));
  return contents;
}

}  // namespace

std::string EncodeNote(const Note& note) {
  std::string text = absl::StrCat(kFirstLine, "\ndoubt ", note.in_doubt ? "yes" : "no", "\nsequence ", note.sequence);
  if (note.manifest.has_value()) {
    absl::StrAppend(&text, "\nmanifest ", note.manifest->name, " ", note.manifest->bytes);
  }
  for (const FileLength& log : note.logs) absl::StrAppend(&text, "\nlog ", log.name, " ", log.bytes);
  absl::StrAppend(&text, "\n");
  return absl::StrCat(text, kChecksum, Checksum(text), "\n");
}

std::optional<Note> DecodeNote(std::string_view bytes) {
  const size_t end = bytes.rfind(kChecksum);
  if (end == bytes.npos || bytes.substr(end) != absl::StrCat(kChecksum, Checksum(bytes.substr(0, end)), "\n")) {
    return std::nullopt;
  }
  std::vector<absl::string_view> lines = absl::StrSplit(absl::string_view(bytes.data(), end), '\n');
  if (lines.front() != kFirstLine) return std::nullopt;
  Note note;
  for (size_t i = 1; i + 1 < lines.size(); ++i) {
    if (!ReadLine({lines[i].data(), lines[i].size()}, note)) return std::nullopt;
  }
  return note;
}

absl::Status WriteDoubt(rocksdb::Env* env, const std::string& folder, const std::string& why) {
  if (absl::Status written = WriteFile(env, In(folder, kDoubtFile), why); !written.ok()) return written;
  return SyncFolder(env, folder);
}

Continuity::Continuity(rocksdb::Env* env, std::string folder) : env_(env), folder_(std::move(folder)) {}

absl::Status Continuity::Load(bool new_database) {
  std::lock_guard lock(mutex_);
  holding_ = false;
  const auto note = Read(env_, In(folder_, kNoteFile));
  if (!note.ok()) return note.status();
  const auto why = Read(env_, In(folder_, kDoubtFile));
  if (!why.ok()) return why.status();
  note_ = note->has_value() ? DecodeNote(**note) : std::nullopt;
  doubt_ = *why;
  if (doubt_.has_value() && doubt_->empty()) doubt_ = "La note qui disait pourquoi a été effacée.";
  if (new_database) {
    if (note_.has_value()) return absl::OkStatus();
    Note first;
    first.in_doubt = doubt_.has_value();
    return Write(first);
  }
  if (doubt_.has_value()) return absl::OkStatus();
  if (!note->has_value()) {
    doubt_ = absl::StrCat("Le fichier ", kNoteFile,
                          " manque : il a été effacé, ou la base vient d'une version antérieure de Maillage.");
  } else if (!note_.has_value()) {
    doubt_ = absl::StrCat("Le fichier ", kNoteFile, " est endommagé.");
  } else if (note_->in_doubt) {
    doubt_ = absl::StrCat("La continuité était déjà en doute, et le fichier ", kDoubtFile,
                          " qui disait pourquoi a disparu.");
  }
  return doubt_.has_value() ? WriteDoubt(env_, folder_, *doubt_) : absl::OkStatus();
}

Note Continuity::note() const {
  std::lock_guard lock(mutex_);
  return note_.value_or(Note());
}

std::optional<std::string> Continuity::doubt() const {
  std::lock_guard lock(mutex_);
  return doubt_;
}

absl::Status Continuity::Doubt(const std::string& why) {
  std::lock_guard lock(mutex_);
  holding_ = false;
  if (absl::Status written = WriteDoubt(env_, folder_, why); !written.ok()) return written;
  doubt_ = why;
  // Without a note the folder is in doubt anyway.
  if (!note_.has_value() || note_->in_doubt) return absl::OkStatus();
  Note doubtful = *note_;
  doubtful.in_doubt = true;
  return Write(doubtful);
}

absl::Status Continuity::Settle() {
  std::lock_guard lock(mutex_);
  const std::string file = In(folder_, kDoubtFile);
  const rocksdb::Status erased = env_->DeleteFile(file);
  if (!erased.ok() && !erased.IsPathNotFound() && !erased.IsNotFound()) {
    return ToStatus(erased, absl::StrCat("Suppression de « ", file, " »"));
  }
  doubt_.reset();
  Note settled = note_.value_or(Note());
  settled.in_doubt = false;
  return Write(settled);
}

absl::Status Continuity::Start() {
  std::lock_guard lock(mutex_);
  if (!note_.has_value() || note_->logs.empty()) return absl::OkStatus();
  Note started = *note_;
  started.logs.clear();
  return Write(started);
}

absl::Status Continuity::Hold(rocksdb::DB& db) {
  std::lock_guard lock(mutex_);
  const absl::StatusOr<Note> held = Held(db);
  if (!held.ok()) return held.status();
  absl::Status written = Write(*held);
  holding_ = written.ok();
  return written;
}

absl::Status Continuity::HoldMore(rocksdb::DB& db) {
  std::lock_guard lock(mutex_);
  if (!holding_) return absl::OkStatus();
  const absl::StatusOr<Note> held = Held(db);
  if (!held.ok()) return held.status();
  // Tables are flushed together, and each of them calls.
  return held->manifest == note_->manifest ? absl::OkStatus() : Write(*held);
}

absl::Status Continuity::Stop(rocksdb::DB& db, const std::vector<FileLength>& logs) {
  std::lock_guard lock(mutex_);
  if (!holding_) return absl::OkStatus();
  absl::StatusOr<Note> held = Held(db);
  if (!held.ok()) return held.status();
  held->logs = logs;
  return Write(*held);
}

absl::StatusOr<Note> Continuity::Held(rocksdb::DB& db) {
  Note note;
  note.in_doubt = doubt_.has_value();
  note.sequence = db.GetLatestSequenceNumber();
  std::vector<std::string> names;
  FileLength manifest;
  const rocksdb::Status listed = db.GetLiveFiles(names, &manifest.bytes, /*flush_memtable=*/false);
  if (!listed.ok()) return ToStatus(listed, absl::StrCat("Lecture du dossier « ", folder_, " »"));
  for (const std::string& name : names) {
    if (absl::StartsWith(name, "/MANIFEST-")) manifest.name = name.substr(1);
  }
  if (!manifest.name.empty()) note.manifest = std::move(manifest);
  return note;
}

absl::Status Continuity::Write(const Note& note) {
  const std::string draft = In(folder_, kNewNoteFile);
  if (absl::Status written = WriteFile(env_, draft, EncodeNote(note)); !written.ok()) return written;
  const rocksdb::Status renamed = env_->RenameFile(draft, In(folder_, kNoteFile));
  if (!renamed.ok()) return ToStatus(renamed, absl::StrCat("Écriture de « ", In(folder_, kNoteFile), " »"));
  note_ = note;
  return SyncFolder(env_, folder_);
}

}  // namespace maillage::storage::rocks
