// libFuzzer's side of one target, whose function MAILLAGE_FUZZ_FUNCTION names.
#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // One line for each input that is no message would be all that is seen.
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  maillage::fuzz::MAILLAGE_FUZZ_FUNCTION({reinterpret_cast<const char*>(data), size});
  return 0;
}
