// What can become of the files of a RocksStore at rest, and where their records begin.
#ifndef MAILLAGE_TESTS_STORAGE_ROCKS_DAMAGE_H_
#define MAILLAGE_TESTS_STORAGE_ROCKS_DAMAGE_H_

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/storage/memory_disk.h"

namespace maillage::storage {

// Where the records of a sound log or manifest begin, and where the last one ends. A record that is split over blocks
// counts once.
std::vector<size_t> RecordBoundaries(std::string_view bytes);

// The log that was written last: a new one may have nothing yet. Empty where there is none.
std::string NewestLog(const DiskImage& image);

// One file, which is not empty, has a bit flipped (in a record's header, too), a page zeroed (from the beginning of a
// record on, too), is cut off (between two records, too), or is deleted. Returns what happened, for the test's report;
// empty where nothing did.
//
// `stopped`: the store was closed in order. Otherwise the newest log is spared what nobody can tell from a log that
// never was longer: whole records gone at its end, or all of it beside another.
std::string DamageFile(DiskImage& image, const std::string& path, bool stopped, std::mt19937_64& random);

}  // namespace maillage::storage

#endif  // MAILLAGE_TESTS_STORAGE_ROCKS_DAMAGE_H_
