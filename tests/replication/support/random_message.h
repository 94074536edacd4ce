// Random records of any kind, by reflection.
#ifndef MAILLAGE_TESTS_REPLICATION_SUPPORT_RANDOM_MESSAGE_H_
#define MAILLAGE_TESTS_REPLICATION_SUPPORT_RANDOM_MESSAGE_H_

#include <memory>

#include "google/protobuf/message.h"
#include "replication/schema.h"
#include "tests/replication/support/fleet.h"
#include "tests/replication/support/ports.h"

namespace maillage::replication::testing {

// Gives the field a value or a few elements, never an empty one; entries of a MAP have different
// keys.
void FillField(SeededRandom& random, const FieldSchema& field, google::protobuf::Message& message);

// About half of the fields are set.
std::unique_ptr<google::protobuf::Message> RandomMessage(SeededRandom& random, const Schema& schema,
                                                         const KindSchema& kind);

// Writes what PlanEdit makes of random edits of that kind; now and then deletes and undeletes.
Writer EditRandomly(const Schema& schema, const KindSchema& kind);

}  // namespace maillage::replication::testing

#endif  // MAILLAGE_TESTS_REPLICATION_SUPPORT_RANDOM_MESSAGE_H_
