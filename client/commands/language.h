// The two languages of the command line. Each text stands in both, side by side, where it is used.
#ifndef MAILLAGE_CLIENT_COMMANDS_LANGUAGE_H_
#define MAILLAGE_CLIENT_COMMANDS_LANGUAGE_H_

#include <string>
#include <string_view>
#include <utility>

namespace maillage::client::commands {

enum class Language { kFrench, kEnglish };

inline std::string Say(Language language, std::string french, std::string english) {
  return language == Language::kFrench ? std::move(french) : std::move(english);
}

// English for locales such as "en_GB.UTF-8"; French for all others, "C" and none among them.
inline Language LanguageOfLocale(std::string_view locale) {
  return locale.substr(0, 2) == "en" ? Language::kEnglish : Language::kFrench;
}

}  // namespace maillage::client::commands

#endif  // MAILLAGE_CLIENT_COMMANDS_LANGUAGE_H_
