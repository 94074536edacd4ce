// The keys under which a site encrypts on its disk what its records say of persons: one for each record, all made from a few
// seeds, and each of them can be destroyed.
//
// They are the leaves of a tree, 16 levels of 16, in which a child is a function of its parent, as of a key (Goldreich, Goldwasser, Micali,
// "How to Construct Random Functions", JACM 1986). At first the root alone is kept. To destroy a key, the seed above it is replaced
// by all seeds beside the way to it (a puncturable pseudorandom function: Boneh, Waters, "Constrained Pseudorandom Functions and
// Their Applications", ASIACRYPT 2013): nobody can make that key again, and all others are what they were. So no key of a record
// is ever on a disk by itself, and what has to be kept secret, and copied, is one small file.
#ifndef MAILLAGE_REPLICATION_SUBJECT_KEYS_H_
#define MAILLAGE_REPLICATION_SUBJECT_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/id.h"
#include "replication/ports.h"

namespace maillage::replication {

inline constexpr size_t kSubjectKeySize = 32;

// HChaCha20 as a pseudorandom function (Bernstein, "Extending the Salsa20 nonce", 2011, section 3, of ChaCha20): `input` has 16 bytes,
// `key` and what is returned kSubjectKeySize. Measured: 70 ns for a keyed hash's 237, of which each row
// would take 19.
std::string SubKey(const std::string& key, std::string_view input);

// Const methods are thread-safe.
class SubjectKeys {
 public:
  // Names these keys, so that nobody takes those of another store; no secret.
  static constexpr size_t kIdSize = 8;

  static SubjectKeys Generate(Random& random);

  // Pinned by tests/golden/meta/sealed.txt:
  //   version:1 = 1  id:8  varint count; each  levels:1 place:8 seed:32   sorted by levels, then place
  //   BLAKE2b-256 of all that:32
  std::string Encode() const;
  // DataLoss on anything that Encode wouldn't have written.
  static absl::StatusOr<SubjectKeys> Decode(std::string_view bytes);

  const std::string& id() const { return id_; }

  // The key for what is written about the record now. Each that is destroyed is followed by one of the next generation.
  struct Key {
    uint64_t generation = 0;
    // kSubjectKeySize bytes.
    std::string bytes;
  };
  Key Current(const RecordKey& record) const;
  // Nothing where it was destroyed.
  std::optional<std::string> Find(const RecordKey& record, uint64_t generation) const;

  // Destroys Current(record). It is gone once whoever keeps Encode() has replaced all copies of what it was.
  void Destroy(const RecordKey& record);

  bool operator==(const SubjectKeys&) const = default;

 private:
  // Levels from the root, and where it is: its path's digits from the top of the word, 0 below.
  using Node = std::pair<uint8_t, uint64_t>;

  SubjectKeys() = default;
  // The kept seed above a leaf; end() where there is none.
  std::map<Node, std::string>::const_iterator SeedAbove(uint64_t leaf) const;

  std::string id_;
  std::map<Node, std::string> seeds_;
};

}  // namespace maillage::replication

#endif  // MAILLAGE_REPLICATION_SUBJECT_KEYS_H_
