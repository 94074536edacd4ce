#include "replication/change_signature.h"

#include <sodium/randombytes.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "google/protobuf/wire_format_lite.h"
#include "proto/change.pb.h"
#include "replication/check.h"
#include "replication/fingerprint.h"
#include "replication/tuning.h"

namespace maillage::replication {
namespace {

using google::protobuf::internal::WireFormatLite;

// Field 15, of bytes; 64 of them.
constexpr std::string_view kSignatureField = "\x7a\x40";
constexpr size_t kValueSaltSize = 16;

// One field of a message, as it stands in its bytes.
struct Field {
  int number = 0;
  // With tag and length.
  std::string_view bytes;
  // What is in it, where it has a length.
  std::optional<std::string_view> content;
};

// Reads fields one after the other.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  // False where the bytes are no message.
  bool Read(Field& field) {
    const std::string_view from = rest_;
    uint64_t tag = 0;
    if (!Varint(tag) || tag > UINT32_MAX || tag >> kTypeBits == 0) return false;
    field.number = static_cast<int>(tag >> kTypeBits);
    field.content.reset();
    if (!SkipContent(static_cast<uint32_t>(tag) & kTypeMask, field)) return false;
    field.bytes = from.substr(0, from.size() - rest_.size());
    return true;
  }

 private:
  static constexpr int kTypeBits = 3;
  static constexpr uint32_t kTypeMask = 7;

  bool SkipContent(uint32_t type, Field& field) {
    uint64_t number = 0;
    switch (type) {
      case WireFormatLite::WIRETYPE_VARINT:
        return Varint(number);
      case WireFormatLite::WIRETYPE_FIXED64:
        return Skip(sizeof(uint64_t));
      case WireFormatLite::WIRETYPE_FIXED32:
        return Skip(sizeof(uint32_t));
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!Varint(number) || number > rest_.size()) return false;
        field.content = rest_.substr(0, number);
        return Skip(number);
      default:
        // Groups: no message of ours has one.
        return false;
    }
  }
  bool Skip(size_t size) {
    if (size > rest_.size()) return false;
    rest_.remove_prefix(size);
    return true;
  }
  bool Varint(uint64_t& value) {
    value = 0;
    for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
      const auto byte = static_cast<uint8_t>(rest_[i]);
      value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return Skip(i + 1);
    }
    return false;
  }

  std::string_view rest_;
};

// Calls take(field) for each field; false where the bytes are no message, or `take` said so.
template <typename Take>
bool ForEachField(std::string_view bytes, Take take) {
  Field field;
  for (FieldReader reader(bytes); !reader.done();) {
    if (!reader.Read(field) || !take(field)) return false;
  }
  return true;
}

// Of a number below 16.
void AppendField(int number, std::string_view content, std::string& out) {
  out.push_back(static_cast<char>(number << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  size_t rest = content.size();
  for (; rest > 0x7f; rest >>= 7) out.push_back(static_cast<char>(rest | 0x80));
  out.push_back(static_cast<char>(rest));
  out.append(content);
}

bool IsOperation(const Field& field) {
  return field.number == v1::Change::kOperationFieldNumber && field.content.has_value();
}

bool IsSalt(const Field& field) {
  return field.number == v1::Change::kSaltFieldNumber && field.content.has_value();
}

// Once each at most, so that nobody can make a change longer on its way.
bool TakeOnce(const Field& field, size_t size, std::optional<std::string_view>& into) {
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
    const bool whole = ForEachField(bytes, [&](const Field& field) {
      if (IsOperation(field)) {
        const bool hidden = hides(operation);
        return RewriteOperation(*field.content, operation++, hidden, salts == Salts::kOwn && !hidden, out);
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
  // Of the change, or it had one that was taken out with a value.
  bool is_salted() const { return salt_.has_value(); }
  size_t operations() const { return operations_; }

 private:
  bool FindSalts(std::string_view bytes) {
    const bool whole = ForEachField(bytes, [&](const Field& field) {
      operations_ += IsOperation(field) ? 1 : 0;
      return !IsSalt(field) || TakeOnce(field, field.content->empty() ? 0 : kChangeSaltSize, salt_);
    });
    if (!whole || operations_ > kMaxOperations) return false;
    if (!has_change_salt()) return true;
    salts_.resize(operations_ * kValueSaltSize);
    const std::string seed = Hash256(*salt_);
    static_assert(randombytes_SEEDBYTES == kHashSize);
    randombytes_buf_deterministic(salts_.data(), salts_.size(), reinterpret_cast<const unsigned char*>(seed.data()));
    return true;
  }
  bool has_change_salt() const { return salt_.has_value() && !salt_->empty(); }

  bool FindSaltOf(std::string_view operation, size_t number, std::optional<std::string_view>& salt) const {
    if (has_change_salt()) {
      salt = std::string_view(salts_).substr(number * kValueSaltSize, kValueSaltSize);
      return true;
    }
    return ForEachField(operation, [&](const Field& part) {
      if (part.number != v1::Operation::kSaltFieldNumber || !part.content.has_value()) return true;
      return TakeOnce(part, kValueSaltSize, salt);
    });
  }

  bool RewriteOperation(std::string_view bytes, size_t number, bool hides, bool shows_salt, std::string& out) {
    std::optional<std::string_view> salt;
    if (!FindSaltOf(bytes, number, salt)) return false;
    operation_.clear();
    size_t values = 0;
    bool has_value = false;
    const bool fine = ForEachField(bytes, [&](const Field& part) {
      const bool is_value = part.number == v1::Operation::kValueFieldNumber && part.content.has_value();
      const bool is_salt = part.number == v1::Operation::kSaltFieldNumber && part.content.has_value();
      values += is_value || part.number == v1::Operation::kCommitmentFieldNumber ? 1 : 0;
      has_value = has_value || is_value;
      if (is_salt) return !has_change_salt();
      if (!is_value || !hides) {
        operation_.append(part.bytes);
        return true;
      }
      if (!salt.has_value()) return false;
      committed_.assign(*salt).append(*part.content);
      AppendField(v1::Operation::kCommitmentFieldNumber, Hash256(committed_), operation_);
      return true;
    });
    if (!fine || values > 1 || (shows_salt && has_value && !salt.has_value())) return false;
    if (shows_salt && has_value) AppendField(v1::Operation::kSaltFieldNumber, *salt, operation_);
    AppendField(v1::Change::kOperationFieldNumber, operation_, out);
    return true;
  }

  std::optional<std::string_view> salt_;
  size_t operations_ = 0;
  std::string salts_;
  std::string operation_;
  std::string committed_;
};

// Of the signed part of a change, which is given without its signature. Nothing where it has no salts; empty where it is no such
// message.
std::optional<std::string> HashOfSignedPart(std::string_view content) {
  Rewriter rewriter;
  const std::optional<std::string> part = rewriter.Rewrite(content, [](size_t) { return true; }, Rewriter::Salts::kNone);
  if (!rewriter.is_salted()) return std::nullopt;
  return part.has_value() ? Hash256(*part) : "";
}

// What the signature is over; empty: nothing that can be signed.
std::string Signed(std::string_view content, const NetworkId& network) {
  const std::optional<std::string> hash = HashOfSignedPart(content);
  if (hash.has_value() && hash->empty()) return "";
  return std::string(network.bytes()).append(hash.has_value() ? std::string_view(*hash) : content);
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
  const std::optional<std::string> hash = HashOfSignedPart(bytes.substr(0, bytes.size() - signature));
  const bool by_part = hash.has_value() && !hash->empty();
  return (by_part ? *hash : Blake2b256({bytes})).substr(0, kChangeHashSize);
}

void SignChange(const SigningKey& key, const NetworkId& network, std::string& bytes) {
  const std::string message = Signed(bytes, network);
  MAILLAGE_CHECK(!message.empty());
  const std::string signature = key.Sign(kChangeDomain, message);
  MAILLAGE_CHECK(kSignatureField.size() + signature.size() == kSignatureFieldSize);
  bytes.append(kSignatureField).append(signature);
}

bool VerifyChange(std::string_view bytes, const NetworkId& network, std::string_view key) {
  if (!EndsInSignature(bytes)) return false;
  const size_t content = bytes.size() - kSignatureFieldSize;
  const std::string message = Signed(bytes.substr(0, content), network);
  return !message.empty() &&
         VerifySignature(key, kChangeDomain, message, bytes.substr(content + kSignatureField.size()));
}

absl::StatusOr<std::string> WithoutValues(std::string_view bytes) {
  return Rewritten(bytes, [](size_t) { return true; }, 0);
}

absl::StatusOr<std::string> WithoutValue(std::string_view bytes, size_t operation) {
  return Rewritten(bytes, [operation](size_t other) { return other == operation; }, operation + 1);
}

}  // namespace maillage::replication
