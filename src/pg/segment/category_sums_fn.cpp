// The aggregate behind category mixes: src/sql/15-category.sql says what it returns.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/profile/profile.hpp"
#include "pg/kit/aggregate.hpp"
#include "pg/kit/jsonb_writer.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/kit/unicode.hpp"

using namespace clientele;

namespace {

struct CategorySum {
    const char* text;
    std::uint32_t size;
    std::int32_t decimals;  // the most that any of its amounts shows
    StoredMoney spent;
    Numeric finer;  // what amounts of more than four decimals add up to; nullptr: there is none

    std::string_view category() const { return {text, size}; }
};
static_assert(alignof(CategorySum) <= MAXIMUM_ALIGNOF);

// One customer's, in the order that jsonb keeps keys in; the aggregate's memory holds it.
struct CategorySums {
    std::uint32_t count;
    std::uint32_t room;
    CategorySum* sums;
};
constexpr std::uint32_t first_room = 8;

MemoryContext sums_context(FunctionCallInfo fcinfo) { return aggregate_context(fcinfo, "_category_mix"); }

bool stands_before(const CategorySum& sum, std::string_view category) {
    return sum.size != category.size() ? sum.size < category.size()
                                       : std::memcmp(sum.text, category.data(), category.size()) < 0;
}

CategorySums* new_sums(MemoryContext context) {
    auto* state = static_cast<CategorySums*>(MemoryContextAlloc(context, sizeof(CategorySums)));
    *state = {0, first_room, static_cast<CategorySum*>(MemoryContextAlloc(context, first_room * sizeof(CategorySum)))};
    return state;
}

CategorySum& inserted(CategorySums& state, std::uint32_t place, std::string_view category, MemoryContext context) {
    if (state.count == state.room) {
        state.room *= 2;
        state.sums = static_cast<CategorySum*>(repalloc_huge(state.sums, state.room * sizeof(CategorySum)));
    }
    char* text = static_cast<char*>(MemoryContextAlloc(context, Max(category.size(), 1)));
    std::memcpy(text, category.data(), category.size());
    CategorySum* at = state.sums + place;
    std::copy_backward(at, state.sums + state.count, state.sums + state.count + 1);
    ++state.count;
    *at = {text, static_cast<std::uint32_t>(category.size()), 0, 0, nullptr};
    return *at;
}

CategorySum& sum_of(CategorySums& state, std::string_view category, MemoryContext context) {
    CategorySum* end = state.sums + state.count;
    CategorySum* at = std::lower_bound(state.sums, end, category, stands_before);
    if (at != end && at->category() == category) return *at;
    return inserted(state, static_cast<std::uint32_t>(at - state.sums), category, context);
}

void add_finer(CategorySum& sum, Datum amount, MemoryContext context) {
    const Datum total = sum.finer ? DirectFunctionCall2(numeric_add, NumericGetDatum(sum.finer), amount) : amount;
    MemoryContext caller = MemoryContextSwitchTo(context);
    Numeric kept = DatumGetNumericCopy(total);
    MemoryContextSwitchTo(caller);
    if (sum.finer) pfree(sum.finer);
    sum.finer = kept;
}

void add_amount(CategorySum& sum, Datum amount, MemoryContext context) {
    const Scaled scaled = read_numeric(amount);
    if (scaled.kind != NumericKind::finite) refuse_amount("line amount", amount);
    if (DatumGetInt32(DirectFunctionCall1(numeric_scale, amount)) > money_decimals) {
        add_finer(sum, amount, context);
    } else {
        sum.spent += scaled.value;
        sum.decimals = Max(sum.decimals, scaled.scale);
    }
}

Datum total_of(const CategorySum& sum) {
    MoneySum spent = sum.spent;
    for (int i = sum.decimals; i < money_decimals; ++i) spent /= 10;
    const Datum total = make_numeric(spent, sum.decimals);
    return sum.finer ? DirectFunctionCall2(numeric_add, total, NumericGetDatum(sum.finer)) : total;
}

}  // namespace

// (state, category, amount)
CLIENTELE_FUNCTION(clientele_category_mix_add) {
    MemoryContext context = sums_context(fcinfo);
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) return unchanged_state(fcinfo);
    auto* state = state_argument<CategorySums>(fcinfo, 0);
    if (!state) state = new_sums(context);
    add_amount(sum_of(*state, text_of(PG_GETARG_DATUM(1)), context), PG_GETARG_DATUM(2), context);
    PG_RETURN_POINTER(state);
}

CLIENTELE_FUNCTION(clientele_category_mix_final) {
    sums_context(fcinfo);
    const auto* state = state_argument<CategorySums>(fcinfo, 0);
    JsonbParseState* object = nullptr;
    pushJsonbValue(&object, WJB_BEGIN_OBJECT, nullptr);
    bool is_empty = true;
    for (std::uint32_t i = 0; state && i < state->count; ++i) {
        const CategorySum& sum = state->sums[i];
        const Datum total = total_of(sum);
        if (read_numeric(total).kind != NumericKind::finite) continue;
        push_number(&object, sum.category(), total);
        is_empty = false;
    }
    if (is_empty) PG_RETURN_NULL();
    PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&object, WJB_END_OBJECT, nullptr)));
}
