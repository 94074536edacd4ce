// Which actors the database knows, by name and acronym: what turns a name in a spreadsheet into a
// reference.
#ifndef MAILLAGE_CLIENT_IMPORT_ACTOR_DIRECTORY_H_
#define MAILLAGE_CLIENT_IMPORT_ACTOR_DIRECTORY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace maillage::client {

// Implementations are safe to read from several threads while nobody writes.
class ActorDirectory {
 public:
  virtual ~ActorDirectory() = default;

  // Ids (UUIDs as text) of the actors whose name or acronym folds to `folded` (proto/text_fold.h),
  // each once.
  virtual std::vector<std::string> FindByName(std::string_view folded) const = 0;

  // Name of the actor, for the report; empty if the directory doesn't know it.
  virtual std::string Name(std::string_view id) const = 0;
};

// A directory filled from lists of actors. Filled by one thread, before it is read.
class MemoryActorDirectory : public ActorDirectory {
 public:
  // Name and acronym as people write them; an empty one is passed over.
  void Add(std::string_view id, std::string_view name, std::string_view acronym);

  std::vector<std::string> FindByName(std::string_view folded) const override;
  std::string Name(std::string_view id) const override;

 private:
  void AddFolded(std::string_view id, std::string_view text);

  // By folded name or acronym.
  absl::flat_hash_map<std::string, std::vector<std::string>> ids_;
  absl::flat_hash_map<std::string, std::string> names_;
};

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_ACTOR_DIRECTORY_H_
