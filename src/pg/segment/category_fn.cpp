// category_share(): src/sql/15-category.sql says what it returns.
#include <cstring>

#include "pg/kit/numeric.hpp"

using namespace clientele;

namespace {

[[noreturn]] void refuse(const char* what) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid category mix: %s", what),
         errhint("A category mix is an object of category and amount, such as {\"baby\": 12.50, \"pantry\": 30}.")));
    pg_unreachable();
}

// What was spent, in 1/10,000; nothing where more came back than was spent.
__int128 spent(const JsonbValue& value) {
    if (value.type != jbvNumeric) refuse("an amount is not a number");
    const Scaled amount = read_numeric(NumericGetDatum(value.val.numeric));
    if (amount.kind != NumericKind::finite) refuse("an amount is not below 10^13");
    return Max(amount.value, 0);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_category_share) {
    Jsonb* mix = PG_GETARG_JSONB_P(0);
    const text* category = PG_GETARG_TEXT_PP(1);
    if (!JB_ROOT_IS_OBJECT(mix)) refuse("it is not an object");
    __int128 total = 0, part = 0;
    bool wanted = false;
    JsonbValue value;
    JsonbIterator* entries = JsonbIteratorInit(&mix->root);
    for (JsonbIteratorToken token; (token = JsonbIteratorNext(&entries, &value, true)) != WJB_DONE;) {
        if (token == WJB_KEY) {
            wanted = value.val.string.len == static_cast<int>(VARSIZE_ANY_EXHDR(category)) &&
                     std::memcmp(value.val.string.val, VARDATA_ANY(category), VARSIZE_ANY_EXHDR(category)) == 0;
        } else if (token == WJB_VALUE) {
            const __int128 amount = spent(value);
            total += amount;
            if (wanted) part = amount;
        }
    }
    if (total == 0) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(static_cast<double>(part) / static_cast<double>(total));
}
