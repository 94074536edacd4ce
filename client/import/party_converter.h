// Converters of fields that hold parties and money.
#ifndef MAILLAGE_CLIENT_IMPORT_PARTY_CONVERTER_H_
#define MAILLAGE_CLIENT_IMPORT_PARTY_CONVERTER_H_

#include <string_view>

#include "absl/status/status.h"
#include "client/import/mapping.h"

namespace maillage::client {

// "64 000,00" into a Money, in the target's currency.
absl::Status ConvertAmount(std::string_view text, CellContext& cell);

// Names into a Party, or into entries whose key is a Party.
absl::Status ConvertParties(std::string_view text, CellContext& cell);

// "Name=64 000,00", or "Name" alone, into an entry whose key is a Party and that has a Money.
absl::Status ConvertFunding(std::string_view text, CellContext& cell);

bool IsMoneyField(const google::protobuf::FieldDescriptor& field);
bool IsPartyField(const google::protobuf::FieldDescriptor& field);
bool IsFundingField(const google::protobuf::FieldDescriptor& field);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_PARTY_CONVERTER_H_
