#include "client/import/party_resolver.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/import/cell_text.h"
#include "client/import/concat.h"
#include "proto/quote.h"
#include "proto/text_fold.h"

namespace maillage::client {
namespace {

std::vector<std::string> Find(const ActorDirectory& directory, std::string_view text) {
  return directory.FindByName(FoldText(text));
}

ResolvedParty Reference(std::string_view text, std::string_view id,
                        const ActorDirectory& directory) {
  ResolvedParty resolved;
  resolved.party.set_actor(std::string(id));
  resolved.text = std::string(text);
  resolved.explanation =
      Concat(Quote(text), " est l'acteur ", Quote(directory.Name(id)), " (", id, ")");
  return resolved;
}

ResolvedParty Text(std::string_view text, const std::vector<std::string>& ids,
                   const ActorDirectory& directory) {
  ResolvedParty resolved;
  resolved.party.set_text(std::string(text));
  resolved.text = std::string(text);
  if (ids.empty()) {
    resolved.explanation = Concat(Quote(text), " : aucun acteur n'a ce nom ou ce sigle");
    return resolved;
  }
  const auto name = [&](std::string* out, const std::string& id) {
    *out += Concat(Quote(directory.Name(id)), " (", id, ")");
  };
  resolved.explanation = Concat(Quote(text), " peut être l'un de ", ids.size(),
                                " acteurs : ", absl::StrJoin(ids, ", ", name));
  return resolved;
}

// Actors that have `name` and `acronym` of a text like "name (acronym)".
std::vector<std::string> FindNameAndAcronym(std::string_view text,
                                            const ActorDirectory& directory) {
  const size_t open = text.rfind('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return {};
  std::vector<std::string> named = Find(directory, text.substr(0, open));
  std::vector<std::string> abbreviated =
      Find(directory, text.substr(open + 1, text.size() - open - 2));
  std::vector<std::string> both;
  std::sort(named.begin(), named.end());
  std::sort(abbreviated.begin(), abbreviated.end());
  std::set_intersection(named.begin(), named.end(), abbreviated.begin(), abbreviated.end(),
                        std::back_inserter(both));
  return both;
}

// True if every piece is one actor; appends them then.
bool ResolvePieces(std::string_view text, const std::string& separator,
                   const ActorDirectory& directory, std::vector<ResolvedParty>& parties) {
  std::vector<ResolvedParty> pieces;
  for (const absl::string_view part : absl::StrSplit(ToAbsl(text), separator)) {
    const std::string_view piece = Trimmed(ToStd(part));
    const std::vector<std::string> ids = Find(directory, piece);
    if (ids.size() != 1) return false;
    pieces.push_back(Reference(piece, ids[0], directory));
  }
  if (pieces.size() < 2) return false;
  std::move(pieces.begin(), pieces.end(), std::back_inserter(parties));
  return true;
}

void ResolvePiece(std::string_view text, const PartySplit& split, const ActorDirectory& directory,
                  std::vector<ResolvedParty>& parties) {
  const std::vector<std::string> ids = Find(directory, text);
  if (ids.size() == 1) {
    parties.push_back(Reference(text, ids[0], directory));
    return;
  }
  if (ids.empty()) {
    for (const std::string& separator : split.if_known) {
      if (ResolvePieces(text, separator, directory, parties)) return;
    }
    const std::vector<std::string> both = FindNameAndAcronym(text, directory);
    if (both.size() == 1) {
      parties.push_back(Reference(text, both[0], directory));
      return;
    }
  }
  parties.push_back(Text(text, ids, directory));
}

// Pieces between the separators that stand outside of parentheses, trimmed, without empty ones.
std::vector<std::string_view> CutOutsideParentheses(std::string_view text,
                                                    const std::vector<std::string>& separators) {
  std::vector<std::string_view> pieces;
  const auto finish = [&](size_t begin, size_t end) {
    const std::string_view piece = Trimmed(text.substr(begin, end - begin));
    if (!piece.empty()) pieces.push_back(piece);
  };
  size_t begin = 0;
  int depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (depth > 0) continue;
    for (const std::string& separator : separators) {
      if (!text.substr(at).starts_with(separator)) continue;
      finish(begin, at);
      begin = at + separator.size();
      at = begin - 1;
      break;
    }
  }
  finish(begin, text.size());
  return pieces;
}

}  // namespace

std::vector<ResolvedParty> ResolveParties(std::string_view text, const PartySplit& split,
                                          const ActorDirectory& directory) {
  std::vector<ResolvedParty> parties;
  const std::vector<std::string> ids = Find(directory, text);
  if (!ids.empty()) {
    ResolvePiece(text, split, directory, parties);
    return parties;
  }
  for (std::string_view piece : CutOutsideParentheses(text, split.always)) {
    ResolvePiece(piece, split, directory, parties);
  }
  return parties;
}

}  // namespace maillage::client
