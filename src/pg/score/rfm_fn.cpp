// RFM scores, and what a refresh learns about the population: src/sql/16-rfm.sql says what each function returns.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/score/rfm.hpp"
#include "pg/kit/aggregate.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/kit/row.hpp"

#include "pg/profile/profile_datum.hpp"

extern "C" {
#include "utils/typcache.h"
}

using namespace clientele;

static_assert(std::is_trivially_destructible_v<Breaks> && std::is_trivially_destructible_v<MoneyBreaks>);

namespace {

// ---- Breaks ----

// The breaks behind a float8[]; raises an ERROR for what are none. name: whose they are.
Breaks read_breaks(ArrayType* array, const char* name) {
    check_plain_array(array, name, "Write ARRAY[10, 20, 30, 40], say.",
                      "Breaks are four ascending numbers, such as ARRAY[10, 20, 30, 40].");
    const std::span<const double> edges = doubles_of(array);
    Breaks breaks{};
    think([&] { breaks = checked_breaks(edges, name); });
    return breaks;
}

// The bytes of an argument that hardly ever changes between rows; memcmp tells whether it did.
template <std::size_t room>
struct Key {
    std::size_t size;  // 0: none
    char bytes[room];

    bool is(const struct varlena* value) const {
        return size != 0 && VARSIZE_ANY_EXHDR(value) == size && std::memcmp(VARDATA_ANY(value), bytes, size) == 0;
    }
    // What is too long is not remembered.
    void remember(const struct varlena* value) {
        size = VARSIZE_ANY_EXHDR(value) <= room ? VARSIZE_ANY_EXHDR(value) : 0;
        std::memcpy(bytes, VARDATA_ANY(value), size);
    }
};

template <class Memo>
Memo& memo_of(FunctionCallInfo fcinfo) {
    if (!fcinfo->flinfo->fn_extra) {
        fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Memo));
    }
    return *static_cast<Memo*>(fcinfo->flinfo->fn_extra);
}

// ---- Scores of a profile ----

// Four numbers in one dimension, without an array's length word: what valid breaks look like.
constexpr std::size_t breaks_size = ARR_OVERHEAD_NONULLS(1) - VARHDRSZ + break_count * sizeof(double);

struct ArrayMemo {
    Key<breaks_size> key;
    Breaks breaks;
    char money[sizeof(MoneyBreaks)];  // bytes: palloc does not align to 16

    MoneyBreaks thresholds() const {
        MoneyBreaks aligned;
        std::memcpy(&aligned, money, sizeof aligned);
        return aligned;
    }
};
static_assert(alignof(ArrayMemo) <= MAXIMUM_ALIGNOF);

// The breaks argument of this row, read when it changes.
const ArrayMemo& breaks_argument(FunctionCallInfo fcinfo, int argument, const char* name) {
    auto& memo = memo_of<ArrayMemo>(fcinfo);
    const auto* packed = reinterpret_cast<struct varlena*>(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(argument)));
    if (memo.key.is(packed)) return memo;
    memo.key.size = 0;
    memo.breaks = read_breaks(PG_GETARG_ARRAYTYPE_P(argument), name);
    const MoneyBreaks money = money_thresholds(memo.breaks);
    std::memcpy(memo.money, &money, sizeof money);
    memo.key.remember(packed);
    return memo;
}

// ---- Scores of any values ----

constexpr const char* breaks_names[] = {"breaks.r", "breaks.f", "breaks.m"};

struct ScoresMemo {
    TupleDesc result;
    Key<512> key;
    bool known[3];  // false: these breaks are NULL
    Breaks breaks[3];
    Numeric decimals[break_count];  // of breaks.m, where money is numeric
};

TupleDesc result_description(FunctionCallInfo fcinfo, ScoresMemo& memo) {
    if (!memo.result) memo.result = lasting_result_row_type(fcinfo);
    return memo.result;
}

// A break stands for its shortest decimal, where float8::numeric would round it to 15 digits.
Numeric exact_decimal(double edge) {
    char text[shortest_decimal_room];
    write_shortest_decimal(edge, text);
    return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), -1));
}

void read_decimals(FunctionCallInfo fcinfo, ScoresMemo& memo) {
    for (int i = 0; i < break_count; ++i) {
        if (memo.decimals[i]) pfree(memo.decimals[i]);
        memo.decimals[i] = nullptr;
    }
    if (!memo.known[2]) return;
    const MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    for (int i = 0; i < break_count; ++i) memo.decimals[i] = exact_decimal(memo.breaks[2][i]);
    MemoryContextSwitchTo(before);
}

void read_composite(HeapTupleHeader row, ScoresMemo& memo) {
    for (int i = 0; i < 3; ++i) {
        const NullableDatum breaks = field_of(row, i + 1);
        memo.known[i] = !breaks.isnull;
        if (!breaks.isnull) memo.breaks[i] = read_breaks(DatumGetArrayTypeP(breaks.value), breaks_names[i]);
    }
}

// The breaks of this row, read when they change.
ScoresMemo& composite_argument(FunctionCallInfo fcinfo, bool numeric) {
    auto& memo = memo_of<ScoresMemo>(fcinfo);
    HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(3);
    const auto* bytes = reinterpret_cast<const struct varlena*>(row);
    if (memo.key.is(bytes)) return memo;
    memo.key.size = 0;
    read_composite(row, memo);
    if (numeric) read_decimals(fcinfo, memo);
    memo.key.remember(bytes);
    return memo;
}

[[noreturn]] void refuse_nan(const char* argument) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be NaN", argument),
                    errhint("Pass NULL for a value that is not known: its score is NULL.")));
    pg_unreachable();
}

// Recency, frequency, monetary.
using Scores = NullableDatum[3];

// The score of a float8 argument, unless it or its breaks are NULL.
void score_float8(FunctionCallInfo fcinfo, const ScoresMemo& memo, int argument, const char* name, Scores& scores) {
    if (PG_ARGISNULL(argument) || !memo.known[argument]) return;
    const double value = PG_GETARG_FLOAT8(argument);
    if (std::isnan(value)) refuse_nan(name);
    const Breaks& breaks = memo.breaks[argument];
    const int score = argument == 0 ? falling_score(value, breaks) : rising_score(value, breaks);
    scores[argument] = known_datum(Int32GetDatum(score));
}

void score_numeric(FunctionCallInfo fcinfo, const ScoresMemo& memo, Scores& scores) {
    if (PG_ARGISNULL(2) || !memo.known[2]) return;
    const Numeric value = PG_GETARG_NUMERIC(2);
    if (numeric_is_nan(value)) refuse_nan("monetary");
    int score = 1;
    for (const Numeric edge : memo.decimals) {
        score += DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(edge), NumericGetDatum(value))) <= 0;
    }
    scores[2] = known_datum(Int32GetDatum(score));
}

Datum rfm_scores(FunctionCallInfo fcinfo, bool numeric) {
    if (PG_ARGISNULL(3)) PG_RETURN_NULL();
    ScoresMemo& memo = composite_argument(fcinfo, numeric);
    Scores scores = {null_datum, null_datum, null_datum};
    score_float8(fcinfo, memo, 0, "recency", scores);
    score_float8(fcinfo, memo, 1, "frequency", scores);
    if (numeric) {
        score_numeric(fcinfo, memo, scores);
    } else {
        score_float8(fcinfo, memo, 2, "monetary", scores);
    }
    return row_of(result_description(fcinfo, memo), scores);
}

// ---- The population ----

// One value of each kind for every customer with orders, in arrays that grow in the aggregate's memory.
struct Population {
    std::int64_t count;
    std::int64_t room;
    StoredMoney net;
    StoredMoney gross;
    std::int32_t* recency;
    std::int64_t* frequency;
    double* monetary;
};
static_assert(alignof(Population) <= MAXIMUM_ALIGNOF);
constexpr std::int64_t first_room = 1'024;
constexpr std::size_t customer_size = sizeof(std::int32_t) + sizeof(std::int64_t) + sizeof(double);

MemoryContext population_context(FunctionCallInfo fcinfo) { return aggregate_context(fcinfo, "_score_summary"); }

Population* population_argument(FunctionCallInfo fcinfo, int argument) {
    return state_argument<Population>(fcinfo, argument);
}

template <class Value>
Value* new_values(MemoryContext context, std::int64_t room) {
    return static_cast<Value*>(MemoryContextAllocHuge(context, static_cast<std::size_t>(room) * sizeof(Value)));
}

Population* new_population(MemoryContext context, std::int64_t room) {
    auto* population = static_cast<Population*>(MemoryContextAllocZero(context, sizeof(Population)));
    population->room = room;
    population->recency = new_values<std::int32_t>(context, room);
    population->frequency = new_values<std::int64_t>(context, room);
    population->monetary = new_values<double>(context, room);
    return population;
}

// A chunk of memory stays in its context when it grows.
template <class Value>
void grow(Value*& values, std::int64_t room) {
    values = static_cast<Value*>(repalloc_huge(values, static_cast<std::size_t>(room) * sizeof(Value)));
}

void make_room(Population& population, std::int64_t more) {
    if (population.room - population.count >= more) return;
    const std::int64_t room = Max(2 * population.room, population.count + more);
    grow(population.recency, room);
    grow(population.frequency, room);
    grow(population.monetary, room);
    population.room = room;
}

MoneySum added(MoneySum sum, MoneySum more) {
    if (__builtin_add_overflow(sum, more, &sum)) {
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("the customers' money is out of range"),
                        errhint("It adds up to 10^34 at most.")));
    }
    return sum;
}

template <class Value>
void append(Value* values, std::int64_t count, const Value* more, std::int64_t more_count) {
    std::memcpy(values + count, more, static_cast<std::size_t>(more_count) * sizeof(Value));
}

void append(Population& population, const Population& other) {
    make_room(population, other.count);
    append(population.recency, population.count, other.recency, other.count);
    append(population.frequency, population.count, other.frequency, other.count);
    append(population.monetary, population.count, other.monetary, other.count);
    population.count += other.count;
    population.net = added(population.net, other.net);
    population.gross = added(population.gross, other.gross);
}

// The serial form: this, then the arrays of frequency, monetary and recency. Only between the processes of one server.
struct PopulationHead {
    std::uint64_t version;
    std::int64_t count;
    MoneySum net;
    MoneySum gross;
};
constexpr std::uint64_t population_version = 1;

[[noreturn]] void refuse_population(const char* why) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid state of _score_summary"),
                    errdetail_internal("%s", why)));
    pg_unreachable();
}

void check_population(const Population& population) {
    if (population.gross < 0 || population.net > population.gross) refuse_population("Its sums cannot be.");
    for (std::int64_t i = 0; i < population.count; ++i) {
        if (population.frequency[i] < 1 || population.frequency[i] > max_count)
            refuse_population("A count is out of range.");
        if (!std::isfinite(population.monetary[i])) refuse_population("A sum of money is not finite.");
    }
}

template <class Value>
Datum quintiles(Value* values, std::int64_t count) {
    double found[break_count];
    for (int which = 0; which < break_count; ++which) {
        CHECK_FOR_INTERRUPTS();
        think([&] { found[which] = next_quintile(std::span<Value>{values, static_cast<std::size_t>(count)}, which); });
    }
    return float_array(found);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_rfm_scores_float8) { return rfm_scores(fcinfo, false); }
CLIENTELE_FUNCTION(clientele_rfm_scores_numeric) { return rfm_scores(fcinfo, true); }

CLIENTELE_FUNCTION(clientele__r_score) {
    const ArrayMemo& memo = breaks_argument(fcinfo, 2, breaks_names[0]);
    const Bytes profile = profile_bytes(PG_GETARG_DATUM(0));
    const Summary& summary = profile_summary(profile);
    if (summary.orders == 0) PG_RETURN_NULL();
    const Day recency = day_as_of(profile, PG_GETARG_TIMESTAMPTZ(1)) - summary.last_day;
    PG_RETURN_INT32(falling_score(recency, memo.breaks));
}

CLIENTELE_FUNCTION(clientele__f_score) {
    const ArrayMemo& memo = breaks_argument(fcinfo, 1, breaks_names[1]);
    const Summary& summary = profile_summary(profile_bytes(PG_GETARG_DATUM(0)));
    if (summary.orders == 0) PG_RETURN_NULL();
    PG_RETURN_INT32(rising_score(summary.orders, memo.breaks));
}

CLIENTELE_FUNCTION(clientele__m_score) {
    const ArrayMemo& memo = breaks_argument(fcinfo, 1, breaks_names[2]);
    const Summary& summary = profile_summary(profile_bytes(PG_GETARG_DATUM(0)));
    if (summary.orders == 0) PG_RETURN_NULL();
    PG_RETURN_INT32(rising_score(summary.gross - summary.refunded, memo.thresholds()));
}

// _score_summary(): one customer more.
CLIENTELE_FUNCTION(clientele__score_summary_add) {
    MemoryContext context = population_context(fcinfo);
    Population* population = population_argument(fcinfo, 0);
    if (!population) population = new_population(context, first_room);
    if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) PG_RETURN_POINTER(population);
    const Bytes profile = profile_bytes(PG_GETARG_DATUM(1));
    const Summary& summary = profile_summary(profile);
    if (summary.orders == 0) PG_RETURN_POINTER(population);
    make_room(*population, 1);
    const MoneySum net = summary.gross - summary.refunded;
    const std::int64_t at = population->count++;
    population->frequency[at] = summary.orders;
    population->monetary[at] = to_double(net);
    population->net = added(population->net, net);
    population->gross = added(population->gross, summary.gross);
    population->recency[at] = day_as_of(profile, PG_GETARG_TIMESTAMPTZ(2)) - summary.last_day;
    PG_RETURN_POINTER(population);
}

CLIENTELE_FUNCTION(clientele__score_summary_combine) {
    MemoryContext context = population_context(fcinfo);
    Population* population = population_argument(fcinfo, 0);
    const Population* other = population_argument(fcinfo, 1);
    if (!other) return unchanged_state(fcinfo);
    if (!population) population = new_population(context, Max(first_room, other->count));
    append(*population, *other);
    PG_RETURN_POINTER(population);
}

CLIENTELE_FUNCTION(clientele__score_summary_serialize) {
    population_context(fcinfo);
    const Population& population = *population_argument(fcinfo, 0);
    const auto count = static_cast<std::size_t>(population.count);
    if (count > (MaxAllocSize - VARHDRSZ - sizeof(PopulationHead)) / customer_size) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("too many customers for one worker: " INT64_FORMAT, population.count),
                        errhint("SET max_parallel_workers_per_gather = 0: one process alone has no such limit.")));
    }
    const std::size_t size = VARHDRSZ + sizeof(PopulationHead) + count * customer_size;
    auto* result = static_cast<bytea*>(palloc(size));
    SET_VARSIZE(result, size);
    const PopulationHead head{population_version, population.count, population.net, population.gross};
    char* out = VARDATA(result);
    std::memcpy(out, &head, sizeof head);
    out += sizeof head;
    std::memcpy(out, population.frequency, count * sizeof(std::int64_t));
    out += count * sizeof(std::int64_t);
    std::memcpy(out, population.monetary, count * sizeof(double));
    out += count * sizeof(double);
    std::memcpy(out, population.recency, count * sizeof(std::int32_t));
    PG_RETURN_BYTEA_P(result);
}

CLIENTELE_FUNCTION(clientele__score_summary_deserialize) {
    population_context(fcinfo);
    const bytea* bytes = PG_GETARG_BYTEA_PP(0);
    const char* in = VARDATA_ANY(bytes);
    const std::size_t size = VARSIZE_ANY_EXHDR(bytes);
    PopulationHead head;
    if (size < sizeof head) refuse_population("It is cut short.");
    std::memcpy(&head, in, sizeof head);
    if (head.version != population_version) refuse_population("It has another version.");
    if (head.count < 0 || static_cast<std::uint64_t>(head.count) != (size - sizeof head) / customer_size ||
        (size - sizeof head) % customer_size != 0) {
        refuse_population("Its length is not that of its customers.");
    }
    Population* population = new_population(CurrentMemoryContext, Max(1, head.count));
    const auto count = static_cast<std::size_t>(head.count);
    population->count = head.count;
    population->net = head.net;
    population->gross = head.gross;
    in += sizeof head;
    std::memcpy(population->frequency, in, count * sizeof(std::int64_t));
    in += count * sizeof(std::int64_t);
    std::memcpy(population->monetary, in, count * sizeof(double));
    in += count * sizeof(double);
    std::memcpy(population->recency, in, count * sizeof(std::int32_t));
    check_population(*population);
    PG_RETURN_POINTER(population);
}

CLIENTELE_FUNCTION(clientele__score_summary_final) {
    population_context(fcinfo);
    const Population* population = population_argument(fcinfo, 0);
    if (!population || population->count == 0) PG_RETURN_NULL();
    const double kept = to_double(population->net) / to_double(population->gross);
    const NullableDatum summary[] = {known_datum(quintiles(population->recency, population->count)),
                                     known_datum(quintiles(population->frequency, population->count)),
                                     known_datum(quintiles(population->monetary, population->count)),
                                     {Float8GetDatum(kept), population->gross == 0}};
    return row_of(result_row_type(fcinfo), summary);
}
