#include "pg/kit/long_text.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace clientele {

LongText kept(std::string_view utf8) {
    auto* characters = static_cast<char*>(std::malloc(utf8.size() + 1));
    if (!characters) throw std::bad_alloc();
    std::memcpy(characters, utf8.data(), utf8.size());
    characters[utf8.size()] = '\0';
    return {characters, utf8.size()};
}

Datum take_text(LongText text) {
    Datum volatile taken = 0;
    PG_TRY();
    {
        if (text.size > MaxAllocSize / 2) {
            ereport(ERROR,
                    (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("a text of %zu bytes is too long", text.size)));
        }
        char* converted = pg_any_to_server(text.characters, static_cast<int>(text.size), PG_UTF8);
        taken = PointerGetDatum(cstring_to_text(converted));
    }
    PG_FINALLY();
    { std::free(text.characters); }
    PG_END_TRY();
    return taken;
}

}  // namespace clientele
