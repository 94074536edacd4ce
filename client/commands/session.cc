#include "client/commands/session.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/commands/time_text.h"
#include "client/kinds.h"
#include "proto/id.h"
#include "proto/quote.h"

namespace maillage::client::commands {

using google::protobuf::Descriptor;

namespace {

constexpr char kUsagePayload[] = "maillage/usage";
constexpr size_t kMinPrefixDigits = 8;
constexpr int kIdPageSize = 1000;

// The names of the kind's records whose ids begin with these digits, two at most. Ids of version 7
// grow with time and a list is in their order, so that the search ends where the ids pass the
// prefix.
absl::StatusOr<std::vector<std::string>> FindByPrefix(Session& session, const Descriptor& kind,
                                                      const std::string& digits) {
  ListOptions options;
  options.page_size = kIdPageSize;
  options.show_deleted = true;
  if (NamingField(kind) != nullptr) options.read_mask.push_back(NamingField(kind)->name());
  std::vector<std::string> found;
  for (const absl::StatusOr<v1::Record>& record :
       session.client().ListRecords(KindOf(kind).name(), options)) {
    if (!record.ok()) return record.status();
    const std::string id = absl::StrReplaceAll(SplitName(record->name()).second, {{"-", ""}});
    if (absl::StartsWith(id, digits)) found.push_back(record->name());
    if (found.size() > 1 || id.substr(0, digits.size()) > digits) break;
  }
  return found;
}

}  // namespace

Session::Session(Environment& environment, Language chosen)
    : env(environment), language(chosen), zone(environment.variable("TZ")) {
  if (zone.empty()) zone = "Europe/Paris";
}

std::string Session::Say(std::string french, std::string english) const {
  return commands::Say(language, std::move(french), std::move(english));
}

Client& Session::client() {
  if (client_ == nullptr) {
    client_ = std::make_unique<Client>(
        env.connect(node), ClientOptions{.person = person, .request_id = env.request_id});
  }
  return *client_;
}

std::string Session::ShortTimeText(absl::Time time) const {
  return ShortTime(time, zone, language);
}

std::string Session::LongTimeText(absl::Time time) const { return LongTime(time, zone, language); }

absl::Status UsageError(const std::string& message) {
  return AsUsageError(absl::InvalidArgumentError(message));
}

absl::Status AsUsageError(const absl::Status& status) {
  absl::Status usage = status;
  if (!usage.ok()) usage.SetPayload(kUsagePayload, absl::Cord("1"));
  return usage;
}

bool IsUsageError(const absl::Status& status) {
  return status.GetPayload(kUsagePayload).has_value();
}

absl::StatusOr<const Descriptor*> RequireKind(const Session& session, const std::string& name) {
  const Descriptor* const kind = FindKind(name);
  if (kind != nullptr) return kind;
  std::vector<std::string> names;
  for (const Descriptor* known : AllKinds()) {
    if (!KindOf(*known).system()) names.push_back(KindOf(*known).name());
  }
  const std::string list = absl::StrJoin(names, ", ");
  return UsageError(session.Say(absl::StrCat(Quote(name), " : type de fiche inconnu ; ", list),
                                absl::StrCat(Quote(name), ": unknown kind; ", list)));
}

absl::StatusOr<Target> ResolveTarget(Session& session, const std::string& kind_text,
                                     const std::string& id_text) {
  std::string kind_name = kind_text;
  std::string id = id_text;
  if (id.empty() && absl::StrContains(kind_text, '/')) {
    std::tie(kind_name, id) = SplitName(kind_text);
  }
  absl::StatusOr<const Descriptor*> kind = RequireKind(session, kind_name);
  if (!kind.ok()) return kind.status();
  if (const auto [other_kind, rest] = SplitName(id); !other_kind.empty()) {
    if (FindKind(other_kind) != *kind) {
      return UsageError(session.Say(absl::StrCat(Quote(id), " n'est pas de type ", kind_name),
                                    absl::StrCat(Quote(id), " is no ", kind_name)));
    }
    id = std::string(rest);
  }
  if (const std::optional<RecordId> uuid = ParseUuid(id)) {
    return Target{*kind, RecordName(**kind, FormatUuid(*uuid))};
  }
  const std::string digits = absl::AsciiStrToLower(absl::StrReplaceAll(id, {{"-", ""}}));
  if (digits.size() < kMinPrefixDigits || !absl::c_all_of(digits, absl::ascii_isxdigit)) {
    return UsageError(session.Say(
        absl::StrCat(Quote(id), " n'est pas un identifiant : un UUID, ou ses 8 premiers chiffres"),
        absl::StrCat(Quote(id), " is no id: a UUID, or its first 8 digits")));
  }
  const absl::StatusOr<std::vector<std::string>> found = FindByPrefix(session, **kind, digits);
  if (!found.ok()) return found.status();
  if (found->empty()) {
    return absl::NotFoundError(
        session.Say(absl::StrCat("aucune fiche dont l'identifiant commence par ", Quote(id)),
                    absl::StrCat("no record whose id begins with ", Quote(id))));
  }
  if (found->size() > 1) {
    return UsageError(
        session.Say(absl::StrCat("plusieurs identifiants commencent par ", Quote(id), " : ",
                                 absl::StrJoin(*found, ", "), "… ; donnez plus de chiffres"),
                    absl::StrCat("several ids begin with ", Quote(id), ": ",
                                 absl::StrJoin(*found, ", "), "…; give more digits")));
  }
  return Target{*kind, found->front()};
}

}  // namespace maillage::client::commands
