#include "server/trust/trust_commands.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"
#include "replication/membership.h"
#include "replication/schema.h"
#include "server/audit_log.h"
#include "server/backup_files.h"
#include "server/config.h"
#include "server/identity.h"
#include "server/machine.h"
#include "server/node.h"
#include "server/site_list.h"
#include "server/trust/certificate.h"
#include "server/trust/enrolment.h"
#include "server/trust/entries.h"
#include "server/trust/join_code.h"
#include "server/trust/key_file.h"
#include "server/trust/network_file.h"
#include "server/trust/local_node.h"

namespace maillage::server {
namespace {

namespace fs = std::filesystem;
using replication::Member;
using replication::Membership;
using replication::SigningKey;

std::string SixteenBytes() {
  MachineRandom random;
  std::array<uint8_t, 16> bytes;
  random.Fill(bytes);
  return {bytes.begin(), bytes.end()};
}

EntryOrigin OriginOf(const std::string& person) {
  return {!person.empty() ? person : SystemUser(), MachineClock().NowMillis()};
}

std::string ClockText(uint64_t millis) {
  const auto seconds = static_cast<time_t>(millis / 1000);
  struct tm parts = {};
  localtime_r(&seconds, &parts);
  char text[sizeof("14:32")];
  std::strftime(text, sizeof(text), "%H:%M", &parts);
  return text;
}

absl::Status MakeDataFolder(const fs::path& data) {
  std::error_code error;
  fs::create_directories(data, error);
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(data.string(), " : création impossible (", error.message(), ")"));
}

absl::Status CheckOfNoNetwork(const fs::path& data) {
  const auto network = ReadNetworkFile(data);
  std::error_code error;
  if (absl::IsNotFound(network.status()) && !fs::exists(data / kStoreFolder, error)) return absl::OkStatus();
  if (absl::IsNotFound(network.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        data.string(), " : ce dossier a déjà servi, sans réseau, et rien de ce qui y est n'est signé ; prenez un nouveau "
                       "dossier, puis importez-y ce qui a été exporté de celui-ci (maillage export, maillage import)"));
  }
  if (!network.ok()) return network.status();
  return absl::FailedPreconditionError(
      absl::StrCat(data.string(), " : ce site appartient déjà à un réseau ; rien n'a été changé"));
}

// What an antenna needs to sign: its keys, and the log as its node knows it.
struct Antenna {
  SigningKey site;
  SigningKey authority;
  v1::NetworkFile network;
  Membership membership;
};

absl::StatusOr<Antenna> OpenAntenna(const fs::path& data, LocalNode& node) {
  absl::StatusOr<v1::NetworkFile> network = ReadNetworkFile(data);
  if (absl::IsNotFound(network.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(data.string(), " : ce site n'appartient à aucun réseau ; fondez-en un : maillage init"));
  }
  if (!network.ok()) return network.status();
  absl::StatusOr<SigningKey> authority = ReadKey(data / kAuthorityFile);
  if (absl::IsNotFound(authority.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(data.string(), " : ce site n'est pas une antenne (pas de ", kAuthorityFile, ") ; lancez la commande à une antenne"));
  }
  if (!authority.ok()) return authority.status();
  absl::StatusOr<SigningKey> site = ReadKey(data / kIdentityFile);
  if (!site.ok()) return site.status();
  const absl::StatusOr<v1::MembershipLog> log = node.Log();
  if (!log.ok()) return log.status();
  *network->mutable_log() = *log;
  absl::StatusOr<Membership> membership = Membership::Of(*replication::NetworkId::FromBytes(network->network()), *log);
  if (!membership.ok()) return membership.status();
  if (!membership->IsAuthority(authority->public_key())) {
    return absl::PermissionDeniedError("cette antenne n'en est plus une, ou pas encore pour ce nœud : maillage members");
  }
  return Antenna{*std::move(site), *std::move(authority), *std::move(network), *std::move(membership)};
}

absl::StatusOr<std::optional<SigningKey>> ReadRecovery(const fs::path& file, const Membership& membership) {
  if (file.empty()) return std::nullopt;
  absl::StatusOr<SigningKey> key = ReadKey(file);
  if (!key.ok()) return key.status();
  if (key->public_key() != membership.recovery_key()) {
    return absl::FailedPreconditionError(absl::StrCat(file.string(), " : ce n'est pas la clé de secours de ce réseau"));
  }
  return std::optional<SigningKey>(*std::move(key));
}

absl::StatusOr<v1::Role> ParseRole(const std::string& text) {
  if (text == "antenna" || text == "antenne") return v1::ROLE_ANTENNA;
  if (text == "relay" || text == "relais") return v1::ROLE_RELAY;
  if (text == "reader" || text == "lecteur") return v1::ROLE_READER;
  return absl::InvalidArgumentError(absl::StrCat("« ", text, " » n'est pas un rôle : antenna, relay ou reader"));
}

// Name, role and territory as they are signed.
absl::StatusOr<v1::Enrolment> WantedEnrolment(const std::string& site, const std::string& role_text,
                                              const std::string& territory) {
  v1::Enrolment wanted;
  if (!IsSiteName(site)) {
    return absl::InvalidArgumentError(
        absl::StrCat("« ", site, " » n'est pas un nom de site : minuscules sans accent, chiffres et tirets (haute-savoie)"));
  }
  wanted.set_name(site);
  const absl::StatusOr<v1::Role> role = ParseRole(role_text);
  if (!role.ok()) return role.status();
  wanted.set_role(*role);
  if (*role == v1::ROLE_ANTENNA) {
    if (territory.empty() || territory == "*") return wanted;
    return absl::InvalidArgumentError("une antenne tient tout : --territory n'y va pas");
  }
  if (territory.empty()) {
    return absl::InvalidArgumentError("il manque le territoire : --territory 73, ou 73,74, ou '*' pour tout");
  }
  const absl::StatusOr<replication::Scope> scope = ParseScope(replication::Schema::BuiltIn(), territory);
  if (!scope.ok()) return scope.status();
  wanted.set_territory(scope->everything() ? "" : scope->ToText());
  return wanted;
}

bool Confirmed(const std::string& question) {
  std::cout << question << " [o/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "o" || answer == "O" || answer == "oui" || answer == "y" || answer == "yes";
}

std::string Described(const v1::Enrolment& enrolment) {
  std::string text = replication::RoleName(enrolment.role());
  if (enrolment.role() != v1::ROLE_ANTENNA) {
    absl::StrAppend(&text, ", territoire ", enrolment.territory().empty() ? "entier" : enrolment.territory());
  }
  return text;
}

// Whom the node has described.
const Member& Described(const v1::DescribeLastValidResponse& known, const Membership& membership) {
  return *membership.Find(*SiteId::FromBytes(absl::HexStringToBytes(known.member().site_id())));
}

std::string WhatRevokingDoes(const std::vector<v1::SignedEntry>& asked, const SigningKey& authority) {
  if (asked.empty()) return "Plus personne n'échangera avec lui ; ce que les autres ont de lui reste.\n";
  const auto& signatures = asked.back().signature();
  const bool by_this_one = std::any_of(signatures.begin(), signatures.end(), [&](const v1::EntrySignature& signature) {
    return signature.key() == authority.public_key();
  });
  return by_this_one ? "Cette antenne l'a déjà demandé ; il y faut une autre, ou la clé de secours.\n"
                     : "Une autre antenne l'a déjà demandé ; avec celle-ci, il sera dehors.\n";
}

}  // namespace

void TrustCommands::Describe(CLI::App& app) {
  init_ = app.add_subcommand("init", "Fonde un réseau, dont ce site est la première antenne / founds a network");
  init_->add_option("--site", site_, "Nom de l'antenne : lyon / the antenna's name")->required();
  init_->add_option("--network", network_, "Nom du réseau : RESACOOP / the network's name");
  init_->add_option("--recovery-key", recovery_,
                    "Où écrire la clé de secours, qui vaut une seconde antenne : une clé USB / where to write the recovery key")
      ->required();
  init_->footer(
      "Exemple :\n  maillage init --site lyon --network RESACOOP --data /var/lib/maillage --recovery-key "
      "CLE-USB/resacoop.recovery");
  invite_ = app.add_subcommand("invite", "Invite une machine : montre un code qui sert une fois, et l'attend / invites a machine");
  invite_->add_option("SITE", site_, "Nom du nouveau site / the new site's name")->required();
  invite_->add_option("--role", role_, "antenna, relay ou reader (relay)");
  invite_->add_option("--territory", territory_, "Ce qu'il peut tenir et écrire : 73, ou 73,74, ou '*' / its territory");
  invite_->add_option("--listen", listen_, "HÔTE:PORT où l'attendre (0.0.0.0:7102) / where to wait for it");
  invite_->footer(
      "Exemples :\n  maillage invite savoie --role relay --territory 73 --data /var/lib/maillage\n"
      "  maillage invite clermont --role antenna --recovery-key CLE-USB/resacoop.recovery --data /var/lib/maillage");
  join_ = app.add_subcommand("join", "Fait de cette machine un site du réseau, avec un code d'invitation / joins a network");
  join_->add_option("CODE", code_, "Le code que l'antenne montre ; - : lu sur l'entrée standard / the antenna's code")->required();
  join_->add_option("--at", address_, "HÔTE:PORT où l'antenne attend / where the antenna waits")->required();
  join_->footer("Exemple :\n  maillage join savoie.8h2kq-… --at lyon.example.org:7102 --data /var/lib/maillage");
  revoke_ = app.add_subcommand("revoke", "Met un site dehors ; il faut deux antennes / puts a site out; takes two antennas");
  revoke_->add_option("SITE", site_, "Nom ou identifiant du site / its name or id")->required();
  revoke_->add_option("--reason", reason_, "Pourquoi, pour les autres : « ordinateur volé » / why");
  revoke_->add_flag("--yes", yes_, "Sans demander / without asking");
  revoke_->footer("Exemple, aux deux antennes :\n  maillage revoke savoie --reason 'ordinateur volé' --data /var/lib/maillage");
  rights_ = app.add_subcommand("rights", "Change le rôle ou le territoire d'un relais / changes what a relay may do");
  rights_->add_option("SITE", site_, "Nom ou identifiant du site / its name or id")->required();
  rights_->add_option("--role", role_, "relay ou reader (relay)");
  rights_->add_option("--territory", territory_, "73, ou 73,74, ou '*'")->required();
  rights_->footer("Exemple :\n  maillage rights savoie --territory 73,74 --data /var/lib/maillage");
  for (CLI::App* command : {init_, invite_, join_, revoke_, rights_}) {
    command->add_option("--data", data_, "Dossier des données du site / the site's data folder")->required();
    command->add_option("--person", person_, "Qui le fait, pour le registre / who does it (USER)");
    if (command == init_ || command == join_) continue;
    command->add_option("--socket", socket_, "Socket du nœud, si ce n'est DATA/maillage.sock / the node's socket");
  }
  for (CLI::App* command : {invite_, revoke_}) {
    command->add_option("--recovery-key", recovery_, "Clé de secours, à la place d'une seconde antenne / instead of a second antenna");
  }
}

std::optional<absl::Status> TrustCommands::Run() const {
  if (init_->parsed()) return Init();
  if (invite_->parsed()) return Invite();
  if (join_->parsed()) return Join();
  if (revoke_->parsed()) return Revoke();
  if (rights_->parsed()) return ChangeRights();
  return std::nullopt;
}

absl::Status TrustCommands::Init() const {
  if (!IsSiteName(site_)) return WantedEnrolment(site_, "antenna", "").status();
  if (absl::Status made = MakeDataFolder(data_); !made.ok()) return made;
  if (absl::Status free = CheckOfNoNetwork(data_); !free.ok()) return free;
  const absl::StatusOr<SigningKey> site = LoadOrCreateIdentity(data_);
  if (!site.ok()) return site.status();
  const absl::StatusOr<SigningKey> authority = ReadOrCreateKey(data_ / kAuthorityFile);
  if (!authority.ok()) return authority.status();
  // Interrupted, the same command goes on with the keys that it made.
  const absl::StatusOr<SigningKey> recovery = ReadOrCreateKey(recovery_);
  if (!recovery.ok()) return recovery.status();
  MachineRandom random;
  const EntryOrigin origin = OriginOf(person_);
  const v1::NetworkFile network = FoundNetwork(network_, site_, *site, *authority, *recovery, origin, random);
  const auto certificate = IssueCertificate(*site, site->public_key(), SixteenBytes(), origin.now_millis);
  if (!certificate.ok()) return certificate.status();
  if (absl::Status written = WriteCertificate(data_, *certificate); !written.ok()) return written;
  if (absl::Status written = WriteNetworkFile(data_, network); !written.ok()) return written;
  std::cout << "Le réseau « " << network_ << " » est fondé, « " << site_ << " » en est la première antenne.\n"
            << "Empreinte de l'antenne : " << FingerprintText(Fingerprint(authority->public_key())) << "\n"
            << "Clé de secours : " << recovery_.string() << " ; mettez-la en lieu sûr, hors de cette machine. Elle vaut une\n"
            << "seconde antenne tant qu'il n'y en a qu'une, et pour révoquer si l'autre est perdue.\n"
            << "Ensuite : maillaged --site " << site_ << " --data " << data_.string()
            << " --listen 0.0.0.0:7101, puis maillage invite.\n";
  return absl::OkStatus();
}

absl::Status TrustCommands::Invite() const {
  LocalNode node(socket_.empty() ? data_ / kSocketFile : socket_);
  absl::StatusOr<v1::Enrolment> wanted = WantedEnrolment(site_, role_, territory_);
  if (!wanted.ok()) return wanted.status();
  absl::StatusOr<Antenna> antenna = OpenAntenna(data_, node);
  if (!antenna.ok()) return antenna.status();
  const auto recovery = ReadRecovery(recovery_, antenna->membership);
  if (!recovery.ok()) return recovery.status();
  if (wanted->role() == v1::ROLE_ANTENNA && !recovery->has_value()) {
    return absl::FailedPreconditionError(
        "une nouvelle antenne demande deux signatures, celle-ci et la clé de secours : --recovery-key FICHIER");
  }
  const uint64_t now = MachineClock().NowMillis();
  const JoinCode code{site_, now + kJoinCodeLifeMillis, Fingerprint(antenna->authority.public_key()),
                      SixteenBytes().substr(0, kJoinSecretSize)};
  MachineClock clock;
  Enrolment::Ports ports;
  ports.clock = &clock;
  ports.refused = [](const absl::Status& why) { std::cout << "Refusé : " << why.message() << std::endl; };
  ports.confirm = [&](const v1::JoinRequest& request) {
    std::cout << "Une machine demande à devenir « " << site_ << " » (" << Described(*wanted) << ").\n"
              << "Son empreinte : " << FingerprintText(Fingerprint(request.key())) << "\n";
    return Confirmed("Est-ce bien celle que la machine affiche ?");
  };
  ports.admit = [&](const v1::JoinRequest& request) -> absl::StatusOr<v1::JoinResponse> {
    wanted->set_key(request.key());
    wanted->set_authority_key(request.authority_key());
    const auto entry = EnrolmentEntry(antenna->membership, *wanted, OriginOf(person_));
    if (!entry.ok()) return entry.status();
    v1::SignedEntry signed_entry = SignEntry(*entry, {&antenna->authority});
    if (recovery->has_value() && wanted->role() == v1::ROLE_ANTENNA) replication::Sign(**recovery, signed_entry);
    if (absl::Status added = node.Add(signed_entry); !added.ok()) return added;
    const auto certificate = IssueCertificate(antenna->site, request.key(), SixteenBytes(), clock.NowMillis());
    if (!certificate.ok()) return certificate.status();
    v1::JoinResponse response;
    *response.mutable_network() = antenna->network;
    *response.mutable_network()->mutable_log()->add_entry() = signed_entry;
    response.set_certificate(*certificate);
    return response;
  };
  auto enrolment = Enrolment::Listen(listen_, code, antenna->authority, SixteenBytes(), std::move(ports));
  if (!enrolment.ok()) return enrolment.status();
  const std::string text = FormatJoinCode(code);
  std::cout << "Réseau « " << antenna->membership.network_name() << " », empreinte de cette antenne : "
            << FingerprintText(code.authority) << "\n"
            << "Code pour « " << site_ << " » (" << Described(*wanted) << "), valable une fois, jusqu'à "
            << ClockText(code.expires_millis) << " :\n\n  " << text << "\n\n"
            << "Sur la nouvelle machine : maillage join " << text << " --at CETTE-ANTENNE:" << (*enrolment)->port()
            << " --data DOSSIER\nEn attente… (Ctrl-C annule le code)" << std::endl;
  absl::Status joined = (*enrolment)->Wait();
  if (joined.ok()) std::cout << "« " << site_ << " » est membre du réseau." << std::endl;
  return joined;
}

absl::Status TrustCommands::Join() const {
  std::string text = code_;
  if (text == "-") std::getline(std::cin, text);
  const absl::StatusOr<JoinCode> code = ParseJoinCode(text);
  if (!code.ok()) return code.status();
  if (absl::Status made = MakeDataFolder(data_); !made.ok()) return made;
  if (absl::Status free = CheckOfNoNetwork(data_); !free.ok()) return free;
  const absl::StatusOr<SigningKey> key = LoadOrCreateIdentity(data_);
  if (!key.ok()) return key.status();
  // In case it is to be an antenna; on disk before anybody signs it.
  const absl::StatusOr<SigningKey> authority = ReadOrCreateKey(data_ / kAuthorityFile);
  if (!authority.ok()) return authority.status();
  std::cout << "Empreinte de l'antenne du code : " << FingerprintText(code->authority) << "\n"
            << "Empreinte de cette machine :     " << FingerprintText(Fingerprint(key->public_key())) << "\n"
            << "L'antenne doit montrer les deux mêmes ; en attente de sa confirmation…" << std::endl;
  MachineClock clock;
  const auto response = AskToJoin(address_, *code, *key, authority->public_key(), clock.NowMillis());
  if (!response.ok()) return response.status();
  if (absl::Status honest = CheckJoined(*code, *key, *response, clock); !honest.ok()) return honest;
  const auto membership =
      Membership::Of(*replication::NetworkId::FromBytes(response->network().network()), response->network().log());
  const Member& here = *membership->Find(key->site());
  std::error_code error;
  if (here.role != v1::ROLE_ANTENNA) fs::remove(data_ / kAuthorityFile, error);
  if (absl::Status written = WriteCertificate(data_, response->certificate()); !written.ok()) return written;
  if (absl::Status written = WriteNetworkFile(data_, response->network()); !written.ok()) return written;
  std::cout << "Cette machine est « " << here.name << " » dans le réseau « " << membership->network_name() << " » ("
            << replication::RoleName(here.role) << ", " << ScopeText(replication::Schema::BuiltIn(), here.territory) << ").\n"
            << "Ensuite : maillaged --site " << here.name << " --data " << data_.string()
            << " --peer ANTENNE:7101" << std::endl;
  return absl::OkStatus();
}

absl::Status TrustCommands::Revoke() const {
  LocalNode node(socket_.empty() ? data_ / kSocketFile : socket_);
  absl::StatusOr<Antenna> antenna = OpenAntenna(data_, node);
  if (!antenna.ok()) return antenna.status();
  const auto recovery = ReadRecovery(recovery_, antenna->membership);
  if (!recovery.ok()) return recovery.status();
  const auto known = node.DescribeLastValid(site_);
  if (!known.ok()) return known.status();
  const Member& member = Described(*known, antenna->membership);
  if (member.revoked) {
    return absl::FailedPreconditionError(absl::StrCat("« ", member.name, " » est déjà révoqué"));
  }
  const std::vector<v1::SignedEntry> asked = antenna->membership.RevocationsOf(member.site);
  std::cout << "« " << member.name << " », " << replication::RoleName(member.role) << ", tient "
            << ScopeText(replication::Schema::BuiltIn(), member.territory) << " : " << known->held_records()
            << " fiches, pour ce qu'en sait ce nœud.\n"
            << WhatRevokingDoes(asked, antenna->authority);
  if (!yes_ && !Confirmed("Le mettre dehors ?")) return absl::AbortedError("rien n'a été fait");
  v1::SignedEntry entry =
      asked.empty() ? SignEntry(RevocationEntry(antenna->membership, member, known->last(), reason_, OriginOf(person_)), {})
                    : asked.back();
  replication::Sign(antenna->authority, entry);
  if (recovery->has_value()) replication::Sign(**recovery, entry);
  if (absl::Status added = node.Add(entry); !added.ok()) return added;
  if (entry.signature_size() >= 2) {
    std::cout << "« " << member.name << " » est révoqué ; les autres sites l'apprennent à leur prochain échange." << std::endl;
  } else {
    std::cout << "La demande est signée. Il en faut une seconde, à une autre antenne : maillage revoke " << site_
              << " --data … (ou ici avec --recovery-key)" << std::endl;
  }
  return absl::OkStatus();
}

absl::Status TrustCommands::ChangeRights() const {
  LocalNode node(socket_.empty() ? data_ / kSocketFile : socket_);
  absl::StatusOr<Antenna> antenna = OpenAntenna(data_, node);
  if (!antenna.ok()) return antenna.status();
  const auto known = node.DescribeLastValid(site_);
  if (!known.ok()) return known.status();
  const Member& member = Described(*known, antenna->membership);
  if (member.role == v1::ROLE_ANTENNA) {
    return absl::FailedPreconditionError("une antenne le reste ; révoquez-la, puis invitez la machine avec une nouvelle clé");
  }
  absl::StatusOr<v1::Enrolment> wanted = WantedEnrolment(member.name, role_, territory_);
  if (!wanted.ok()) return wanted.status();
  if (wanted->role() == v1::ROLE_ANTENNA) {
    return absl::FailedPreconditionError("un relais ne devient pas antenne : invitez une machine avec --role antenna");
  }
  if (member.role == v1::ROLE_READER && wanted->role() != v1::ROLE_READER) {
    return absl::FailedPreconditionError(
        "un lecteur n'a pas les valeurs internes et le reste : révoquez-le, puis invitez la machine avec --role relay et un dossier vide");
  }
  wanted->set_key(member.key);
  const auto entry = EnrolmentEntry(antenna->membership, *wanted, OriginOf(person_));
  if (!entry.ok()) return entry.status();
  if (absl::Status added = node.Add(SignEntry(*entry, {&antenna->authority})); !added.ok()) return added;
  std::cout << "« " << member.name << " » : " << Described(*wanted) << "." << std::endl;
  return absl::OkStatus();
}

}  // namespace maillage::server
