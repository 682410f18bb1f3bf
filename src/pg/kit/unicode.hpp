// Texts in UTF-8, whatever the server's encoding: hashes must not depend on it.
#pragma once

#include <string_view>

#include "pg/kit/postgres.hpp"

namespace clientele {

// The text in UTF-8; without a copy where the database is in UTF-8.
inline std::string_view utf8_of(std::string_view text) {
    char* converted = pg_server_to_any(text.data(), static_cast<int>(text.size()), PG_UTF8);
    if (converted == text.data()) return text;
    return converted;
}

inline std::string_view text_of(Datum datum) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(datum);
    return {VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored)};
}

inline Datum text_datum(std::string_view text) {
    return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

inline std::string_view utf8_of(Datum datum) { return utf8_of(text_of(datum)); }

}  // namespace clientele
