#include "server/query/filter_syntax.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proto/quote.h"
#include "server/query/input_error.h"
#include "server/query/limits.h"
#include "unicode/utf8.h"

namespace maillage {
namespace {

struct ComparatorName {
  std::string_view text;
  FilterComparator comparator;
};

// Longer ones first, to be read first.
constexpr ComparatorName kComparators[] = {
    {"<=", FilterComparator::kLessOrEqual}, {">=", FilterComparator::kGreaterOrEqual},
    {"!=", FilterComparator::kNotEqual},    {"<", FilterComparator::kLess},
    {">", FilterComparator::kGreater},      {"=", FilterComparator::kEqual},
    {":", FilterComparator::kHas},
};

// An argument that is a group distributes its restriction over the literals inside.
struct Restricted {
  std::string_view path;
  size_t position;
  FilterComparator comparator;
};

FilterSyntax Group(FilterSyntax::Kind kind, std::vector<FilterSyntax> operands) {
  if (operands.size() == 1) return std::move(operands.front());
  FilterSyntax group;
  group.kind = kind;
  group.operands = std::move(operands);
  return group;
}

// A recursive descent, one method for each rule of the grammar:
//
//   expression = sequence {"AND" sequence}
//   sequence   = factor {factor}
//   factor     = term {"OR" term}
//   term       = ["NOT" | "-"] simple
//   simple     = "(" expression ")" | string | word [comparator argument]
//   argument   = string | word | "(" expression ")"      the latter of literals alone
class Parser {
 public:
  explicit Parser(std::string_view filter) : filter_(filter) {}

  absl::StatusOr<FilterSyntax> Parse() {
    if (AtEnd()) return FilterSyntax();
    absl::StatusOr<FilterSyntax> expression = ParseExpression();
    if (expression.ok() && !AtEnd()) return Error("parenthèse fermée sans avoir été ouverte");
    return expression;
  }

 private:
  absl::StatusOr<FilterSyntax> ParseExpression() {
    std::vector<FilterSyntax> operands;
    do {
      absl::StatusOr<FilterSyntax> sequence = ParseSequence();
      if (!sequence.ok()) return sequence;
      operands.push_back(*std::move(sequence));
    } while (TakeKeyword("AND"));
    return Group(FilterSyntax::Kind::kAnd, std::move(operands));
  }

  absl::StatusOr<FilterSyntax> ParseSequence() {
    std::vector<FilterSyntax> operands;
    do {
      absl::StatusOr<FilterSyntax> factor = ParseFactor();
      if (!factor.ok()) return factor;
      operands.push_back(*std::move(factor));
      const bool separated = SkipSpaces();
      if (AtEnd() || filter_[at_] == ')' || IsKeyword("AND")) break;
      if (!separated) return Error("il manque un espace entre deux conditions");
    } while (true);
    return Group(FilterSyntax::Kind::kAnd, std::move(operands));
  }

  absl::StatusOr<FilterSyntax> ParseFactor() {
    std::vector<FilterSyntax> operands;
    do {
      absl::StatusOr<FilterSyntax> term = ParseTerm();
      if (!term.ok()) return term;
      operands.push_back(*std::move(term));
    } while (TakeKeyword("OR"));
    return Group(FilterSyntax::Kind::kOr, std::move(operands));
  }

  absl::StatusOr<FilterSyntax> ParseTerm() {
    bool negated = TakeKeyword("NOT");
    if (!negated && !AtEnd() && filter_[at_] == '-') {
      negated = true;
      ++at_;
      if (at_ == filter_.size() || absl::ascii_isspace(filter_[at_])) {
        --at_;
        return Error(
            "un tiret nie la condition qui le suit sans espace\u00A0; pour chercher un tiret, le "
            "mettre entre guillemets");
      }
    }
    absl::StatusOr<FilterSyntax> simple = ParseSimple();
    if (!simple.ok() || !negated) return simple;
    FilterSyntax negation;
    negation.kind = FilterSyntax::Kind::kNot;
    negation.operands.push_back(*std::move(simple));
    return negation;
  }

  absl::StatusOr<FilterSyntax> ParseSimple() {
    if (AtEnd()) return Error("il manque une condition");
    for (const std::string_view keyword : {"AND", "OR", "NOT"}) {
      if (IsKeyword(keyword)) {
        return Error(absl::StrCat("une condition est attendue avant ", Quote(keyword)));
      }
    }
    if (filter_[at_] == ')') return Error("une condition est attendue avant la parenthèse");
    if (filter_[at_] == '-') return Error("une condition est niée deux fois");
    if (filter_[at_] == '(') return ParseGroup();
    return ParseRestriction();
  }

  absl::StatusOr<FilterSyntax> ParseGroup() {
    if (depth_ == kMaxFilterDepth) {
      return Error(absl::StrCat("plus de ", kMaxFilterDepth, " parenthèses imbriquées"));
    }
    const size_t opened = at_++;
    ++depth_;
    absl::StatusOr<FilterSyntax> expression = ParseExpression();
    --depth_;
    if (!expression.ok()) return expression;
    if (AtEnd()) return FilterError(filter_, opened, "parenthèse ouverte et jamais fermée");
    ++at_;
    return expression;
  }

  absl::StatusOr<FilterSyntax> ParseRestriction() {
    const size_t begin = at_;
    const bool quoted = AtQuote();
    absl::StatusOr<FilterLiteral> literal = ParseLiteral(/*is_argument=*/false);
    if (!literal.ok()) return literal.status();
    const std::string_view written = filter_.substr(begin, at_ - begin);
    const size_t end = at_;
    SkipSpaces();
    const size_t comparator_position = at_;
    const std::optional<FilterComparator> comparator = TakeComparator();
    if (!comparator.has_value()) {
      at_ = end;
      return AtFunction() ? Error("les fonctions ne sont pas prises en charge")
                          : absl::StatusOr<FilterSyntax>(Leaf(*std::move(literal)));
    }
    if (quoted) {
      return FilterError(filter_, begin, "un nom de champ s'écrit sans guillemets");
    }
    if (restricted_ != nullptr) {
      return FilterError(
          filter_, comparator_position,
          "ces parenthèses suivent une comparaison et ne contiennent que des valeurs");
    }
    return ParseArgument({written, begin, *comparator});
  }

  absl::StatusOr<FilterSyntax> ParseArgument(const Restricted& restricted) {
    const std::string comparator = Quote(ComparatorText(restricted.comparator));
    if (AtEnd() || filter_[at_] == ')' || IsKeyword("AND") || IsKeyword("OR") || IsKeyword("NOT") ||
        IsComparator()) {
      return Error(absl::StrCat("une valeur est attendue après ", comparator));
    }
    const bool group = filter_[at_] == '(';
    if (group && restricted.comparator != FilterComparator::kEqual &&
        restricted.comparator != FilterComparator::kHas) {
      return Error(
          absl::StrCat("plusieurs valeurs entre parenthèses ne suivent que «\u00A0=\u00A0» ou "
                       "«\u00A0:\u00A0», pas ",
                       comparator));
    }
    restricted_ = &restricted;
    absl::StatusOr<FilterSyntax> argument = group ? ParseGroup() : ParseValue();
    restricted_ = nullptr;
    return argument;
  }

  absl::StatusOr<FilterSyntax> ParseValue() {
    absl::StatusOr<FilterLiteral> literal = ParseLiteral(/*is_argument=*/true);
    if (!literal.ok()) return literal.status();
    return Leaf(*std::move(literal));
  }

  // A literal by itself, or compared with the path whose argument is being read.
  FilterSyntax Leaf(FilterLiteral literal) const {
    FilterSyntax leaf;
    leaf.kind = FilterSyntax::Kind::kLiteral;
    if (restricted_ != nullptr) {
      leaf.kind = FilterSyntax::Kind::kRestriction;
      leaf.path = restricted_->path;
      leaf.position = restricted_->position;
      leaf.comparator = restricted_->comparator;
    }
    leaf.literal = std::move(literal);
    return leaf;
  }

  absl::StatusOr<FilterLiteral> ParseLiteral(bool is_argument) {
    for (const std::string_view quote : {"«", "»", "“", "”", "„"}) {
      if (filter_.substr(at_, quote.size()) != quote) continue;
      return Error("les guillemets d'un filtre sont droits\u00A0: \"…\" ou '…'");
    }
    FilterLiteral literal;
    literal.position = at_;
    if (AtQuote()) {
      const absl::Status status = ReadString(&literal);
      if (!status.ok()) return status;
      return literal;
    }
    const std::string_view word = WordAt(at_, is_argument);
    if (word.empty()) {
      return Error(absl::StrCat("un nom de champ ou une valeur est attendu avant ",
                                Quote(filter_.substr(at_, 1))));
    }
    at_ += word.size();
    for (size_t i = 0; i < word.size(); ++i) AppendUnescaped(word, i, &literal);
    return literal;
  }

  // Takes a * at either end of the text as a wildcard.
  static void AppendUnescaped(std::string_view text, size_t i, FilterLiteral* literal) {
    const bool first = i == 0;
    const bool last = i + 1 == text.size();
    if (text[i] != '*' || (!first && !last)) {
      literal->text.push_back(text[i]);
      return;
    }
    literal->any_before |= first;
    literal->any_after |= last;
  }

  absl::Status ReadString(FilterLiteral* literal) {
    const size_t begin = at_;
    const char quote = filter_[at_++];
    const size_t first = at_;
    for (; at_ < filter_.size() && filter_[at_] != quote; ++at_) {
      const char byte = filter_[at_];
      if (byte == '*') {
        const bool last = at_ + 1 < filter_.size() && filter_[at_ + 1] == quote;
        literal->any_before |= at_ == first;
        literal->any_after |= last;
        if (at_ != first && !last) literal->text.push_back(byte);
      } else if (byte == '\\' && at_ + 1 < filter_.size()) {
        const std::optional<char> escaped = Unescape(filter_[++at_]);
        if (!escaped.has_value()) {
          return FilterError(filter_, at_ - 1,
                             "une barre oblique inverse précède \", ', \\, *, n ou t");
        }
        literal->text.push_back(*escaped);
      } else {
        literal->text.push_back(byte);
      }
    }
    if (at_ == filter_.size()) {
      return FilterError(filter_, begin, "guillemet ouvert et jamais fermé");
    }
    ++at_;
    return absl::OkStatus();
  }

  static std::optional<char> Unescape(char escaped) {
    switch (escaped) {
      case '"':
      case '\'':
      case '\\':
      case '*':
        return escaped;
      case 'n':
        return '\n';
      case 't':
        return '\t';
      default:
        return std::nullopt;
    }
  }

  // Apostrophes stand inside of French words, colons inside of arguments: times and addresses.
  std::string_view WordAt(size_t begin, bool is_argument) const {
    size_t end = begin;
    while (end < filter_.size()) {
      const char byte = filter_[end];
      const bool differs = byte == '!' && filter_.substr(end, 2) == "!=";
      if (absl::ascii_isspace(byte) || differs) break;
      if (std::string_view("()\"<>=").find(byte) != std::string_view::npos) break;
      if (byte == ':' && !is_argument) break;
      ++end;
    }
    return filter_.substr(begin, end - begin);
  }

  bool SkipSpaces() {
    const size_t begin = at_;
    while (at_ < filter_.size() && absl::ascii_isspace(filter_[at_])) ++at_;
    return at_ != begin;
  }

  bool AtEnd() {
    SkipSpaces();
    return at_ == filter_.size();
  }

  bool AtQuote() const { return filter_[at_] == '"' || filter_[at_] == '\''; }
  bool AtFunction() const { return at_ < filter_.size() && filter_[at_] == '('; }

  bool IsKeyword(std::string_view keyword) const {
    return WordAt(at_, /*is_argument=*/true) == keyword;
  }

  // Skips spaces only before a keyword that it takes.
  bool TakeKeyword(std::string_view keyword) {
    const size_t begin = at_;
    SkipSpaces();
    const bool taken = IsKeyword(keyword);
    at_ = taken ? at_ + keyword.size() : begin;
    return taken;
  }

  bool IsComparator() const {
    for (const ComparatorName& name : kComparators) {
      if (filter_.substr(at_, name.text.size()) == name.text) return true;
    }
    return false;
  }

  std::optional<FilterComparator> TakeComparator() {
    for (const ComparatorName& name : kComparators) {
      if (filter_.substr(at_, name.text.size()) != name.text) continue;
      at_ += name.text.size();
      return name.comparator;
    }
    return std::nullopt;
  }

  absl::Status Error(std::string_view message) const { return FilterError(filter_, at_, message); }

  const std::string_view filter_;
  size_t at_ = 0;
  int depth_ = 0;
  const Restricted* restricted_ = nullptr;
};

// The byte at which the text stops being UTF-8.
std::optional<size_t> InvalidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    UChar32 c;
    U8_NEXT(text.data(), i, text.size(), c);
    if (c < 0) return begin;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ComparatorText(FilterComparator comparator) {
  for (const ComparatorName& name : kComparators) {
    if (name.comparator == comparator) return name.text;
  }
  return "";
}

absl::StatusOr<FilterSyntax> ParseFilterSyntax(std::string_view filter) {
  if (filter.size() > kMaxFilterBytes) {
    return FilterError(filter, kMaxFilterBytes,
                       absl::StrCat("un filtre a au plus ", kMaxFilterBytes, " octets"));
  }
  if (const std::optional<size_t> position = InvalidUtf8(filter); position.has_value()) {
    return FilterError(filter, *position, "ce n'est pas de l'UTF-8");
  }
  return Parser(filter).Parse();
}

absl::Status FilterError(std::string_view filter, size_t position, std::string_view message) {
  return InputError("filtre", filter, position, message);
}

}  // namespace maillage
