// quarantine, quarantine adopt, quarantine drop.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/json.h"
#include "client/commands/record_output.h"
#include "client/commands/text_table.h"
#include "proto/quote.h"

namespace maillage::client::commands {
namespace {

constexpr size_t kShownDigits = 8;

using Items = std::vector<v1::QuarantinedItem>;

absl::StatusOr<Items> ReadItems(Session& session) {
  Items items;
  v1::ListQuarantinedRequest request;
  do {
    absl::StatusOr<v1::ListQuarantinedResponse> page = session.client().connection().ListQuarantined(request);
    if (!page.ok()) return page.status();
    items.insert(items.end(), page->items().begin(), page->items().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return items;
}

// By the digits that the list shows, or more of them.
absl::StatusOr<std::string> Resolve(Session& session, const std::string& digits) {
  const absl::StatusOr<Items> items = ReadItems(session);
  if (!items.ok()) return items.status();
  std::string found;
  for (const v1::QuarantinedItem& item : *items) {
    if (!absl::StartsWith(item.id(), digits)) continue;
    if (!found.empty()) {
      return absl::InvalidArgumentError(session.Say(absl::StrCat(Quote(digits), " : plusieurs lignes commencent ainsi ; donnez-en plus de chiffres"),
                                                    absl::StrCat(Quote(digits), ": several rows begin like that; give more digits")));
    }
    found = item.id();
  }
  if (!found.empty()) return found;
  return absl::NotFoundError(session.Say(absl::StrCat(Quote(digits), " : rien de tel en quarantaine ; « maillage quarantine » montre ce qu'il y a"),
                                         absl::StrCat(Quote(digits), ": no such row; `maillage quarantine` shows what there is")));
}

std::string AuthorOf(const Session& session, const v1::QuarantinedItem& item) {
  if (!item.has_change()) return "";
  return AuthorText(session, item.change().person(), item.change().site());
}

std::string WhatText(const Session& session, const v1::QuarantinedItem& item) {
  if (!item.has_change()) return absl::StrCat(item.bytes(), session.Say(" octets", " bytes"));
  std::string text;
  for (const v1::FieldChange& field : item.change().fields()) {
    absl::StrAppend(&text, text.empty() ? "" : " ; ", FieldChangeText(session, field));
  }
  return text;
}

Json ItemJson(const v1::QuarantinedItem& item) {
  Json json = {{"id", item.id()}, {"from_site", item.from_site()}, {"reason", item.reason()}, {"bytes", item.bytes()}, {"record", item.record()}};
  if (item.has_change()) json["change"] = ChangeJson(item.change());
  return json;
}

absl::Status RunList(Session& session) {
  const absl::StatusOr<Items> items = ReadItems(session);
  if (!items.ok()) return items.status();
  if (session.output == Output::kJson) {
    Json array = Json::array();
    for (const v1::QuarantinedItem& item : *items) array.push_back(ItemJson(item));
    session.env.out << Print(array);
    return absl::OkStatus();
  }
  if (session.output == Output::kCsv) {
    session.env.out << CsvLine({"id", "from_site", "record", "person", "site", "what", "reason"});
    for (const v1::QuarantinedItem& item : *items) {
      session.env.out << CsvLine({item.id(), item.from_site(), item.record(), item.change().person(), item.change().site(),
                                  WhatText(session, item), item.reason()});
    }
    return absl::OkStatus();
  }
  if (items->empty()) {
    session.env.out << session.Say("Rien en quarantaine.\n", "Nothing is in quarantine.\n");
    return absl::OkStatus();
  }
  TextTable table({"id", session.Say("fiche", "record"), session.Say("auteur", "author"), session.Say("quoi", "what"),
                   session.Say("venu de", "came from"), session.Say("pourquoi", "why")});
  for (const v1::QuarantinedItem& item : *items) {
    table.AddRow({item.id().substr(0, kShownDigits), item.record(), AuthorOf(session, item), WhatText(session, item), item.from_site(),
                  OneLine(item.reason())});
  }
  session.env.out << table.Render(session.env.out_width);
  return absl::OkStatus();
}

absl::Status RunAdopt(Session& session, const std::string& digits) {
  const absl::StatusOr<std::string> id = Resolve(session, digits);
  if (!id.ok()) return id.status();
  v1::AdoptQuarantinedRequest request;
  request.set_id(*id);
  request.set_person(session.person);
  const absl::StatusOr<v1::AdoptQuarantinedResponse> adopted = session.client().connection().AdoptQuarantined(request);
  if (!adopted.ok()) return adopted.status();
  session.env.out << adopted->record().name() << session.Say(" : repris. Ce qui a été écrit entre-temps est resté à côté (maillage conflicts).\n",
                                                             ": taken over. What was written meanwhile is kept beside it (maillage conflicts).\n");
  return absl::OkStatus();
}

absl::Status RunDrop(Session& session, const std::string& digits) {
  const absl::StatusOr<std::string> id = Resolve(session, digits);
  if (!id.ok()) return id.status();
  v1::DropQuarantinedRequest request;
  request.set_id(*id);
  request.set_person(session.person);
  const auto dropped = session.client().connection().DropQuarantined(request);
  if (!dropped.ok()) return dropped.status();
  session.env.out << *id << session.Say(" : retiré.\n", ": removed.\n");
  return absl::OkStatus();
}

}  // namespace

void AddQuarantineCommand(Program& program) {
  Session& session = program.session;
  struct Chosen {
    CLI::App* adopt = nullptr;
    CLI::App* drop = nullptr;
    std::string id;
  };
  auto chosen = std::make_shared<Chosen>();
  CLI::App* const quarantine = program.Add(
      "quarantine",
      session.Say("Montre ce que ce nœud a reçu et n'a pas pris, et pourquoi ; qui en a le droit peut le reprendre",
                  "Shows what this node received and didn't take, and why; who has the right may take it over"),
      "  maillage quarantine\n  maillage quarantine adopt 3f9a01cc --person 'Zoé Martin'\n  maillage quarantine drop 3f9a01cc\n",
      [&session, chosen] {
        if (chosen->adopt->parsed()) return RunAdopt(session, chosen->id);
        return chosen->drop->parsed() ? RunDrop(session, chosen->id) : RunList(session);
      });
  chosen->adopt = quarantine->add_subcommand(
      "adopt", session.Say("Écrit ce que dit une modification mise de côté, en votre nom", "Writes what a change set aside says, in your name"));
  chosen->drop = quarantine->add_subcommand("drop", session.Say("La retire pour de bon", "Removes it for good"));
  for (CLI::App* const command : {chosen->adopt, chosen->drop}) {
    command->add_option("ID", chosen->id, session.Say("Les chiffres que montre la liste", "The digits that the list shows"))->required();
  }
}

}  // namespace maillage::client::commands
