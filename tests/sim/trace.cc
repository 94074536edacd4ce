#include "tests/sim/trace.h"

#include <array>
#include <cstdio>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/absl_view.h"

namespace maillage::sim {
namespace {

constexpr size_t kHashSize = 16;

void Update(crypto_generichash_state& state, const void* data, size_t size) {
  crypto_generichash_update(&state, static_cast<const unsigned char*>(data), size);
}

}  // namespace

Trace::Trace(bool aloud) : aloud_(aloud) { crypto_generichash_init(&state_, nullptr, 0, kHashSize); }

void Trace::Note(uint64_t now, std::string_view what, std::initializer_list<uint64_t> numbers,
                 std::string_view bytes) {
  Update(state_, &now, sizeof(now));
  Update(state_, what.data(), what.size());
  for (const uint64_t number : numbers) Update(state_, &number, sizeof(number));
  Update(state_, bytes.data(), bytes.size());
  if (!aloud_) return;
  std::string line = absl::StrCat(now / 1000, ".", absl::Dec(now % 1000, absl::kZeroPad3), " ", ToAbsl(what));
  for (const uint64_t number : numbers) absl::StrAppend(&line, " ", number);
  if (!bytes.empty()) absl::StrAppend(&line, " ", absl::BytesToHexString(ToAbsl(bytes.substr(0, 8))));
  std::puts(line.c_str());
}

std::string Trace::Hash() const {
  crypto_generichash_state copy = state_;
  std::array<unsigned char, kHashSize> hash;
  crypto_generichash_final(&copy, hash.data(), hash.size());
  return absl::BytesToHexString({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace maillage::sim
