#include "client/import/french_date.h"

#include <unicode/dtfmtsym.h>
#include <unicode/locid.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "client/import/concat.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

constexpr int kMaxRangeDays = 31;

// 0 where the text doesn't say.
struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
  // All days from the date before this one to it.
  bool ends_range = false;
};

enum class TokenType { kNumber, kFirst, kMonth, kWeekday, kTo, kAnd, kFiller, kSlash, kDot };

struct Token {
  TokenType type;
  int number = 0;
  size_t digits = 0;
};

struct CalendarWords {
  absl::flat_hash_map<std::string, int> months;
  absl::flat_hash_set<std::string> weekdays;
};

std::string FoldedWord(const icu::UnicodeString& word) {
  std::string utf8;
  word.toUTF8String(utf8);
  std::string folded = FoldText(utf8);
  while (!folded.empty() && folded.back() == '.') folded.pop_back();
  return folded;
}

const CalendarWords& FrenchWords() {
  static const CalendarWords* const words = [] {
    auto* made = new CalendarWords;
    UErrorCode error = U_ZERO_ERROR;
    const icu::DateFormatSymbols symbols(icu::Locale::getFrench(), error);
    for (auto width : {icu::DateFormatSymbols::WIDE, icu::DateFormatSymbols::ABBREVIATED}) {
      int32_t count = 0;
      const icu::UnicodeString* names =
          symbols.getMonths(count, icu::DateFormatSymbols::FORMAT, width);
      for (int32_t i = 0; i < count; ++i) made->months[FoldedWord(names[i])] = i + 1;
      names = symbols.getWeekdays(count, icu::DateFormatSymbols::FORMAT, width);
      for (int32_t i = 1; i < count; ++i) made->weekdays.insert(FoldedWord(names[i]));
    }
    return made;
  }();
  return *words;
}

std::optional<TokenType> WordType(std::string_view word) {
  if (word == "au" || word == "a" || word == "-" || word == "jusqu'au") return TokenType::kTo;
  if (word == "et" || word == "&" || word == "," || word == "puis" || word == ";") {
    return TokenType::kAnd;
  }
  if (word == "du" || word == "de" || word == "le" || word == "les" || word == "en") {
    return TokenType::kFiller;
  }
  if (word == "/") return TokenType::kSlash;
  if (word == ".") return TokenType::kDot;
  if (FrenchWords().weekdays.contains(ToAbsl(word))) return TokenType::kWeekday;
  return std::nullopt;
}

std::optional<Token> WordToken(std::string_view word) {
  if (auto month = FrenchWords().months.find(ToAbsl(word)); month != FrenchWords().months.end()) {
    return Token{TokenType::kMonth, month->second};
  }
  if (auto type = WordType(word)) return Token{*type};
  return std::nullopt;
}

// Maximal runs of digits, of letters, or one sign.
std::string_view TakeWord(std::string_view& text) {
  size_t end = 1;
  const auto is_letter = [](char c) { return absl::ascii_isalpha(c) || c == '\''; };
  if (absl::ascii_isdigit(text[0])) {
    while (end < text.size() && absl::ascii_isdigit(text[end])) ++end;
  } else if (is_letter(text[0])) {
    while (end < text.size() && is_letter(text[end])) ++end;
  }
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

absl::Status NotADate(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      Concat(Quote(text), " n'est pas une date : ", why,
             " (attendu par exemple 2021-02-01, 01/02/2021 ou 1er février 2021)"));
}

absl::StatusOr<std::vector<Token>> Tokenise(std::string_view text) {
  const std::string folded = FoldText(text);
  std::vector<Token> tokens;
  std::string_view rest = folded;
  while (!rest.empty()) {
    if (rest[0] == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    const std::string_view word = TakeWord(rest);
    if (absl::ascii_isdigit(word[0])) {
      int number = 0;
      if (word.size() > 4 || !absl::SimpleAtoi(ToAbsl(word), &number)) {
        return NotADate(text, Concat(Quote(word), " est trop long"));
      }
      if (number == 0) return NotADate(text, "zéro n'est ni un jour, ni un mois, ni un an");
      tokens.push_back({TokenType::kNumber, number, word.size()});
    } else if (word == "er" && !tokens.empty() && tokens.back().type == TokenType::kNumber &&
               tokens.back().number == 1) {
      tokens.back() = {TokenType::kFirst, 1, 1};
    } else if (auto token = WordToken(word)) {
      tokens.push_back(*token);
      // The full stop of an abbreviated month.
      if (token->type == TokenType::kMonth && !rest.empty() && rest[0] == '.') {
        rest.remove_prefix(1);
      }
    } else {
      return NotADate(text, Concat(Quote(word), " n'est pas compris"));
    }
  }
  return tokens;
}

bool IsDay(const Token& token) {
  return token.type == TokenType::kFirst || (token.type == TokenType::kNumber && token.digits <= 2);
}
bool IsYear(const Token& token) { return token.type == TokenType::kNumber && token.digits == 4; }

// Reads the tokens from left to right; days wait for their month, and both for their year.
class Reader {
 public:
  explicit Reader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // An empty text, or why the tokens are no dates.
  std::string Read() {
    while (at_ < tokens_.size()) {
      if (std::string why = Step(); !why.empty()) return why;
    }
    if (range_open_) return "la fin de la période manque";
    if (dates_.empty()) return "aucun jour, mois ou an";
    for (const Date& date : dates_) {
      if (date.month == 0 && date.day != 0) return "le mois manque";
      if (date.year == 0) return "l'année manque, sur quatre chiffres";
    }
    return "";
  }

  const std::vector<Date>& dates() const { return dates_; }

 private:
  const Token* Ahead(size_t distance) const {
    return at_ + distance < tokens_.size() ? &tokens_[at_ + distance] : nullptr;
  }
  bool AheadIs(size_t distance, TokenType type) const {
    const Token* token = Ahead(distance);
    return token != nullptr && token->type == type;
  }
  bool AheadIsDay(size_t distance) const {
    const Token* token = Ahead(distance);
    return token != nullptr && IsDay(*token);
  }
  bool AheadIsYear(size_t distance) const {
    const Token* token = Ahead(distance);
    return token != nullptr && IsYear(*token);
  }

  void Push(Date date) {
    date.ends_range = std::exchange(range_open_, false);
    dates_.push_back(date);
  }

  // 2021-02-01, 2021-02, 01/02/2021, 1.2.2021, 02/2021: the forms made of numbers alone.
  bool TakeNumeric() {
    if (AheadIsYear(0) && AheadIs(1, TokenType::kTo) && AheadIsDay(2) && Ahead(2)->digits == 2) {
      const bool full = AheadIs(3, TokenType::kTo) && AheadIsDay(4) && Ahead(4)->digits == 2;
      Push({Ahead(0)->number, Ahead(2)->number, full ? Ahead(4)->number : 0});
      at_ += full ? 5 : 3;
      return true;
    }
    for (TokenType separator : {TokenType::kSlash, TokenType::kDot, TokenType::kTo}) {
      if (!AheadIsDay(0) || !AheadIs(1, separator)) continue;
      if (AheadIsDay(2) && AheadIs(3, separator) && AheadIsYear(4)) {
        Push({Ahead(4)->number, Ahead(2)->number, Ahead(0)->number});
        at_ += 5;
        return true;
      }
      if (separator == TokenType::kSlash && AheadIsYear(2)) {
        Push({Ahead(2)->number, Ahead(0)->number, 0});
        at_ += 3;
        return true;
      }
    }
    return false;
  }

  std::string TakeMonth(int month) {
    bool waited = false;
    for (auto date = dates_.rbegin(); date != dates_.rend() && date->month == 0; ++date) {
      if (date->day == 0) break;
      date->month = month;
      waited = true;
    }
    if (!waited) Push({0, month, 0});
    return "";
  }

  std::string TakeYear(int year) {
    bool waited = false;
    for (auto date = dates_.rbegin(); date != dates_.rend() && date->year == 0; ++date) {
      if (date->month == 0) return "le mois manque";
      date->year = year;
      waited = true;
    }
    if (!waited) Push({year, 0, 0});
    return "";
  }

  std::string TakeTo() {
    if (dates_.empty() || range_open_) return "une période a un début et une fin";
    range_open_ = true;
    return "";
  }

  std::string Step() {
    if (TakeNumeric()) return "";
    const Token token = tokens_[at_++];
    switch (token.type) {
      case TokenType::kMonth:
        return TakeMonth(token.number);
      case TokenType::kTo:
        return TakeTo();
      case TokenType::kSlash:
      case TokenType::kDot:
        return "barre ou point mal placés";
      case TokenType::kWeekday:
      case TokenType::kAnd:
      case TokenType::kFiller:
        return "";
      case TokenType::kFirst:
      case TokenType::kNumber:
        if (IsYear(token)) return TakeYear(token.number);
        if (!IsDay(token)) return "une année a quatre chiffres";
        Push({0, 0, token.number});
        return "";
    }
    return "";
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  std::vector<Date> dates_;
  bool range_open_ = false;
};

std::string IsoText(const Date& date) {
  if (date.month == 0) return absl::StrFormat("%04d", date.year);
  if (date.day == 0) return absl::StrFormat("%04d-%02d", date.year, date.month);
  return absl::StrFormat("%04d-%02d-%02d", date.year, date.month, date.day);
}

std::chrono::year_month_day Calendar(const Date& date) {
  return std::chrono::year_month_day(std::chrono::year(date.year),
                                     std::chrono::month(static_cast<unsigned>(date.month)),
                                     std::chrono::day(static_cast<unsigned>(date.day)));
}

// An empty text, or why no calendar has the date.
std::string CheckPossible(const Date& date) {
  if (date.year < 1000) return "l'année doit avoir quatre chiffres";
  if (date.month == 0) return "";
  if (date.month < 1 || date.month > 12) return Concat("il n'y a pas de mois ", date.month);
  if (date.day != 0 && !Calendar(date).ok()) {
    return Concat("le ", IsoText(date), " n'existe pas");
  }
  return "";
}

// Appends the days after `from` up to `to`; an empty text, or why that is no range.
std::string AppendRange(const Date& from, const Date& to, std::vector<std::string>& iso) {
  if (from.day == 0 || to.day == 0) return "une période va d'un jour à un jour";
  const std::chrono::sys_days first = Calendar(from);
  const std::chrono::sys_days last = Calendar(to);
  if (last <= first) return "la période finit avant de commencer";
  if ((last - first).count() >= kMaxRangeDays) {
    return Concat("la période dépasse ", kMaxRangeDays, " jours");
  }
  for (auto day = first + std::chrono::days(1); day <= last; day += std::chrono::days(1)) {
    const std::chrono::year_month_day date(day);
    iso.push_back(IsoText({static_cast<int>(date.year()),
                           static_cast<int>(static_cast<unsigned>(date.month())),
                           static_cast<int>(static_cast<unsigned>(date.day()))}));
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseFrenchDates(std::string_view text) {
  absl::StatusOr<std::vector<Token>> tokens = Tokenise(text);
  if (!tokens.ok()) return tokens.status();
  Reader reader(*std::move(tokens));
  if (std::string why = reader.Read(); !why.empty()) return NotADate(text, why);
  std::vector<std::string> iso;
  for (size_t i = 0; i < reader.dates().size(); ++i) {
    const Date& date = reader.dates()[i];
    std::string why = CheckPossible(date);
    if (!why.empty()) return NotADate(text, why);
    if (date.ends_range) {
      why = AppendRange(reader.dates()[i - 1], date, iso);
      if (!why.empty()) return NotADate(text, why);
    } else {
      iso.push_back(IsoText(date));
    }
  }
  absl::flat_hash_set<std::string> seen;
  std::erase_if(iso, [&](const std::string& date) { return !seen.insert(date).second; });
  return iso;
}

}  // namespace maillage::client
