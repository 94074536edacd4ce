#include "tests/storage/memory_disk.h"

#include <functional>
#include <string_view>
#include <utility>

#include "rocksdb/file_system.h"
#include "tests/storage/disk_file_system.h"

namespace maillage::storage {
namespace {

using rocksdb::IOStatus;

// The names on the way from the root.
std::vector<std::string> Steps(std::string_view path) {
  std::vector<std::string> steps;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) steps.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return steps;
}

}  // namespace

MemoryDisk::MemoryDisk() : env_(NewDiskEnv(this)) {}
MemoryDisk::~MemoryDisk() = default;

rocksdb::Env* MemoryDisk::env() { return env_.get(); }

MemoryDisk::NodePtr MemoryDisk::NewFolder() {
  auto folder = std::make_shared<Node>();
  folder->is_folder = true;
  return folder;
}

IOStatus MemoryDisk::Operate(bool on_log) {
  const std::array<uint64_t, 2> numbers = operations_;
  ++Counter(Count::kAll);
  if (on_log) ++Counter(Count::kLogs);
  const auto reached = [&](const Trigger& trigger, bool once) {
    if (!trigger.at.has_value() || (trigger.count == Count::kLogs && !on_log)) return false;
    const uint64_t number = numbers[static_cast<size_t>(trigger.count)];
    return number == *trigger.at || (number > *trigger.at && !once);
  };
  if (reached(cut_, /*once=*/true) && frozen_root_ == nullptr) {
    std::map<NodePtr, NodePtr> copies;
    frozen_root_ = Copy(root_, copies);
  }
  if (fault_ == Fault::kNone || !reached(failure_, fail_once_)) return IOStatus::OK();
  return fault_ == Fault::kNoSpace ? IOStatus::NoSpace("injected") : IOStatus::IOError("injected");
}

MemoryDisk::NodePtr MemoryDisk::Find(const std::string& path) const {
  NodePtr node = root_;
  for (const std::string& step : Steps(path)) {
    const auto found = node->names.find(step);
    if (found == node->names.end()) return nullptr;
    node = found->second;
  }
  return node;
}

MemoryDisk::Place MemoryDisk::FindPlace(const std::string& path) const {
  const std::vector<std::string> steps = Steps(path);
  if (steps.empty()) return {};
  std::string above;
  for (size_t i = 0; i + 1 < steps.size(); ++i) above += "/" + steps[i];
  NodePtr folder = Find(above);
  if (folder == nullptr || !folder->is_folder) return {};
  return {std::move(folder), steps.back()};
}

void MemoryDisk::Apply(const NameChange& change, Names& names) {
  if (!change.renamed_from.empty()) names.erase(change.renamed_from);
  if (change.node == nullptr) {
    names.erase(change.name);
  } else {
    names[change.name] = change.node;
  }
}

void MemoryDisk::Change(Node& folder, NameChange change) {
  Apply(change, folder.names);
  folder.journal.push_back(std::move(change));
}

void MemoryDisk::CutPowerAfter(uint64_t operations, Count count) {
  std::lock_guard lock(mutex_);
  cut_ = {Counter(count) + operations, count};
}

bool MemoryDisk::power_is_off() const {
  std::lock_guard lock(mutex_);
  return frozen_root_ != nullptr;
}

MemoryDisk::NodePtr MemoryDisk::Copy(const NodePtr& node, std::map<NodePtr, NodePtr>& copies) {
  if (node == nullptr) return nullptr;
  NodePtr& known = copies[node];
  if (known != nullptr) return known;
  const NodePtr copy = known = std::make_shared<Node>();
  copy->is_folder = node->is_folder;
  copy->bytes = node->bytes;
  copy->synced = node->synced;
  for (const auto& [name, child] : node->names) copy->names[name] = Copy(child, copies);
  for (const auto& [name, child] : node->durable_names) copy->durable_names[name] = Copy(child, copies);
  for (const NameChange& change : node->journal) {
    copy->journal.push_back({change.name, Copy(change.node, copies), change.renamed_from});
  }
  return copy;
}

void MemoryDisk::LoseUnsynced(const std::string& path, Node& node, uint64_t seed) {
  std::mt19937_64 random(seed ^ std::hash<std::string>()(path));
  if (!node.is_folder) {
    const size_t unsynced = node.bytes.size() - node.synced;
    node.bytes.resize(node.synced + random() % (unsynced + 1));
    const bool survived = node.bytes.size() > node.synced;
    if (survived && path.ends_with(".log") && random() % 4 == 0) node.bytes.back() = static_cast<char>(random());
    node.synced = node.bytes.size();
    return;
  }
  const size_t kept = random() % (node.journal.size() + 1);
  for (size_t i = 0; i < kept; ++i) Apply(node.journal[i], node.durable_names);
  node.journal.clear();
  node.names = node.durable_names;
  for (const auto& [name, child] : node.names) LoseUnsynced(path + "/" + name, *child, seed);
}

void MemoryDisk::PowerOn(std::mt19937_64& random) {
  std::lock_guard lock(mutex_);
  if (frozen_root_ != nullptr) root_ = std::exchange(frozen_root_, nullptr);
  cut_.at.reset();
  locks_.clear();
  LoseUnsynced("", *root_, random());
}

void MemoryDisk::FailAt(uint64_t operation, Fault fault, bool once, Count count) {
  std::lock_guard lock(mutex_);
  failure_ = {Counter(count) + operation, count};
  fault_ = fault;
  fail_once_ = once;
}

uint64_t MemoryDisk::operations(Count count) const {
  std::lock_guard lock(mutex_);
  return operations_[static_cast<size_t>(count)];
}

void MemoryDisk::CollectFiles(const std::string& path, const Node& folder, DiskImage& image) {
  for (const auto& [name, child] : folder.names) {
    const std::string below = path + "/" + name;
    if (child->is_folder) {
      CollectFiles(below, *child, image);
    } else {
      image[below] = child->bytes;
    }
  }
}

DiskImage MemoryDisk::Image() const {
  std::lock_guard lock(mutex_);
  DiskImage image;
  CollectFiles("", *root_, image);
  return image;
}

void MemoryDisk::Load(const DiskImage& image) {
  std::lock_guard lock(mutex_);
  root_ = NewFolder();
  for (const auto& [path, bytes] : image) {
    const std::vector<std::string> steps = Steps(path);
    NodePtr folder = root_;
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
      NodePtr& below = folder->names[steps[i]];
      if (below == nullptr) below = NewFolder();
      folder->durable_names[steps[i]] = below;
      folder = below;
    }
    auto file = std::make_shared<Node>();
    file->bytes = bytes;
    file->synced = bytes.size();
    folder->names[steps.back()] = folder->durable_names[steps.back()] = std::move(file);
  }
}

}  // namespace maillage::storage
