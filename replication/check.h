// CHECK for what must not happen: a broken invariant ends the process before it reaches the disk.
// Abseil 20220623 has no public CHECK.
#ifndef MAILLAGE_REPLICATION_CHECK_H_
#define MAILLAGE_REPLICATION_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define MAILLAGE_CHECK(condition)                                                               \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition);        \
      std::abort();                                                                             \
    }                                                                                           \
  } while (false)

#endif  // MAILLAGE_REPLICATION_CHECK_H_
