#include "client/import/actor_directory.h"

#include <algorithm>

#include "proto/absl_view.h"
#include "proto/text_fold.h"

namespace maillage::client {

void MemoryActorDirectory::Add(std::string_view id, std::string_view name,
                               std::string_view acronym) {
  AddFolded(id, name);
  AddFolded(id, acronym);
  names_[std::string(id)] = std::string(name.empty() ? acronym : name);
}

void MemoryActorDirectory::AddFolded(std::string_view id, std::string_view text) {
  const std::string folded = FoldText(text);
  if (folded.empty()) return;
  std::vector<std::string>& ids = ids_[folded];
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.emplace_back(id);
}

std::vector<std::string> MemoryActorDirectory::FindByName(std::string_view folded) const {
  const auto found = ids_.find(ToAbsl(folded));
  return found == ids_.end() ? std::vector<std::string>() : found->second;
}

std::string MemoryActorDirectory::Name(std::string_view id) const {
  const auto found = names_.find(ToAbsl(id));
  return found == names_.end() ? std::string() : found->second;
}

}  // namespace maillage::client
