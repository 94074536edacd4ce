#include "storage/rocks_store_sorted_file.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks_store_folder.h"

namespace maillage::storage::rocks {
namespace {

// RocksDB's block-based table format (its wiki, "Rocksdb BlockBasedTable Format"): the footer has a byte for the kind of
// checksum, the handles of the metaindex and of the index, padding, a version (4 bytes) and a magic number (8). A handle
// is two varints, place and length. The metaindex has an entry for each block of metadata: its name, then its handle.
constexpr size_t kFooterBytes = 53;
constexpr size_t kHandlesBytes = 40;
constexpr std::string_view kMagic = "\xf7\xcf\xf4\x85\xb7\x41\xe2\x88";
constexpr std::string_view kProperties = "rocksdb.properties";
// A metaindex has some hundred bytes; what is longer is damage.
constexpr uint64_t kMaxMetaindexBytes = 64 << 10;

struct Handle {
  uint64_t place = 0;
  uint64_t bytes = 0;
};

std::optional<uint64_t> TakeVarint(std::string_view& from) {
  uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !from.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(from.front());
    from.remove_prefix(1);
    number |= uint64_t{byte & 127u} << shift;
    if (byte < 128) return number;
  }
  return std::nullopt;
}

std::optional<Handle> TakeHandle(std::string_view from) {
  const std::optional<uint64_t> place = TakeVarint(from);
  const std::optional<uint64_t> bytes = TakeVarint(from);
  if (!place.has_value() || !bytes.has_value()) return std::nullopt;
  return Handle{*place, *bytes};
}

// Empty where the file has no such bytes.
std::string ReadAt(const rocksdb::RandomAccessFile& file, const Handle& handle) {
  std::string bytes(handle.bytes, '\0');
  rocksdb::Slice read;
  if (!file.Read(handle.place, handle.bytes, &read, bytes.data()).ok() || read.size() != handle.bytes) return "";
  return read.ToString();
}

}  // namespace

std::optional<uint64_t> FatalByte(rocksdb::Env* env, const std::string& path) {
  uint64_t size = 0;
  std::unique_ptr<rocksdb::RandomAccessFile> file;
  if (!env->GetFileSize(path, &size).ok() || size < kFooterBytes) return std::nullopt;
  if (!env->NewRandomAccessFile(path, &file, rocksdb::EnvOptions()).ok()) return std::nullopt;
  const std::string footer = ReadAt(*file, {size - kFooterBytes, kFooterBytes});
  if (!absl::EndsWith(footer, absl::string_view(kMagic.data(), kMagic.size()))) return std::nullopt;
  const auto metaindex = TakeHandle(std::string_view(footer).substr(1, kHandlesBytes));
  if (!metaindex.has_value() || metaindex->bytes > kMaxMetaindexBytes) return std::nullopt;
  const std::string names = ReadAt(*file, *metaindex);
  const size_t found = names.find(kProperties);
  if (found == names.npos) return std::nullopt;
  const auto properties = TakeHandle(std::string_view(names).substr(found + kProperties.size()));
  if (!properties.has_value() || properties->bytes == 0 || properties->bytes > size) return std::nullopt;
  const uint64_t last = properties->place + properties->bytes - 1;
  const std::string byte = ReadAt(*file, {last, 1});
  return !byte.empty() && (byte[0] & '\x80') != 0 ? std::optional(last) : std::nullopt;
}

absl::Status CheckSortedFiles(rocksdb::Env* env, const std::string& folder) {
  const auto names = FilesIn(env, folder);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, kSortedFileSuffix)) continue;
    const std::optional<uint64_t> fatal = FatalByte(env, In(folder, name));
    if (!fatal.has_value()) continue;
    return absl::DataLossError(absl::StrCat("Le fichier « ", In(folder, name), " » est endommagé à l'octet ", *fatal,
                                            ". Rien n'a été modifié. Nœud arrêté, « maillage doctor --salvage DONNÉES » "
                                            "sauve tout ce qu'il contient."));
  }
  return absl::OkStatus();
}

}  // namespace maillage::storage::rocks
