// A name for what a row says, so that the same row is known again wherever it is imported.
#ifndef MAILLAGE_CLIENT_IMPORT_ROW_DIGEST_H_
#define MAILLAGE_CLIENT_IMPORT_ROW_DIGEST_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "client/import/table.h"

namespace maillage::client {

// Not thread-safe.
class RowDigester {
 public:
  // The column of reasons takes no part.
  explicit RowDigester(absl::Span<const std::string> header);

  // BLAKE2b-128 of pairs (folded header, cell), each text after its length in 8 bytes, least
  // significant first, in the order of the folded headers; 32 hexadecimal digits. So the order of
  // columns, the encoding and the separator of the file don't count, and every character of the
  // cells does. The row is sound.
  std::string Digest(const Row& row);

 private:
  // Folded header and position, by folded header.
  std::vector<std::pair<std::string, size_t>> columns_;
  std::string buffer_;
};

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_ROW_DIGEST_H_
