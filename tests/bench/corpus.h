// As many actors as a measure asks for, drawn from a real file.
#ifndef MAILLAGE_TESTS_BENCH_CORPUS_H_
#define MAILLAGE_TESTS_BENCH_CORPUS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "proto/records.pb.h"

namespace maillage::bench {

// tests/data/collectivites-ara.csv: the region's communes and intercommunalités, and beyond them
// associations and schools with names, SIRENs and contacts of their own in the same places. About
// 20 fields are filled. Immutable.
class Corpus {
 public:
  // Dies where the file is not as expected.
  Corpus();

  // The same for the same index.
  v1::Actor ActorAt(size_t index) const;

 private:
  // Columns of one line, as in the file.
  using Row = std::vector<std::string>;

  std::vector<Row> rows_;
};

}  // namespace maillage::bench

#endif  // MAILLAGE_TESTS_BENCH_CORPUS_H_
