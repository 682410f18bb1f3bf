// Texts of any length that the core makes, on their way to PostgreSQL.
#pragma once

#include <cstddef>
#include <string_view>

#include "pg/kit/postgres.hpp"

namespace clientele {

// Plain data, so that it outlives think(); the memory is not PostgreSQL's, which must not be asked for any in there.
struct LongText {
    char* characters;
    std::size_t size;
};

// Keeps a copy. To be called in think(); throws std::bad_alloc.
LongText kept(std::string_view utf8);

// PostgreSQL's copy, in the server's encoding; the one that was kept goes, whatever happens.
Datum take_text(LongText text);

}  // namespace clientele
