#include "pg/segment/category_mix.hpp"

namespace clientele {

void refuse_mix(const char* what) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid category mix: %s", what),
         errhint("A category mix is an object of category and amount, such as {\"baby\": 12.50, \"pantry\": 30}.")));
    pg_unreachable();
}

std::int64_t spent(const JsonbValue& value) {
    if (value.type != jbvNumeric) refuse_mix("an amount is not a number");
    const Scaled amount = read_numeric(NumericGetDatum(value.val.numeric));
    if (amount.kind != NumericKind::finite) refuse_mix("an amount is not below 10^13");
    return Max(amount.value, 0);
}

}  // namespace clientele
