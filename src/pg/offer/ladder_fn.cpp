// The ladder: src/sql/30-offer.sql says what each function returns.
#include "core/offer/ladder.hpp"

#include "pg/kit/boundary.hpp"

#include "pg/kit/postgres.hpp"

using namespace clientele;

namespace {

constexpr int most_decimals = 16'383;  // that a numeric can show

char* shown(Datum number) { return DatumGetCString(DirectFunctionCall1(numeric_out, number)); }

bool is_above(Datum left, Datum right) { return DatumGetBool(DirectFunctionCall2(numeric_gt, left, right)); }

Datum whole(std::int64_t number) { return NumericGetDatum(int64_to_numeric(number)); }

void check_amount(const char* name, Datum amount) {
    const Numeric number = DatumGetNumeric(amount);
    if (!numeric_is_nan(number) && !numeric_is_inf(number) && !is_above(whole(0), amount)) return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be finite and not negative", name),
                    errdetail("It is %s.", shown(amount)), errhint("Amounts from 0 to 10^15 are accepted.")));
}

void check_stretch(Datum stretch) {
    const Numeric number = DatumGetNumeric(stretch);
    if (!numeric_is_nan(number) && !numeric_is_inf(number) && is_above(stretch, whole(1))) return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("stretch must be finite and above 1"),
                    errdetail("It is %s.", shown(stretch)),
                    errhint("A stretch of 1.4, the default, asks for two fifths more.")));
}

// numeric_mul rounds what has more decimals than a numeric can show; the ladder is decided exactly or not at all.
void check_decimals(Datum typical, Datum stretch) {
    const int decimals = DatumGetInt32(DirectFunctionCall1(numeric_scale, typical)) +
                         DatumGetInt32(DirectFunctionCall1(numeric_scale, stretch));
    if (decimals <= most_decimals) return;
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("too many decimals for the ladder"),
                    errdetail("typical and stretch have %d decimals together.", decimals),
                    errhint("At most %d are accepted.", most_decimals)));
}

// Rungs are whole numbers: the smallest rung at or above an amount is that at or above the next whole number.
Datum rung_at_or_above(Datum amount) {
    if (is_above(amount, whole(highest_rung))) {
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("amount is above the ladder"),
                        errdetail("It is %s.", shown(amount)), errhint("The highest rung is 10^15.")));
    }
    const std::int64_t next =
        DatumGetInt64(DirectFunctionCall1(numeric_int8, DirectFunctionCall1(numeric_ceil, amount)));
    std::int64_t rung = 0;
    think([&] { rung = ladder_rung(next); });
    return whole(rung);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_stretch_threshold) {
    const Datum typical = PG_GETARG_DATUM(0);
    const Datum stretch = PG_GETARG_DATUM(1);
    check_amount("typical", typical);
    check_stretch(stretch);
    check_decimals(typical, stretch);
    return rung_at_or_above(DirectFunctionCall2(numeric_mul, typical, stretch));
}

CLIENTELE_FUNCTION(clientele_ladder_rung) {
    check_amount("value", PG_GETARG_DATUM(0));
    return rung_at_or_above(PG_GETARG_DATUM(0));
}
