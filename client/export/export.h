// Records as CSV and JSON lines. Equal records in equal order give equal bytes, on every site: the
// elements of sets and maps are sorted, numbers are printed without a locale.
#ifndef MAILLAGE_CLIENT_EXPORT_EXPORT_H_
#define MAILLAGE_CLIENT_EXPORT_EXPORT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace maillage::client {

// "id" and the fields of the kind in the order of their numbers, single messages spread out
// ("address.town"), separated by semicolons; ends with a line feed.
std::string CsvHeader(const google::protobuf::Descriptor& kind);

// One row under that header, with its line feed. Elements of a list are separated by |, with \| for
// a | and
// \\ for a \ inside of them; messages in lists are JSON objects; enums have their names from the
// proto.
absl::StatusOr<std::string> CsvRow(std::string_view id, const google::protobuf::Message& record);

// {"id":"…","kind":"actor","content":{…}} with the proto's field names, and a line feed.
absl::StatusOr<std::string> JsonLine(std::string_view id, const google::protobuf::Message& record);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_EXPORT_EXPORT_H_
