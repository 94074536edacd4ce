#include "client/commands/time_text.h"

#include <unicode/smpdtfmt.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace maillage::client::commands {
namespace {

std::string Format(absl::Time time, const std::string& zone, Language language,
                   const char16_t* pattern) {
  if (time == absl::InfinitePast()) return "-";
  UErrorCode error = U_ZERO_ERROR;
  const icu::Locale locale =
      language == Language::kFrench ? icu::Locale::getFrance() : icu::Locale::getUK();
  icu::SimpleDateFormat format(icu::UnicodeString(pattern), locale, error);
  if (U_FAILURE(error)) return MachineTime(time);
  format.adoptTimeZone(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone)));
  icu::UnicodeString formatted;
  format.format(static_cast<UDate>(absl::ToUnixMillis(time)), formatted);
  std::string text;
  return formatted.toUTF8String(text);
}

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return absl::InfinitePast();
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string ShortTime(absl::Time time, const std::string& zone, Language language) {
  return Format(time, zone, language, u"dd/MM/yyyy HH:mm");
}

std::string LongTime(absl::Time time, const std::string& zone, Language language) {
  return Format(time, zone, language, u"d MMMM yyyy HH:mm");
}

std::string MachineTime(absl::Time time) {
  if (time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string DurationWords(absl::Duration duration, Language language) {
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(duration));
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600) return absl::StrCat(seconds / 60, " min");
  if (seconds < 2 * 86400) return absl::StrCat(seconds / 3600, " h");
  return absl::StrCat(seconds / 86400, language == Language::kFrench ? " j" : " d");
}

}  // namespace maillage::client::commands
