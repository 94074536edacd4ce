#include "replication/bundle_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/check.h"
#include "replication/fingerprint.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

constexpr std::string_view kMagic("MAILLAGE\x01", 9);
constexpr size_t kLengthSize = 4;
constexpr size_t kChecksumSize = 16;

std::string Chain(std::string_view before, std::string_view bytes) {
  return Blake2b256({before, bytes}).substr(0, kChecksumSize);
}

std::string Length(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < kLengthSize; ++i) bytes.push_back(static_cast<char>(static_cast<uint8_t>(size >> (8 * i))));
  return bytes;
}

size_t ReadLength(std::string_view bytes) {
  size_t size = 0;
  for (size_t i = kLengthSize; i > 0; --i) size = size << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return size;
}

}  // namespace

BundleFileWriter::BundleFileWriter() : start_(kMagic), checksum_(kMagic) {}

std::string BundleFileWriter::Guarded(std::string_view bytes) {
  checksum_ = Chain(checksum_, bytes);
  return std::exchange(start_, "").append(Length(bytes.size())).append(bytes).append(checksum_);
}

std::string BundleFileWriter::Block(std::string_view bytes) {
  MAILLAGE_CHECK(!bytes.empty() && bytes.size() <= kMaxBundleBlockBytes);
  return Guarded(bytes);
}

std::string BundleFileWriter::End() { return Guarded(""); }

absl::Status BundleFileReader::Damaged(std::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(what), ", à l'octet ", position_));
}

absl::StatusOr<std::optional<std::string>> BundleFileReader::Next() {
  if (checksum_.empty()) {
    const size_t seen = std::min(waiting_.size(), kMagic.size());
    if (waiting_.substr(0, seen) != kMagic.substr(0, seen)) return Damaged("ce fichier n'est pas un lot de Maillage");
    if (seen < kMagic.size()) return std::nullopt;
    checksum_ = kMagic;
    waiting_.erase(0, seen);
    position_ += seen;
  }
  if (ended_) {
    if (!waiting_.empty()) return Damaged("des octets suivent la fin du lot");
    return std::nullopt;
  }
  if (waiting_.size() < kLengthSize) return std::nullopt;
  const size_t length = ReadLength(waiting_);
  if (length > kMaxBundleBlockBytes) return Damaged("le lot est abîmé");
  const size_t whole = kLengthSize + length + kChecksumSize;
  if (waiting_.size() < whole) return std::nullopt;
  std::string bytes = waiting_.substr(kLengthSize, length);
  std::string checksum = Chain(checksum_, bytes);
  if (waiting_.compare(kLengthSize + length, kChecksumSize, checksum) != 0) return Damaged("le lot est abîmé");
  checksum_ = std::move(checksum);
  waiting_.erase(0, whole);
  position_ += whole;
  if (length > 0) return bytes;
  ended_ = true;
  return Next();
}

absl::Status BundleFileReader::Finish() const {
  return ended() ? absl::OkStatus() : Damaged("le lot est incomplet : la copie s'est arrêtée");
}

}  // namespace maillage::replication
