// The decoders of bytes that come from outside, each as a function that takes any bytes. README.md says what each one
// asserts.
#ifndef MAILLAGE_TESTS_FUZZ_TARGETS_H_
#define MAILLAGE_TESTS_FUZZ_TARGETS_H_

#include <string_view>

namespace maillage::fuzz {

// Each returns whether the bytes were taken for what they pretend to be, and ends the process where a property is broken.
bool FuzzAssignment(std::string_view bytes);
bool FuzzBundle(std::string_view bytes);
bool FuzzCell(std::string_view bytes);
bool FuzzChange(std::string_view bytes);
bool FuzzConfig(std::string_view bytes);
bool FuzzEtag(std::string_view bytes);
bool FuzzFilter(std::string_view bytes);
bool FuzzImport(std::string_view bytes);
bool FuzzJoin(std::string_view bytes);
bool FuzzKeys(std::string_view bytes);
bool FuzzLocal(std::string_view bytes);
bool FuzzManifest(std::string_view bytes);
bool FuzzMapping(std::string_view bytes);
bool FuzzMembership(std::string_view bytes);
bool FuzzPageToken(std::string_view bytes);
bool FuzzState(std::string_view bytes);
bool FuzzSync(std::string_view bytes);
bool FuzzTable(std::string_view bytes);
bool FuzzValue(std::string_view bytes);

struct Target {
  // Of its folder in corpus/, and of its program maillage_fuzz_NAME.
  const char* name;
  bool (*run)(std::string_view bytes);
};

inline constexpr Target kTargets[] = {
    {"assignment", FuzzAssignment},
    {"bundle", FuzzBundle},
    {"cell", FuzzCell},
    {"change", FuzzChange},
    {"config", FuzzConfig},
    {"etag", FuzzEtag},
    {"filter", FuzzFilter},
    {"import", FuzzImport},
    {"join", FuzzJoin},
    {"keys", FuzzKeys},
    {"local", FuzzLocal},
    {"manifest", FuzzManifest},
    {"mapping", FuzzMapping},
    {"membership", FuzzMembership},
    {"page_token", FuzzPageToken},
    {"state", FuzzState},
    {"sync", FuzzSync},
    {"table", FuzzTable},
    {"value", FuzzValue},
};

// Null where there is none.
constexpr const Target* FindTarget(std::string_view name) {
  for (const Target& target : kTargets) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

}  // namespace maillage::fuzz

#endif  // MAILLAGE_TESTS_FUZZ_TARGETS_H_
