#include "client/commands/progress.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

constexpr size_t kBarWidth = 30;
// Erases to the end of the line.
constexpr char kClearLine[] = "\r\x1b[K";

}  // namespace

Progress::Progress(const Session& session, size_t total, std::string unit)
    : session_(session),
      total_(total),
      unit_(unit.empty() ? session.Say("lignes", "lines") : std::move(unit)),
      start_(session.env.now()) {}

Progress::~Progress() {
  if (session_.env.err_is_terminal) session_.env.err << kClearLine << std::flush;
}

void Progress::Show(size_t done) {
  if (!session_.env.err_is_terminal || total_ == 0) return;
  const size_t filled = kBarWidth * std::min(done, total_) / total_;
  std::string line = absl::StrCat(kClearLine, "[", std::string(filled, '#'),
                                  std::string(kBarWidth - filled, ' '), "] ", done, "/", total_);
  const double seconds = absl::ToDoubleSeconds(session_.env.now() - start_);
  if (done > 0 && seconds > 0) {
    const double rate = static_cast<double>(done) / seconds;
    const absl::Duration left = absl::Seconds(static_cast<double>(total_ - std::min(done, total_)) / rate);
    absl::StrAppend(&line, "  ", static_cast<size_t>(rate),
                    " ", unit_, session_.Say("/s  reste ", "/s  left "),
                    DurationWords(left, session_.language));
  }
  session_.env.err << line << std::flush;
}

}  // namespace maillage::client::commands
