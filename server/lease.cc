#include "server/lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
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
#include "absl/strings/str_split.h"
#include "proto/absl_view.h"
#include "replication/fingerprint.h"
#include "replication/local_meta.h"
#include "server/backup_files.h"
#include "server/tuning.h"
#include "storage/keys.h"

namespace maillage::server {
namespace {

constexpr std::string_view kFormat = "maillage-lease 1";

std::string CheckSum(std::string_view text) { return absl::BytesToHexString(replication::Blake2b256({text})); }

absl::Status FileError(const std::filesystem::path& file, const char* what) {
  return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ", what, " (", std::strerror(errno), ")"));
}

// The machine's own name is a secret of the machine (machine-id(5)), so only its hash leaves it.
std::string MachineName() {
  std::ifstream stream("/etc/machine-id");
  std::string id;
  if (!(stream >> id)) return "-";
  return CheckSum(absl::StrCat("maillage-lease\n", id)).substr(0, 32);
}

std::filesystem::path FolderOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

// An open file that is closed with its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }
  FilePlace place() const {
    struct statx info = {};
    const int result = statx(number_, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info);
    if (result != 0) return {MachineName(), "-"};
    // Of a file system that knows no birth the time stays 0.
    return {MachineName(), absl::StrCat(info.stx_ino, ".", info.stx_btime.tv_sec, ".", info.stx_btime.tv_nsec)};
  }

 private:
  const int number_;
};

// Reads the lines of a lease one after the other.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : lines_(absl::StrSplit(ToAbsl(text), '\n')) {}

  std::string Text(const char* name) {
    if (next_ >= lines_.size()) return Fail();
    const std::vector<std::string> words = absl::StrSplit(lines_[next_++], ' ');
    if (words.size() != 2 || words[0] != name) return Fail();
    return words[1];
  }
  uint64_t Number(const char* name) {
    uint64_t value = 0;
    if (!absl::SimpleAtoi(Text(name), &value)) Fail();
    return value;
  }
  bool ok() const { return ok_; }

 private:
  std::string Fail() {
    ok_ = false;
    return "";
  }

  const std::vector<std::string> lines_;
  // After the format.
  size_t next_ = 1;
  bool ok_ = true;
};

}  // namespace

StoreFacts FactsOf(const replication::Replica& replica) {
  return {replica.identity().site, replica.identity().incarnation, replica.opening(),
          replica.progress().site_sequence, replica.progress().feed_head};
}

absl::StatusOr<std::optional<StoreFacts>> ReadFacts(const storage::ReadView& store) {
  const auto get = [&](std::string_view key) { return store.Get(storage::Table::kMeta, key); };
  const auto identity_bytes = get(storage::kIdentityKey);
  const auto progress_bytes = get(storage::kProgressKey);
  const auto opening_bytes = get(storage::kOpeningKey);
  for (const auto* bytes : {&identity_bytes, &progress_bytes, &opening_bytes}) {
    if (!bytes->ok()) return bytes->status();
  }
  if (!identity_bytes->has_value() || !progress_bytes->has_value()) return std::nullopt;
  const auto identity = replication::DecodeIdentity(**identity_bytes);
  const auto progress = replication::DecodeProgress(**progress_bytes);
  const auto opening = opening_bytes->has_value() ? replication::DecodeCount(**opening_bytes)
                                                  : absl::StatusOr<uint64_t>(0);
  if (!identity.ok()) return identity.status();
  if (!progress.ok()) return progress.status();
  if (!opening.ok()) return opening.status();
  return StoreFacts{identity->site, identity->incarnation, *opening, progress->site_sequence, progress->feed_head};
}

std::string EncodeLease(const LeaseTerms& terms) {
  const std::string text = absl::StrCat(
      ToAbsl(kFormat), "\nsite ", absl::BytesToHexString(ToAbsl(terms.store.site.bytes())), "\nincarnation ",
      terms.store.incarnation, "\nopening ", terms.store.opening, "\nissued ", terms.store.issued, "\nfeed ",
      terms.store.feed_head, "\nmachine ", terms.place.machine, "\nfile ", terms.place.file, "\nended ",
      terms.ended ? 1 : 0, "\n");
  return absl::StrCat(text, "check ", CheckSum(text), "\n");
}

absl::StatusOr<LeaseTerms> DecodeLease(std::string_view text) {
  const absl::Status damaged = absl::DataLossError("the lease is damaged");
  LineReader lines(text);
  LeaseTerms terms;
  const std::string hex = lines.Text("site");
  if (hex.size() != 2 * SiteId::kSize) return damaged;
  terms.store.site = *SiteId::FromBytes(absl::HexStringToBytes(hex));
  terms.store.incarnation = lines.Number("incarnation");
  terms.store.opening = lines.Number("opening");
  terms.store.issued = lines.Number("issued");
  terms.store.feed_head = lines.Number("feed");
  terms.place.machine = lines.Text("machine");
  terms.place.file = lines.Text("file");
  terms.ended = lines.Number("ended") == 1;
  // The checksum, the format and every form of a number that isn't ours are in this comparison.
  if (!lines.ok() || EncodeLease(terms) != text) return damaged;
  return terms;
}

std::string Contradiction(const std::optional<LeaseTerms>& terms, const FilePlace& place, const StoreFacts& store) {
  if (!terms.has_value()) return "le bail de ce site manque ou est illisible";
  const StoreFacts& then = terms->store;
  if (then.site != store.site) return "le bail est celui d'un autre site";
  if (terms->place.machine != place.machine) return "le bail a été écrit sur une autre machine";
  if (terms->place.file != place.file) return "le bail est une copie";
  if (then.incarnation != store.incarnation) return "le bail parle d'une autre incarnation de ce site";
  if (then.opening != store.opening) {
    return absl::StrCat("le bail compte ", then.opening, " ouvertures de la base, et la base ", store.opening);
  }
  const bool fits = terms->ended ? store.issued == then.issued && store.feed_head == then.feed_head
                                 : store.issued >= then.issued && store.feed_head >= then.feed_head;
  if (fits) return "";
  return absl::StrCat("le bail parle de la position ", then.feed_head, ", et la base est à la position ",
                      store.feed_head);
}

absl::StatusOr<std::unique_ptr<Lease>> Lease::Take(const std::filesystem::path& file) {
  // The lock is on a file of its own: the lease itself is replaced whenever it is written.
  const std::filesystem::path lock_file = file.string() + ".lock";
  const int lock = open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return FileError(lock_file, "impossible de l'ouvrir ; donnez un autre endroit avec --lease");
  std::unique_ptr<Lease> lease(new Lease(file, lock));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        file.string(), " : un autre nœud tient ce bail ; arrêtez-le, ou donnez à celui-ci son propre --lease"));
  }
  const Descriptor found(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (found.number() < 0) {
    if (errno == ENOENT) return lease;
    return FileError(file, "lecture impossible ; donnez un autre endroit avec --lease");
  }
  const absl::StatusOr<std::string> text = ReadWholeFile(file);
  if (!text.ok()) return text.status();
  lease->found_place_ = found.place();
  if (absl::StatusOr<LeaseTerms> terms = DecodeLease(*text); terms.ok()) lease->found_ = *std::move(terms);
  return lease;
}

Lease::~Lease() { close(lock_); }

std::string Lease::Contradiction(const StoreFacts& store) const {
  return server::Contradiction(found_, found_place_, store);
}

absl::Status Lease::Keep(const StoreFacts& store, uint64_t now_millis) {
  const bool same_life = store.incarnation == written_.incarnation && store.opening == written_.opening;
  // A clock that was set back must not keep it from being written.
  const bool recent = now_millis >= written_millis_ && now_millis - written_millis_ < kLeaseMillis;
  if (same_life && (recent || store.issued == written_.issued)) return absl::OkStatus();
  written_millis_ = now_millis;
  absl::Status written = Write({store, {}, /*ended=*/false});
  if (written.ok()) written_ = store;
  return written;
}

absl::Status Lease::End(const StoreFacts& store) { return Write({store, {}, /*ended=*/true}); }

absl::Status Lease::Write(LeaseTerms terms) {
  const std::filesystem::path fresh = file_.string() + ".new";
  const Descriptor target(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (target.number() < 0) return FileError(fresh, "création impossible");
  terms.place = target.place();
  const std::string text = EncodeLease(terms);
  const bool written = write(target.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(target.number()) == 0;
  if (!written) return FileError(fresh, "écriture impossible");
  if (rename(fresh.c_str(), file_.c_str()) != 0) return FileError(file_, "remplacement impossible");
  return SyncFolder(FolderOf(file_));
}

std::filesystem::path DefaultLease(const std::filesystem::path& data) {
  // "data/" and "data/." name the folder itself.
  std::filesystem::path folder = std::filesystem::absolute(data).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  return folder.string() + ".lease";
}

}  // namespace maillage::server
