// The rows that an import refused, as a file to correct and import again.
#ifndef MAILLAGE_CLIENT_IMPORT_REFUSED_FILE_H_
#define MAILLAGE_CLIENT_IMPORT_REFUSED_FILE_H_

#include <string>
#include <string_view>

namespace maillage::client {

struct ImportPlan;

// The column that tells why; imports pass over it.
inline constexpr std::string_view kReasonHeader = "Motif du refus";

// Whether a cell of a header, cleaned or not, names that column.
bool IsReasonHeader(std::string_view cell);

// A row that couldn't be read, without the reason that an earlier refused file put behind it.
std::string_view WithoutReason(std::string_view raw, char separator);

// The refused rows under the file's own header, in UTF-8 with its separator, and the reasons in a
// last column kReasonHeader. Rows with broken quotes come last. Header only, if none was refused.
// Importing the file as it is plans each of these rows again, and no other.
std::string RefusedFile(const ImportPlan& plan);

}  // namespace maillage::client

#endif  // MAILLAGE_CLIENT_IMPORT_REFUSED_FILE_H_
