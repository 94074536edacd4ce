// The kinds of records that this program was built with, read from the descriptors of
// proto/records.proto.
#ifndef MAILLAGE_CLIENT_KINDS_H_
#define MAILLAGE_CLIENT_KINDS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "proto/merge.pb.h"

namespace maillage::client {

// Messages of all kinds, the system's too, in the file's order.
const std::vector<const google::protobuf::Descriptor*>& AllKinds();

// By the kind's name or its French name, without accents and case; null if there is none.
const google::protobuf::Descriptor* FindKind(std::string_view name);

const v1::Kind& KindOf(const google::protobuf::Descriptor& kind);
v1::MergeRule RuleOf(const google::protobuf::FieldDescriptor& field);

// The field that names the record on screens; null if the kind has none.
const google::protobuf::FieldDescriptor* NamingField(const google::protobuf::Descriptor& kind);

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor& type);

// The message inside. NotFound for a type that this program doesn't know, DataLoss for bytes that
// don't parse.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Unpack(const google::protobuf::Any& any);

// "actor", "018f…" from "actor/018f…"; two empty texts where there is no slash.
std::pair<std::string, std::string> SplitName(std::string_view name);
std::string RecordName(const google::protobuf::Descriptor& kind, std::string_view id);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_KINDS_H_
