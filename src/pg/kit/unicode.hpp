// Texts in UTF-8, whatever the server's encoding: hashes must not depend on it.
#pragma once

#include <string_view>

#include "pg/kit/postgres.hpp"

namespace clientele {

// The text in UTF-8; without a copy where the database is in UTF-8. One that has no such form (in an SQL_ASCII database
// any bytes are a text, and some characters of other encodings are not in Unicode) is read byte by byte, as if it were
// LATIN1: a key that cannot be converted concerns nobody but its customer.
std::string_view utf8_of(std::string_view text);

inline std::string_view text_of(Datum datum) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(datum);
    return {VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored)};
}

inline Datum text_datum(std::string_view text) {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

inline std::string_view utf8_of(Datum datum) { return utf8_of(text_of(datum)); }

}  // namespace clientele
