// bundle, snapshot.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/progress.h"
#include "client/commands/time_text.h"

namespace maillage::client::commands {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kKiB = 1024;
// As the node's own: a progress bar moves, and a message stays far below gRPC's 4 MB.
constexpr size_t kPieceBytes = 256 * kKiB;

// A file that is there only once it is whole and on the disk.
class NewFile {
 public:
  explicit NewFile(fs::path path) : path_(std::move(path)), part_(path_.string() + ".part") {}
  ~NewFile() {
    if (file_ != nullptr) std::fclose(file_);
    std::error_code ignored;
    if (!kept_) fs::remove(part_, ignored);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  absl::Status Open(const Session& session) {
    if (std::error_code ignored; fs::exists(path_, ignored)) {
      return absl::AlreadyExistsError(absl::StrCat(
          path_.string(), session.Say(" existe déjà : donnez un autre nom, ou effacez-le",
                                      " exists already: give another name, or remove it")));
    }
    file_ = std::fopen(part_.c_str(), "wb");
    return file_ != nullptr ? absl::OkStatus() : Failed();
  }
  absl::Status Append(const std::string& bytes) {
    size_ += bytes.size();
    return std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size() ? absl::OkStatus() : Failed();
  }
  // People unplug a key as soon as they are told that it is written.
  absl::Status Keep() {
    if (std::fflush(file_) != 0 || fsync(fileno(file_)) != 0) return Failed();
    if (std::rename(part_.c_str(), path_.c_str()) != 0) return Failed();
    kept_ = true;
    return absl::OkStatus();
  }
  uint64_t size() const { return size_; }

 private:
  absl::Status Failed() const {
    return absl::ErrnoToStatus(errno, path_.string());
  }

  const fs::path path_;
  const fs::path part_;
  std::FILE* file_ = nullptr;
  uint64_t size_ = 0;
  bool kept_ = false;
};

// "lyon → savoie (73)", "lyon (73)".
std::string Whose(const v1::BundleSummary& summary) {
  std::string text = summary.site();
  if (!summary.receiver().empty()) absl::StrAppend(&text, " → ", summary.receiver());
  return absl::StrCat(text, " (", summary.scope(), ")");
}

absl::Status RunExport(Session& session, const std::string& path, const v1::ExportBundleRequest& request) {
  NewFile file(path);
  if (absl::Status status = file.Open(session); !status.ok()) return status;
  v1::BundleSummary summary;
  uint64_t records = 0;
  std::optional<Progress> bar;
  absl::Status made = session.client().connection().ExportBundle(request, [&](const v1::BundlePart& part) {
    if (part.has_summary()) summary = part.summary();
    records = part.records_done();
    if (!bar.has_value()) bar.emplace(session, summary.records(), session.Say("fiches", "records"));
    bar->Show(records);
    return file.Append(part.data());
  });
  bar.reset();
  if (made.ok()) made = file.Keep();
  if (!made.ok()) return made;
  if (session.output == Output::kJson) {
    Json json = ToJson(summary, JsonDefaults::kPrint);
    json["file"] = path;
    json["bytes"] = file.size();
    json["sent"] = records;
    session.env.out << Print(json);
    return absl::OkStatus();
  }
  session.env.out << path << session.Say(" : ", ": ") << Whose(summary) << ", "
                  << (summary.whole() ? session.Say("tout le périmètre, ", "the whole scope, ")
                                      : session.Say("ce qui est nouveau, ", "what is new, "))
                  << summary.records() << session.Say(" fiches dans le périmètre, ", " records in the scope, ")
                  << records << session.Say(" modifications ou fiches entières, ", " changes or whole records, ")
                  << file.size() << session.Say(" octets\n", " bytes\n");
  return absl::OkStatus();
}

// What to do next.
std::string Advice(const Session& session, const v1::BundleSummary& summary, const v1::BundleOutcome& outcome) {
  const std::string reply = absl::StrCat("maillage bundle export --for ", summary.site(), " ",
                                         session.Say("FICHIER", "FILE"));
  if (outcome.twin()) {
    return session.Say("Un site existe en double, et cela ne se règle que par le réseau : faites-les se rencontrer. "
                       "Rien d'autre n'a été pris.\n",
                       "A site exists twice, and only a meeting over the network settles that. Nothing more was taken.\n");
  }
  if (outcome.gaps()) {
    return session.Say(absl::StrCat("Il manque ce qui précède. La réponse le dira à ", summary.site(),
                                    ", dont le lot suivant aura tout : ", reply, "\n"),
                       absl::StrCat("What came before is missing. The answer will say so, and the next bundle from ",
                                    summary.site(), " will have it all: ", reply, "\n"));
  }
  std::string text;
  if (outcome.leaving_records() > 0) {
    absl::StrAppend(&text, outcome.leaving_records(),
                    session.Say(" fiches quittent ce site dès qu'un autre aura toutes leurs modifications.\n",
                                " records leave this site once another one has all their changes.\n"));
  }
  if (outcome.equal()) {
    return text + session.Say("Les deux sites tiennent la même chose.\n", "Both sites hold the same.\n");
  }
  return text + session.Say(absl::StrCat("Ce site a ce que ", summary.site(), " n'avait pas encore : ", reply, "\n"),
                            absl::StrCat("This site has what ", summary.site(), " had not yet: ", reply, "\n"));
}

absl::Status PrintOutcome(Session& session, const v1::BundleSummary& summary, const v1::BundleOutcome& outcome) {
  if (outcome.gaps() || outcome.twin()) session.exit_code = kDegraded;
  if (session.output == Output::kJson) {
    session.env.out << Print(Json{{"bundle", ToJson(summary, JsonDefaults::kPrint)},
                                  {"outcome", ToJson(outcome, JsonDefaults::kPrint)}});
    return absl::OkStatus();
  }
  session.env.out << Whose(summary) << session.Say(", du ", ", of ")
                  << session.ShortTimeText(absl::FromUnixMillis(static_cast<int64_t>(summary.created())))
                  << session.Say(" : ", ": ") << outcome.changes() << session.Say(" modifications, ", " changes, ")
                  << outcome.states() << session.Say(" fiches entières, ", " whole records, ") << outcome.stubs()
                  << session.Say(" fiches abrégées\n", " stubs\n") << Advice(session, summary, outcome);
  return absl::OkStatus();
}

absl::Status RunImport(Session& session, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code unknown;
  const uint64_t size = fs::file_size(path, unknown);
  if (!file || unknown) return absl::NotFoundError(absl::StrCat(path, session.Say(" : illisible", ": can't be read")));
  v1::BundleSummary summary;
  std::optional<v1::BundleOutcome> outcome;
  std::optional<Progress> bar;
  bar.emplace(session, size / kKiB, session.Say("Kio", "KiB"));
  bool resumed = false;
  const absl::Status taken = session.client().connection().ImportBundle(
      [&]() -> std::optional<v1::BundlePart> {
        v1::BundlePart part;
        part.mutable_data()->resize(kPieceBytes);
        file.read(part.mutable_data()->data(), static_cast<std::streamsize>(kPieceBytes));
        part.mutable_data()->resize(static_cast<size_t>(file.gcount()));
        if (part.data().empty()) return std::nullopt;
        part.set_person(session.person);
        return part;
      },
      [&](const v1::ImportBundleProgress& progress) {
        if (progress.has_summary()) summary = progress.summary();
        if (progress.has_outcome()) outcome = progress.outcome();
        resumed = resumed || progress.resumed();
        bar->Show(progress.bytes_done() / kKiB);
      });
  bar.reset();
  if (!taken.ok()) {
    return absl::Status(taken.code(),
                        absl::StrCat(path, session.Say(" : ", ": "), taken.message(),
                                     session.Say(" ; ce qui a été lu avant est gardé", "; what was read before is kept")));
  }
  if (!outcome.has_value()) return absl::InternalError(session.Say("le nœud n'a rien conclu", "the node concluded nothing"));
  if (resumed && session.output == Output::kTable) {
    session.env.out << session.Say("Repris là où il s'était arrêté.\n", "Gone on with where it had stopped.\n");
  }
  return PrintOutcome(session, summary, *outcome);
}

struct Arguments {
  std::string file;
  std::string receiver;
  std::string scope;
  bool whole = false;
};

absl::Status RunCommand(Session& session, const CLI::App& exports, const Arguments& arguments) {
  if (!exports.parsed()) return RunImport(session, arguments.file);
  v1::ExportBundleRequest request;
  request.set_receiver(arguments.receiver);
  request.set_scope(arguments.scope);
  request.set_whole(arguments.whole);
  request.set_person(session.person);
  return RunExport(session, arguments.file, request);
}

CLI::App* AddFileCommand(CLI::App& parent, const Session& session, const std::string& name, std::string description,
                         Arguments& arguments) {
  CLI::App* const command = parent.add_subcommand(name, std::move(description));
  command->add_option("FILE", arguments.file, session.Say("Le fichier", "The file"))->required();
  return command;
}

void AddBundleCommand(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<Arguments>();
  auto exports = std::make_shared<CLI::App*>(nullptr);
  CLI::App* const bundle = program.Add(
      "bundle",
      session.Say("Échange avec un site sans réseau, par fichiers, dans les deux sens",
                  "Exchanges with a site without a network, by files, both ways"),
      "  maillage bundle export --for savoie cle/lyon-savoie.lot\n"
      "  maillage bundle import cle/savoie-lyon.lot\n",
      [&session, arguments, exports] { return RunCommand(session, **exports, *arguments); });
  bundle->require_subcommand(1);
  *exports = AddFileCommand(*bundle, session, "export",
                            session.Say("Écrit un lot pour un site : ce que son dernier lot ne disait pas avoir",
                                        "Writes a bundle for a site: what its last one didn't say it has"),
                            *arguments);
  (*exports)
      ->add_option("--for", arguments->receiver, session.Say("Le site, par son nom ou son identifiant",
                                                             "The site, by its name or id"))
      ->required();
  (*exports)->add_flag("--whole", arguments->whole,
                       session.Say("Tout ce que le site tient, quoi qu'il ait déjà",
                                   "All that the site holds, whatever it has already"));
  AddFileCommand(*bundle, session, "import",
                 session.Say("Prend un lot ; deux fois ne change rien", "Takes a bundle in; twice changes nothing"),
                 *arguments);
}

void AddSnapshotCommand(Program& program) {
  Session& session = program.session;
  auto arguments = std::make_shared<Arguments>();
  auto save = std::make_shared<CLI::App*>(nullptr);
  CLI::App* const snapshot = program.Add(
      "snapshot",
      session.Say("De quoi commencer un nouveau site sans passer par le réseau",
                  "What a new site begins with, without the network"),
      "  maillage snapshot save --scope 73 cle/savoie.lot\n"
      "  maillage snapshot load cle/savoie.lot\n",
      [&session, arguments, save] { return RunCommand(session, **save, *arguments); });
  snapshot->require_subcommand(1);
  *save = AddFileCommand(*snapshot, session, "save",
                         session.Say("Écrit tout un périmètre", "Writes a whole scope"), *arguments);
  (*save)->add_option("--scope", arguments->scope,
                      session.Say("Comme pour « sites set-scope » ; par défaut tout",
                                  "As for \"sites set-scope\"; everything by default"));
  AddFileCommand(*snapshot, session, "load",
                 session.Say("Le prend ; interrompu, il reprend où il en était",
                             "Takes it in; interrupted, it goes on where it was"),
                 *arguments);
}

}  // namespace

void AddBundleCommands(Program& program) {
  AddBundleCommand(program);
  AddSnapshotCommand(program);
}

}  // namespace maillage::client::commands
