// All that happened in one run, as one hash: the same seed has to give the same one.
#ifndef MAILLAGE_TESTS_SIM_TRACE_H_
#define MAILLAGE_TESTS_SIM_TRACE_H_

#include <sodium/crypto_generichash.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace maillage::sim {

class Trace {
 public:
  // `aloud`: each line goes to standard output, too.
  explicit Trace(bool aloud);

  void Note(uint64_t now, std::string_view what, std::initializer_list<uint64_t> numbers = {},
            std::string_view bytes = {});

  // Of everything so far, 32 hexadecimal digits.
  std::string Hash() const;

 private:
  const bool aloud_;
  crypto_generichash_state state_;
};

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_TRACE_H_
