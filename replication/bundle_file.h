// The file of a bundle: blocks, each guarded by a checksum over all that came before it, so that a file that was cut or
// changed anywhere is told from a whole one, and the blocks before that place are good. Pinned by tests/golden/bundle.
//
//   magic:9 = "MAILLAGE" 0x01
//   blocks   each  length:4  bytes  checksum:16
//   end      length:4 = 0  checksum:16
//
// The first block is a v1::BundleHeader, the others are v1::SyncFrames. Integers are little-endian. A checksum is the first
// 16 bytes of BLAKE2b-256 over the checksum before (of the first block: the magic) and the block's bytes.
#ifndef MAILLAGE_REPLICATION_BUNDLE_FILE_H_
#define MAILLAGE_REPLICATION_BUNDLE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace maillage::replication {

// Not thread-safe.
class BundleFileWriter {
 public:
  BundleFileWriter();

  // What to write next. `bytes` are not empty.
  std::string Block(std::string_view bytes);
  std::string End();

 private:
  std::string Guarded(std::string_view bytes);

  std::string start_;
  std::string checksum_;
};

// Takes a file in pieces of any size. Not thread-safe.
class BundleFileReader {
 public:
  void Push(std::string_view piece) { waiting_.append(piece); }
  // The next whole block; nothing where more of the file is needed, or after the end. InvalidArgument, in French and with
  // the place, where the file isn't a bundle or is damaged.
  absl::StatusOr<std::optional<std::string>> Next();
  // The end was read, and nothing follows it.
  bool ended() const { return ended_ && waiting_.empty(); }
  // OK once ended; otherwise what is wrong with a file of which no more comes.
  absl::Status Finish() const;
  // Bytes read so far.
  uint64_t position() const { return position_; }

 private:
  absl::Status Damaged(std::string_view what) const;

  std::string waiting_;
  std::string checksum_;
  uint64_t position_ = 0;
  bool ended_ = false;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_BUNDLE_FILE_H_
