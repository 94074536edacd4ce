#include "tests/replication/support/literals.h"

#include <cctype>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/absl_view.h"
#include "replication/check.h"

namespace maillage::replication {

void PrintTo(const VersionVector& vector, std::ostream* out) { *out << testing::Show(vector); }
void PrintTo(const Dot& dot, std::ostream* out) { *out << testing::Show(dot); }

namespace testing {

SiteId SiteOf(char letter) { return *SiteId::FromBytes(std::string(SiteId::kSize, letter)); }

RecordId IdOf(uint64_t number) {
  std::string bytes(RecordId::kSize, '\0');
  for (size_t i = 0; i < sizeof(number); ++i) {
    bytes[RecordId::kSize - 1 - i] = static_cast<char>(number >> (8 * i));
  }
  return *RecordId::FromBytes(bytes);
}

Dot ParseDot(std::string_view text) {
  MAILLAGE_CHECK(!text.empty() && text[0] >= 'a' && text[0] <= 'z');
  Dot dot{{SiteOf(text[0]), 1, 1}, 0};
  text.remove_prefix(1);
  for (; !text.empty() && (text[0] == '~' || text[0] == '\''); text.remove_prefix(1)) {
    ++(text[0] == '~' ? dot.actor.incarnation : dot.actor.epoch);
  }
  MAILLAGE_CHECK(absl::SimpleAtoi(ToAbsl(text), &dot.n) && dot.n > 0);
  return dot;
}

VersionVector ParseVector(std::string_view text) {
  VersionVector vector;
  for (const absl::string_view dot : absl::StrSplit(ToAbsl(text), ' ', absl::SkipEmpty())) {
    vector.Add(ParseDot(ToStd(dot)));
  }
  return vector;
}

std::string Show(const Dot& dot) {
  const char letter = dot.actor.site.bytes()[0];
  const bool ours = dot.actor.site == SiteOf(letter) && dot.actor.incarnation - 1 < 8 &&
                    dot.actor.epoch - 1 < 8 && std::islower(static_cast<unsigned char>(letter));
  if (!ours) return FormatDot(dot);
  return absl::StrCat(std::string(1, letter), std::string(dot.actor.incarnation - 1, '~'),
                      std::string(dot.actor.epoch - 1, '\''), dot.n);
}

std::string Show(const VersionVector& vector) {
  return absl::StrCat("{",
                      absl::StrJoin(vector.entries(), " ",
                                    [](std::string* out, const VersionVector::Entry& entry) {
                                      out->append(Show(Dot{entry.actor, entry.n}));
                                    }),
                      "}");
}

std::string FromHex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (!std::isspace(static_cast<unsigned char>(c))) digits.push_back(c);
  }
  return absl::HexStringToBytes(digits);
}

std::string ToHex(std::string_view bytes) { return absl::BytesToHexString(ToAbsl(bytes)); }

}  // namespace testing
}  // namespace maillage::replication
