#include "pg/kit/unicode.hpp"

#include <algorithm>

extern "C" {
#include "catalog/namespace.h"
}

namespace clientele {
namespace {

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char byte) { return IS_HIGHBIT_SET(byte); });
}

std::string_view bytes_as_characters(std::string_view text) {
    auto* out = static_cast<char*>(palloc(2 * text.size() + 1));
    std::size_t size = 0;
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (code >= 0x80) out[size++] = static_cast<char>(0xC0 | code >> 6);
        out[size++] = static_cast<char>(code >= 0x80 ? 0x80 | (code & 0x3F) : code);
    }
    return {out, size};
}

// What the conversion of the database's encoding makes of it; the bytes where it cannot.
std::string_view converted(std::string_view text) {
    const Oid conversion = FindDefaultConversionProc(GetDatabaseEncoding(), PG_UTF8);
    if (!OidIsValid(conversion)) return bytes_as_characters(text);
    const int size = static_cast<int>(text.size());
    const Size room = static_cast<Size>(size) * MAX_CONVERSION_GROWTH + 1;
    auto* out = static_cast<unsigned char*>(MemoryContextAllocHuge(CurrentMemoryContext, room));
    auto* in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
    const int read = pg_do_encoding_conversion_buf(conversion, GetDatabaseEncoding(), PG_UTF8, in, size, out,
                                                   static_cast<int>(std::min<Size>(room, PG_INT32_MAX)), true);
    if (read < size) return bytes_as_characters(text);
    return reinterpret_cast<const char*>(out);
}

}  // namespace

std::string_view utf8_of(std::string_view text) {
    const int encoding = GetDatabaseEncoding();
    if (encoding == PG_UTF8 || is_ascii(text)) return text;
    if (encoding != PG_SQL_ASCII) return converted(text);
    return pg_verify_mbstr(PG_UTF8, text.data(), static_cast<int>(text.size()), true) ? text
                                                                                      : bytes_as_characters(text);
}

}  // namespace clientele
