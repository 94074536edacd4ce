// watch.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "client/commands/time_text.h"
#include "client/kinds.h"
#include "proto/quote.h"

namespace maillage::client::commands {
namespace {

struct WatchArguments {
  std::string kind;
  std::optional<uint64_t> after;
  size_t count = 0;
  std::string duration;
};

std::vector<std::string> ChangeTexts(const Session& session, const v1::RecordChange& change) {
  std::vector<std::string> texts;
  for (const v1::FieldChange& field : change.fields()) {
    texts.push_back(FieldChangeText(session, field));
  }
  return texts;
}

std::string UnreadableLine(const Session& session, const v1::RecordEvent& event) {
  switch (session.output) {
    case Output::kJson:
      return PrintLine({{"position", event.position()},
                        {"record", {{"name", event.record().name()}}},
                        {"unreadable", event.unreadable()}});
    case Output::kCsv:
      return CsvLine({absl::StrCat(event.position()), "", event.record().name(), "", "", "",
                      event.unreadable()});
    case Output::kTable:
      break;
  }
  return absl::StrCat(event.record().name(), event.record().name().empty() ? "" : "  ",
                      OneLine(event.unreadable()), "\n");
}

std::string EventLine(const Session& session, const v1::RecordEvent& event) {
  if (!event.unreadable().empty()) return UnreadableLine(session, event);
  const v1::RecordChange& change = event.change();
  const absl::Time time = ToTime(change.time());
  switch (session.output) {
    case Output::kJson:
      return PrintLine({{"position", event.position()},
                        {"record", RecordJson(event.record())},
                        {"change", ChangeJson(change)}});
    case Output::kCsv:
      return CsvLine({absl::StrCat(event.position()), MachineTime(time), event.record().name(),
                      TitleOf(event.record()), change.person(), change.site(),
                      absl::StrJoin(ChangeTexts(session, change), " | ")});
    case Output::kTable:
      break;
  }
  const std::string line = absl::StrCat(session.ShortTimeText(time), "  ", event.record().name(),
                                        "  ", OneLine(TitleOf(event.record())), "  (",
                                        AuthorText(session, change.person(), change.site()), ")  ",
                                        absl::StrJoin(ChangeTexts(session, change), " ; "));
  return absl::StrCat(session.env.out_width > 0 ? Truncate(line, session.env.out_width) : line,
                      "\n");
}

absl::Status RunWatch(Session& session, const WatchArguments& arguments) {
  std::string kind_name;
  if (!arguments.kind.empty()) {
    const auto kind = RequireKind(session, arguments.kind);
    if (!kind.ok()) return kind.status();
    kind_name = KindOf(**kind).name();
  }
  absl::Time until = absl::InfiniteFuture();
  if (!arguments.duration.empty()) {
    absl::Duration duration;
    if (!absl::ParseDuration(arguments.duration, &duration) || duration <= absl::ZeroDuration()) {
      return UsageError(session.Say(
          absl::StrCat("--for ", Quote(arguments.duration), " : une durée s'écrit 30s, 5m, 1h30m"),
          absl::StrCat("--for ", Quote(arguments.duration), ": durations are 30s, 5m, 1h30m")));
    }
    until = session.env.now() + duration;
  }
  if (session.output == Output::kCsv) {
    session.env.out << CsvLine({"position", "time", "record", "title", "person", "site", "change"})
                    << std::flush;
  }
  size_t seen = 0;
  const absl::Status status = session.client().WatchRecords(
      kind_name, arguments.after, until, [&](const v1::RecordEvent& event) {
        session.env.out << EventLine(session, event) << std::flush;
        return ++seen != arguments.count && session.env.out.good();
      });
  return absl::IsCancelled(status) && session.env.stopped() ? absl::OkStatus() : status;
}

}  // namespace

void AddWatchCommand(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<WatchArguments>();
  CLI::App* const watch = program.Add(
      "watch",
      session.Say("Montre les changements à mesure qu'ils arrivent, un par ligne, jusqu'à Ctrl-C",
                  "Shows changes as they come, one line each, until Ctrl-C"),
      "  maillage watch\n  maillage watch actor --for 10m\n"
      "  maillage watch --after 1200 --count 5 --output json\n",
      [&session, arguments] { return RunWatch(session, *arguments); });
  watch->add_option(
      "KIND", arguments->kind,
      session.Say("Type de fiche ; tous par défaut", "Kind of record; all by default"));
  watch
      ->add_option("--count", arguments->count,
                   session.Say("S'arrête après ce nombre de changements", "Stops after so many"))
      ->check(CLI::PositiveNumber);
  watch->add_option("--for", arguments->duration,
                    session.Say("S'arrête après cette durée : 30s, 5m", "Stops after: 30s, 5m"));
  watch->add_option("--after", arguments->after,
                    session.Say("Reprend après cette position du nœud",
                                "Resumes after this position of the node"));
}

}  // namespace maillage::client::commands
