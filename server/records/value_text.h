// Values of fields as people read them in histories and comparisons.
#ifndef MAILLAGE_SERVER_RECORDS_VALUE_TEXT_H_
#define MAILLAGE_SERVER_RECORDS_VALUE_TEXT_H_

#include <memory>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "replication/change.h"
#include "replication/schema.h"

namespace maillage::server {

// A value as replication/value_codec.h encodes it: texts and numbers as they are, enums by name,
// messages as JSON with the field names of the proto; of a message that is one choice (oneof), the
// choice alone. Bytes that are no value of the field are quoted.
std::string ValueText(const replication::Schema& schema, const replication::KindSchema& kind,
                      const replication::FieldSchema& field, std::string_view bytes);

// The key of a MAP entry, by the same rules.
std::string KeyText(const replication::Schema& schema, const replication::KindSchema& kind,
                    const replication::FieldSchema& field, std::string_view key_bytes);

// A message of the kind that holds this value alone; of a SET or MAP, this element. Null where the
// bytes are no value of the field.
std::unique_ptr<google::protobuf::Message> MessageOfValue(const replication::Schema& schema,
                                                          const replication::KindSchema& kind,
                                                          const replication::FieldSchema& field,
                                                          std::string_view bytes);

// The name of a field in the kind; its number where this node doesn't know it.
std::string FieldName(const replication::KindSchema& kind, uint32_t number);

}  // namespace maillage::server

#endif  // MAILLAGE_SERVER_RECORDS_VALUE_TEXT_H_
