#include "server/records/write_checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/id.h"
#include "proto/quote.h"
#include "replication/tuning.h"
#include "server/records/value_text.h"

namespace maillage::server {

absl::Status CheckWriteContext(const v1::WriteContext& context) {
  if (!context.request_id().empty() && !ParseUuid(context.request_id()).has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("request_id\u00A0: ", Quote(context.request_id()), " n'est pas un UUID"));
  }
  if (context.person().size() > replication::kMaxPersonBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("person\u00A0: plus de ", replication::kMaxPersonBytes, " octets"));
  }
  return absl::OkStatus();
}

std::string PersonOf(const v1::WriteContext& context) {
  return context.person().empty() ? "anonymous" : context.person();
}

absl::Status CheckSizes(const replication::KindSchema& kind,
                        const std::vector<replication::Operation>& operations) {
  for (const replication::Operation& operation : operations) {
    const size_t size =
        std::max(operation.key.size(), operation.value.has_value() ? operation.value->size() : 0);
    if (size > replication::kMaxValueBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          FieldName(kind, operation.field), "\u00A0: une valeur de ", size, " octets dépasse les ",
          replication::kMaxValueBytes,
          " permis\u00A0; mettre le texte dans un document et son lien dans la fiche"));
    }
  }
  if (operations.size() > replication::kMaxOperations) {
    return absl::InvalidArgumentError(absl::StrCat(operations.size(),
                                                   " valeurs en une fois\u00A0; en écrire au plus ",
                                                   replication::kMaxOperations));
  }
  return absl::OkStatus();
}

}  // namespace maillage::server
