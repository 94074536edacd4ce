#include "server/lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "proto/absl_view.h"
#include "replication/fingerprint.h"

namespace maillage::server {
namespace {

constexpr std::string_view kFormat = "maillage-lease 1";

std::string CheckSum(std::string_view text) {
  return absl::BytesToHexString(replication::Blake2b256({text}));
}

absl::Status FileError(const std::filesystem::path& file, const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat(file.string(), " : ", what, " (", std::strerror(errno), ")"));
}

bool WriteSynced(int descriptor, std::string_view text) {
  return write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         fsync(descriptor) == 0;
}

bool SyncFolder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = fsync(descriptor) == 0;
  close(descriptor);
  return synced;
}

std::filesystem::path FolderOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

std::string EncodeLease(const LeaseTerms& terms) {
  std::string text = absl::StrFormat(
      "%s\nsite %s\nincarnation %d\nopening %d\nreserved %d\n", std::string(kFormat),
      absl::BytesToHexString(ToAbsl(terms.site.bytes())), terms.incarnation, terms.opening,
      terms.reserved_sequence);
  if (terms.end.has_value()) {
    absl::StrAppendFormat(&text, "ended %d\nfeed %d\n", terms.end->sequence, terms.end->feed_head);
  }
  return absl::StrCat(text, "check ", CheckSum(text), "\n");
}

absl::StatusOr<LeaseTerms> DecodeLease(std::string_view text) {
  const absl::Status damaged = absl::DataLossError("the lease is damaged");
  const std::vector<std::string> lines = absl::StrSplit(ToAbsl(text), '\n');
  // With an empty one after the last line's end.
  if ((lines.size() != 7 && lines.size() != 9) || lines[0] != kFormat) return damaged;
  const auto number = [&](size_t line, const char* name, uint64_t& value) {
    const std::vector<std::string> words = absl::StrSplit(lines[line], ' ');
    return words.size() == 2 && words[0] == name && absl::SimpleAtoi(words[1], &value);
  };
  LeaseTerms terms;
  constexpr size_t kSiteName = 5;
  if (lines[1].size() != kSiteName + 2 * SiteId::kSize) return damaged;
  const auto site = SiteId::FromBytes(absl::HexStringToBytes(lines[1].substr(kSiteName)));
  if (!site.has_value() || !number(2, "incarnation", terms.incarnation) ||
      !number(3, "opening", terms.opening) || !number(4, "reserved", terms.reserved_sequence)) {
    return damaged;
  }
  terms.site = *site;
  if (lines.size() == 9) {
    terms.end.emplace();
    if (!number(5, "ended", terms.end->sequence) || !number(6, "feed", terms.end->feed_head)) return damaged;
  }
  if (EncodeLease(terms) != text) return damaged;
  return terms;
}

std::string Contradiction(const std::optional<LeaseTerms>& terms, const StoreFacts& store) {
  if (!terms.has_value()) return "le bail de ce site manque ou est illisible";
  if (terms->site != store.site) return "le bail est celui d'un autre site";
  if (terms->incarnation != store.incarnation) return "le bail parle d'une autre incarnation de ce site";
  if (terms->opening != store.opening) {
    return absl::StrCat("le bail compte ", terms->opening, " ouvertures de la base, et la base ",
                        store.opening);
  }
  if (store.sequence > terms->reserved_sequence) return "la base va plus loin que le bail ne le permettait";
  if (!terms->end.has_value()) return "";
  if (store.sequence != terms->end->sequence || store.feed_head != terms->end->feed_head) {
    return absl::StrCat("le nœud s'était arrêté à la position ", terms->end->feed_head,
                        ", et la base est à la position ", store.feed_head);
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Lease>> Lease::Take(const std::filesystem::path& file) {
  // The lock is on a file of its own: the lease itself is replaced whenever it is written.
  const std::filesystem::path lock_file = file.string() + ".lock";
  const int lock = open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return FileError(lock_file, "impossible de l'ouvrir ; donnez un autre endroit avec --lease");
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return absl::FailedPreconditionError(absl::StrCat(
        file.string(), " : un autre nœud tient ce bail ; arrêtez-le, ou donnez à celui-ci son propre --lease"));
  }
  std::unique_ptr<Lease> lease(new Lease(file, lock));
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  absl::StatusOr<LeaseTerms> terms = DecodeLease(text);
  if (terms.ok()) lease->found_ = lease->terms_ = *terms;
  return lease;
}

Lease::~Lease() { close(lock_); }

absl::Status Lease::Write(const LeaseTerms& terms) {
  const std::filesystem::path fresh = file_.string() + ".new";
  const int descriptor = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return FileError(fresh, "création impossible");
  const bool written = WriteSynced(descriptor, EncodeLease(terms));
  const absl::Status status = written ? absl::OkStatus() : FileError(fresh, "écriture impossible");
  close(descriptor);
  if (!status.ok()) return status;
  if (rename(fresh.c_str(), file_.c_str()) != 0 || !SyncFolder(FolderOf(file_))) {
    return FileError(file_, "remplacement impossible");
  }
  terms_ = terms;
  return absl::OkStatus();
}

std::filesystem::path DefaultLease(const std::filesystem::path& data) {
  // "data/" and "data/." name the folder itself.
  std::filesystem::path folder = std::filesystem::absolute(data).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  return folder.string() + ".lease";
}

}  // namespace maillage::server
