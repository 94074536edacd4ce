#include "client/import/row_digest.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "absl/strings/escaping.h"
#include "client/import/refused_file.h"
#include "google/protobuf/stubs/logging.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

constexpr size_t kDigestBytes = 16;

void AppendCounted(std::string& out, std::string_view text) {
  uint64_t size = text.size();
  for (int i = 0; i < 8; ++i, size >>= 8) out.push_back(static_cast<char>(size & 0xFF));
  out.append(text);
}

}  // namespace

RowDigester::RowDigester(absl::Span<const std::string> header) {
  GOOGLE_CHECK_GE(sodium_init(), 0);
  for (size_t i = 0; i < header.size(); ++i) {
    if (!IsReasonHeader(header[i])) columns_.emplace_back(FoldText(header[i]), i);
  }
  std::sort(columns_.begin(), columns_.end());
}

std::string RowDigester::Digest(const Row& row) {
  buffer_.clear();
  for (const auto& [name, position] : columns_) {
    AppendCounted(buffer_, name);
    AppendCounted(buffer_, row.cells[position].text);
  }
  std::array<unsigned char, kDigestBytes> digest;
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(buffer_.data()), buffer_.size(),
                     nullptr, 0);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace maillage::client
