// _fill(): src/sql/05-text.sql says what it returns.
#include <cstddef>
#include <span>

#include "core/base/template.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/number_array.hpp"
#include "pg/kit/unicode.hpp"

using namespace clientele;

namespace {

// The pairs of name and value in an array; a NULL value is an empty text.
std::span<const Filling> fillings_of(ArrayType* pairs) {
    check_plain_array(pairs, "the pairs", "Give names and values in turn: 'store', 'shop', 'key', 'customer_id'.",
                      nullptr);
    Datum* texts;
    bool* nulls;
    int count;
    deconstruct_array(pairs, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
    if (count % 2 != 0) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a name without a value"),
                        errdetail("The number of names and values is %d.", count),
                        errhint("Give pairs of a name and a value.")));
    }
    auto* fillings = static_cast<Filling*>(palloc(sizeof(Filling) * (count / 2 + 1)));
    for (int i = 0; i < count; i += 2) {
        fillings[i / 2] = {nulls[i] ? std::string_view{} : text_of(texts[i]),
                           nulls[i + 1] ? std::string_view{} : text_of(texts[i + 1])};
    }
    return {fillings, static_cast<std::size_t>(count / 2)};
}

text* empty_text(std::size_t length) {
    if (!AllocSizeIsValid(length + VARHDRSZ)) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the template filled in would be too long"),
                        errdetail("It would have %zu bytes.", length), errhint("A text has less than 1 GB.")));
    }
    auto* result = static_cast<text*>(palloc(length + VARHDRSZ));
    SET_VARSIZE(result, length + VARHDRSZ);
    return result;
}

}  // namespace

CLIENTELE_FUNCTION(clientele_fill) {
    const std::string_view pattern = text_of(PG_GETARG_DATUM(0));
    const std::span<const Filling> fillings = fillings_of(PG_GETARG_ARRAYTYPE_P(1));
    std::size_t length = 0;
    think([&] { length = checked_length(pattern, fillings); });
    text* result = empty_text(length);
    write_filled(pattern, fillings, VARDATA(result));
    PG_RETURN_TEXT_P(result);
}
