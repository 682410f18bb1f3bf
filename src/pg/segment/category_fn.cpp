// category_share(): src/sql/15-category.sql says what it returns.
#include "pg/kit/unicode.hpp"
#include "pg/segment/category_mix.hpp"

using namespace clientele;

CLIENTELE_FUNCTION(clientele_category_share) {
    const std::string_view wanted = text_of(PG_GETARG_DATUM(1));
    __int128 total = 0, part = 0;
    for_each_category(PG_GETARG_JSONB_P(0), [&](std::string_view category, std::int64_t amount) {
        total += amount;
        if (category == wanted) part = amount;
    });
    if (total == 0) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(static_cast<double>(part) / static_cast<double>(total));
}
