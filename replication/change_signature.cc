#include "replication/change_signature.h"

#include <sodium/randombytes.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "google/protobuf/wire_format_lite.h"
#include "proto/change.pb.h"
#include "replication/check.h"
#include "replication/fingerprint.h"
#include "replication/message_fields.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

using google::protobuf::internal::WireFormatLite;

// Field 15, of bytes; 64 of them.
constexpr std::string_view kSignatureField = "\x7a\x40";
static_assert(kMaxTreeProofSize < 128, "its length is one byte");
constexpr size_t kValueSaltSize = 16;

// Of a change's first operations, one after the other.
std::string SaltsOfValues(std::string_view change_salt, size_t operations) {
  std::string salts(operations * kValueSaltSize, '\0');
  const std::string seed = Hash256(change_salt);
  static_assert(randombytes_SEEDBYTES == kHashSize);
  randombytes_buf_deterministic(salts.data(), salts.size(), reinterpret_cast<const unsigned char*>(seed.data()));
  return salts;
}

std::string CommitmentToKey(std::string_view key, std::string_view salt) {
  return Hash256(std::string(salt).append(key), "maillage key");
}

// Of a number below 16.
void AppendField(int number, std::string_view content, std::string& out) {
  out.push_back(static_cast<char>(number << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  size_t rest = content.size();
  for (; rest > 0x7f; rest >>= 7) out.push_back(static_cast<char>(rest | 0x80));
  out.push_back(static_cast<char>(rest));
  out.append(content);
}

bool IsOperation(const MessageField& field) {
  return field.number == v1::Change::kOperationFieldNumber && field.content.has_value();
}

bool IsSalt(const MessageField& field) {
  return field.number == v1::Change::kSaltFieldNumber && field.content.has_value();
}

bool IsProof(const MessageField& field) {
  return field.number == v1::Change::kProofFieldNumber && field.content.has_value();
}

// Once each at most, so that nobody can make a change longer on its way.
bool TakeOnce(const MessageField& field, size_t size, std::optional<std::string_view>& into) {
  if (into.has_value() || field.content->size() != size) return false;
  into = field.content;
  return true;
}

// Rewrites a change by the rules of the header.
class Rewriter {
 public:
  // Which operations lose their value.
  using Hides = std::function<bool(size_t operation)>;

  enum class Salts : uint8_t {
    // As signed: none.
    kNone,
    // That there was one, and those of the values that remain.
    kOwn,
  };

  // Nothing where the bytes are no such message.
  std::optional<std::string> Rewrite(std::string_view bytes, const Hides& hides, Salts salts) {
    if (!FindSalts(bytes)) return std::nullopt;
    std::string out;
    out.reserve(bytes.size());
    size_t operation = 0;
    const bool whole = ForEachField(bytes, [&](const MessageField& field) {
      if (IsOperation(field)) {
        const bool hidden = hides(operation);
        return RewriteOperation(*field.content, operation++, hidden, salts == Salts::kOwn && !hidden, out);
      }
      if (IsProof(field)) {
        if (salts == Salts::kOwn) out.append(field.bytes);
        return TakeProof(field);
      }
      if (!IsSalt(field)) {
        out.append(field.bytes);
      } else if (salts == Salts::kOwn) {
        AppendField(v1::Change::kSaltFieldNumber, "", out);
      }
      return true;
    });
    return whole ? std::optional(std::move(out)) : std::nullopt;
  }
  // How it is one of several that were signed together; at most once in its bytes.
  const std::optional<std::string_view>& proof() const { return proof_; }
  // Of the change, or it had one that was taken out with a value.
  bool is_salted() const { return salt_.has_value(); }
  size_t operations() const { return operations_; }

 private:
  bool FindSalts(std::string_view bytes) {
    const bool whole = ForEachField(bytes, [&](const MessageField& field) {
      operations_ += IsOperation(field) ? 1 : 0;
      return !IsSalt(field) || TakeOnce(field, field.content->empty() ? 0 : kChangeSaltSize, salt_);
    });
    if (!whole || operations_ > kMaxOperations) return false;
    if (has_change_salt()) salts_ = SaltsOfValues(*salt_, operations_);
    return true;
  }
  bool TakeProof(const MessageField& field) {
    if (proof_.has_value()) return false;
    proof_ = field.content;
    return true;
  }
  bool has_change_salt() const { return salt_.has_value() && !salt_->empty(); }

  bool FindSaltOf(std::string_view operation, size_t number, std::optional<std::string_view>& salt) const {
    if (has_change_salt()) {
      salt = std::string_view(salts_).substr(number * kValueSaltSize, kValueSaltSize);
      return true;
    }
    return ForEachField(operation, [&](const MessageField& part) {
      if (part.number != v1::Operation::kSaltFieldNumber || !part.content.has_value()) return true;
      return TakeOnce(part, kValueSaltSize, salt);
    });
  }

  // The fields of an operation that take part in the rewriting.
  struct Parts {
    std::optional<std::string_view> value;
    // Where it is personal.
    std::optional<std::string_view> key;
    size_t values = 0;
    size_t keys = 0;
    bool has_own_salt = false;
    bool personal = false;
    // Something that its salt is for.
    bool has_secret() const { return value.has_value() || key.has_value(); }
  };

  static bool FindParts(std::string_view bytes, Parts& parts) {
    std::optional<std::string_view> key;
    const bool whole = ForEachField(bytes, [&](const MessageField& part) {
      const bool told = part.content.has_value();
      switch (part.number) {
        case v1::Operation::kKeyFieldNumber:
          if (told) key = part.content;
          ++parts.keys;
          break;
        case v1::Operation::kValueFieldNumber:
          if (told) parts.value = part.content;
          ++parts.values;
          break;
        case v1::Operation::kCommitmentFieldNumber: ++parts.values; break;
        case v1::Operation::kKeyCommitmentFieldNumber: ++parts.keys; break;
        case v1::Operation::kSaltFieldNumber: parts.has_own_salt = parts.has_own_salt || told; break;
        case v1::Operation::kPersonalFieldNumber: parts.personal = true; break;
        default: break;
      }
      return true;
    });
    if (parts.personal) parts.key = key;
    return whole && parts.values <= 1 && (parts.keys <= 1 || !parts.personal);
  }

  bool RewriteOperation(std::string_view bytes, size_t number, bool hides, bool shows_salt, std::string& out) {
    std::optional<std::string_view> salt;
    Parts parts;
    if (!FindSaltOf(bytes, number, salt) || !FindParts(bytes, parts)) return false;
    if (parts.has_own_salt && has_change_salt()) return false;
    if ((hides || shows_salt) && parts.has_secret() && !salt.has_value()) return false;
    operation_.clear();
    ForEachField(bytes, [&](const MessageField& part) {
      if (part.number == v1::Operation::kSaltFieldNumber && part.content.has_value()) return true;
      if (hides && parts.value.has_value() && part.number == v1::Operation::kValueFieldNumber) {
        AppendField(v1::Operation::kCommitmentFieldNumber, CommitmentTo(*parts.value, *salt), operation_);
      } else if (hides && parts.key.has_value() && part.number == v1::Operation::kKeyFieldNumber) {
        AppendField(v1::Operation::kKeyCommitmentFieldNumber, CommitmentToKey(*parts.key, *salt), operation_);
      } else {
        operation_.append(part.bytes);
      }
      return true;
    });
    if (shows_salt && parts.has_secret()) AppendField(v1::Operation::kSaltFieldNumber, *salt, operation_);
    AppendField(v1::Change::kOperationFieldNumber, operation_, out);
    return true;
  }

  std::optional<std::string_view> salt_;
  std::optional<std::string_view> proof_;
  size_t operations_ = 0;
  std::string salts_;
  std::string operation_;
};

struct SignedPart {
  // BLAKE2b-256; empty where the bytes are no such message.
  std::string hash;
  // Where it was signed with others.
  std::optional<std::string_view> proof;
};

// Of a change without its signature. Nothing where it has no salts.
std::optional<SignedPart> SignedPartOf(std::string_view content) {
  Rewriter rewriter;
  const std::optional<std::string> part = rewriter.Rewrite(content, [](size_t) { return true; }, Rewriter::Salts::kNone);
  if (!rewriter.is_salted()) return std::nullopt;
  return SignedPart{part.has_value() ? Hash256(*part) : "", rewriter.proof()};
}

// A signature's purpose, and what it is over; the latter is empty: nothing that can be signed.
struct Message {
  std::string_view domain = kChangeDomain;
  std::string bytes;
};

Message MessageOf(std::string_view content, const NetworkId& network) {
  const std::optional<SignedPart> part = SignedPartOf(content);
  Message message;
  if (part.has_value() && part->hash.empty()) return message;
  std::optional<std::string> head;
  if (part.has_value() && part->proof.has_value()) {
    head = HeadOf(*part->proof, part->hash);
    if (!head.has_value()) return message;
    message.domain = kChangesDomain;
  }
  message.bytes.assign(network.bytes());
  message.bytes.append(head.has_value() ? *head : part.has_value() ? part->hash : content);
  return message;
}

void AppendSignature(std::string_view signature, std::string& bytes) {
  MAILLAGE_CHECK(kSignatureField.size() + signature.size() == kSignatureFieldSize);
  bytes.append(kSignatureField).append(signature);
}

bool EndsInSignature(std::string_view bytes) {
  return bytes.size() >= kSignatureFieldSize &&
         bytes.substr(bytes.size() - kSignatureFieldSize, kSignatureField.size()) == kSignatureField;
}

absl::StatusOr<std::string> Rewritten(std::string_view bytes, const Rewriter::Hides& hides, size_t at_least) {
  Rewriter rewriter;
  std::optional<std::string> rewritten = rewriter.Rewrite(bytes, hides, Rewriter::Salts::kOwn);
  if (!rewritten.has_value() || !rewriter.is_salted()) {
    return absl::InvalidArgumentError("a change without salts, whose values can't be taken out");
  }
  if (rewriter.operations() < at_least) return absl::InvalidArgumentError("the change has no such operation");
  return *std::move(rewritten);
}

}  // namespace

std::string HashOfChange(std::string_view bytes) {
  const size_t signature = EndsInSignature(bytes) ? kSignatureFieldSize : 0;
  const std::optional<SignedPart> part = SignedPartOf(bytes.substr(0, bytes.size() - signature));
  const bool by_part = part.has_value() && !part->hash.empty();
  return (by_part ? part->hash : Blake2b256({bytes})).substr(0, kChangeHashSize);
}

std::string WithRoomForSignature(std::string_view unsigned_bytes) {
  std::string bytes(unsigned_bytes);
  AppendSignature(std::string(kSignatureSize, '\0'), bytes);
  return bytes;
}

void SignChange(const SigningKey& key, const NetworkId& network, std::string& bytes) {
  const Message message = MessageOf(bytes, network);
  MAILLAGE_CHECK(!message.bytes.empty());
  AppendSignature(key.Sign(message.domain, message.bytes), bytes);
}

void SignChanges(const SigningKey& key, const NetworkId& network, const std::vector<std::string*>& changes) {
  for (size_t first = 0; first < changes.size(); first += kMaxSignedTogether) {
    const size_t count = std::min(kMaxSignedTogether, changes.size() - first);
    if (count == 1) {
      SignChange(key, network, *changes[first]);
      continue;
    }
    std::vector<std::string> leaves;
    for (size_t i = 0; i < count; ++i) {
      const std::optional<SignedPart> part = SignedPartOf(*changes[first + i]);
      MAILLAGE_CHECK(part.has_value() && !part->hash.empty());
      leaves.push_back(part->hash);
    }
    const SignatureTree tree = MakeSignatureTree(leaves);
    const std::string signature = key.Sign(kChangesDomain, std::string(network.bytes()).append(tree.head));
    for (size_t i = 0; i < count; ++i) {
      AppendField(v1::Change::kProofFieldNumber, tree.proofs[i], *changes[first + i]);
      AppendSignature(signature, *changes[first + i]);
    }
  }
}

bool VerifyChange(std::string_view bytes, const NetworkId& network, std::string_view key, VerifiedRoots* roots) {
  if (!EndsInSignature(bytes)) return false;
  const size_t content = bytes.size() - kSignatureFieldSize;
  const Message message = MessageOf(bytes.substr(0, content), network);
  if (message.bytes.empty()) return false;
  const std::string_view signature = bytes.substr(content + kSignatureField.size());
  const bool has_root = roots != nullptr && message.domain == kChangesDomain;
  const std::string name = has_root ? Hash256(message.bytes + std::string(signature), key) : "";
  if (has_root && roots->Contains(name)) return true;
  if (!VerifySignature(key, message.domain, message.bytes, signature)) return false;
  if (has_root) roots->Add(name);
  return true;
}

absl::StatusOr<std::string> WithoutValues(std::string_view bytes) {
  return Rewritten(bytes, [](size_t) { return true; }, 0);
}

absl::StatusOr<std::string> WithoutValue(std::string_view bytes, size_t operation) {
  return Rewritten(bytes, [operation](size_t other) { return other == operation; }, operation + 1);
}

absl::StatusOr<std::optional<std::string>> WithoutInternal(std::string_view bytes) {
  v1::Change change;
  if (!change.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("change is no protobuf message");
  }
  const auto& operations = change.operation();
  const auto is_told = [](const v1::Operation& operation) { return operation.internal() && operation.has_value(); };
  if (std::none_of(operations.begin(), operations.end(), is_told)) return std::nullopt;
  return Rewritten(bytes, [&](size_t operation) { return operations.Get(static_cast<int>(operation)).internal(); }, 0);
}

std::string SaltOfValue(std::string_view change_salt, size_t operation) {
  return SaltsOfValues(change_salt, operation + 1).substr(operation * kValueSaltSize);
}

std::string CommitmentTo(std::string_view value, std::string_view salt) {
  return Hash256(std::string(salt).append(value));
}

}  // namespace maillage::replication
