// The ladder and the decisions about offers: src/sql/30-offer.sql says what each function returns.
#include <cmath>

#include "core/offer/ladder.hpp"
#include "core/offer/offer_text.hpp"
#include "core/profile/profile.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/offer/offer_book.hpp"
#include "pg/offer/offer_standing.hpp"
#include "pg/profile/profile_datum.hpp"

using namespace clientele;

namespace {

constexpr std::int64_t money_in_value = value_unit / 10'000;
constexpr int most_decimals = 16'383;  // that a numeric can show

// --- the ladder -------------------------------------------------------------------------------------------------

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

// --- arguments --------------------------------------------------------------------------------------------------

// What all the functions that decide are given, in this order.
enum Argument {
    book_argument,
    customer_argument,
    segment_argument,
    profile_argument,
    fallback_argument,
    as_of_argument
};

// Where those stand that not all of them are given in the same place; -1: not at all.
struct MoreArguments {
    int program, history, budgets;
};
constexpr MoreArguments of_one_decision{6, 7, 8};
constexpr MoreArguments of_all_decisions{-1, 6, 7};

bool lacks_argument(FunctionCallInfo fcinfo) {
    return PG_ARGISNULL(book_argument) || PG_ARGISNULL(customer_argument) || PG_ARGISNULL(as_of_argument);
}

Instant as_of_of(FunctionCallInfo fcinfo) {
    const TimestampTz as_of = PG_GETARG_TIMESTAMPTZ(as_of_argument);
    if (TIMESTAMP_NOT_FINITE(as_of)) {
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("as_of must be finite"),
                        errdetail("It is %s.", timestamptz_to_str(as_of))));
    }
    return as_of;
}

// Reads what offers need to know from a profile. `complete`: also what cannot change an offer, only its reasons.
void read_facts(Datum profile, const PreparedBook& book, Instant as_of, bool complete, CustomerFacts& facts) {
    const Bytes encoded = profile_bytes(profile);
    const Zone& zone = profile_zone(encoded);
    const Summary& summary = profile_summary(encoded);
    think([&] {
        facts.orders = summary.orders;
        facts.purchase_days = summary.purchase_days;
        if (summary.orders == 0) return;
        facts.last_value = summary.last().amount * money_in_value;
        facts.typical_value = typical_value(summary);
        if (book.asks_for_cv) facts.typical_cv = typical_cv(summary);
        if (book.asks_for_recency) facts.recency_days = day_of(zone.local(as_of)) - summary.last_day;
        facts.last_purchase_age_days = summary.last_day - summary.first_day;
        const bool may_be_overdue = summary.purchase_days >= 3 && facts.recency_days >= 14;
        if (book.asks_for_gap && (complete || may_be_overdue)) facts.median_gap_days = median_gap(decode(encoded));
    });
}

Basis fallback_basis(Datum name) {
    const std::string_view basis = text_of(name);
    if (basis == "segment") return Basis::segment;
    if (basis == "store") return Basis::store;
    if (basis == "recent") return Basis::recent;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown basis of a reference value"),
                    errdetail("It is \"%s\".", TextDatumGetCString(name)),
                    errhint("For a customer without orders it is \"segment\" or \"store\", for one with fewer than 3 "
                            "\"recent\".")));
    pg_unreachable();
}

std::int64_t fallback_value(Datum number) {
    const Scaled scaled = read_numeric(number);
    if (scaled.kind != NumericKind::finite || scaled.value < 0) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reference value must be from 0 to below 10^13"),
                 errdetail("It is %s.", shown(number))));
    }
    return DatumGetInt64(
        DirectFunctionCall1(numeric_int8, DirectFunctionCall2(numeric_mul, number, whole(value_unit))));
}

Reference read_fallback(Datum datum) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
    bool basis_is_null = false;
    bool value_is_null = false;
    const Datum basis = GetAttributeByNum(row, 1, &basis_is_null);
    const Datum value = GetAttributeByNum(row, 2, &value_is_null);
    if (basis_is_null || value_is_null) return {};
    return {fallback_basis(basis), fallback_value(value)};
}

ArrayType* array_argument(FunctionCallInfo fcinfo, int index) {
    return PG_ARGISNULL(index) ? nullptr : PG_GETARG_ARRAYTYPE_P(index);
}

// The customer as the core sees it; texts stay where the arguments are.
Customer read_customer(FunctionCallInfo fcinfo, PreparedBook& book, const MoreArguments& more) {
    const bool complete = more.program < 0;
    Customer customer;
    customer.as_of = as_of_of(fcinfo);
    const std::string_view id = text_of(PG_GETARG_DATUM(customer_argument));
    customer.id = book.asks_for_id ? utf8_of(id) : id;
    if (!PG_ARGISNULL(segment_argument)) customer.segment = text_of(PG_GETARG_DATUM(segment_argument));
    if (!PG_ARGISNULL(profile_argument)) {
        read_facts(PG_GETARG_DATUM(profile_argument), book, customer.as_of, complete, customer.facts);
    }
    if (customer.facts.orders < typical_from_orders && !PG_ARGISNULL(fallback_argument)) {
        customer.fallback = read_fallback(PG_GETARG_DATUM(fallback_argument));
    }
    read_standings(book, array_argument(fcinfo, more.history), array_argument(fcinfo, more.budgets), customer);
    return customer;
}

const Program* requested_program(FunctionCallInfo fcinfo, const Book& book) {
    constexpr int argument = of_one_decision.program;
    if (PG_ARGISNULL(argument)) return nullptr;
    const std::string_view name = text_of(PG_GETARG_DATUM(argument));
    for (const Program& program : book.programs) {
        if (program.name == name) return &program;
    }
    StringInfoData known;
    initStringInfo(&known);
    for (const Program& program : book.programs) {
        appendStringInfo(&known, "%s%.*s", known.len > 0 ? ", " : "", static_cast<int>(program.name.size()),
                         program.name.data());
    }
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("program \"%s\" does not exist", TextDatumGetCString(PG_GETARG_DATUM(argument))),
                    known.len > 0 ? errdetail("The programs are: %s.", known.data) : errdetail("There are none."),
                    errhint("clientele.define_offer() defines one.")));
    pg_unreachable();
}

// --- results ----------------------------------------------------------------------------------------------------

// The columns of a row in the making.
class Row {
  public:
    Row(Datum* values, bool* nulls) : values_(values), nulls_(nulls) {}

    void add(Datum value) {
        values_[count_] = value;
        nulls_[count_++] = false;
    }
    void add_null() {
        values_[count_] = 0;
        nulls_[count_++] = true;
    }
    void add_if(bool known, Datum value) { known ? add(value) : add_null(); }
    int count() const { return count_; }

  private:
    Datum* values_;
    bool* nulls_;
    int count_ = 0;
};

// What write(Text&) writes, as a text datum.
template <class Write>
Datum written_datum(const Write& write) {
    char near[1024];
    std::size_t size = 0;
    think([&] {
        Text text(near);
        write(text);
        size = text.size();
    });
    if (size <= sizeof near) return text_datum({near, size});
    if (size > MaxAllocSize - VARHDRSZ) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the text of an offer would be too long"),
                        errdetail("It would take %zu bytes.", size)));
    }
    char* far = static_cast<char*>(palloc(size));
    think([&] {
        Text text({far, size});
        write(text);
    });
    return text_datum({far, size});
}

Datum value_datum(const Book& book, std::int64_t value) {
    const int decimals = shown_decimals(value, book.decimals);
    for (int dropped = value_decimals; dropped > decimals; --dropped) value /= 10;
    return make_numeric(value, decimals);
}

enum class For { customer, ledger };

// The columns that offers, decisions and enrolments have in common, from segment to currency; for the ledger also the
// greatest reward …
void add_terms(Row& row, PreparedBook& prepared, const Decision& decision, FunctionCallInfo fcinfo,
               For reader = For::customer) {
    const Book& book = prepared.book;
    const bool asks = decision.terms.min_spend > 0;
    row.add_if(!PG_ARGISNULL(segment_argument), PG_GETARG_DATUM(segment_argument));
    if (decision.reference.basis == Basis::none) {
        row.add_null();
        row.add_null();
    } else {
        row.add(text_datum(code_of(decision.reference.basis)));
        row.add(value_datum(book, decision.reference.value));
    }
    row.add_if(asks, asks ? make_numeric(decision.terms.min_spend, 0) : 0);
    row.add_if(asks, asks ? make_numeric(decision.terms.reward, book.decimals) : 0);
    if (reader == For::ledger) row.add(make_numeric(decision.greatest_reward, book.decimals));
    row.add_if(decision.terms.reward > 0, prepared.reward_kind);
    row.add(prepared.currency);
}

// … and from message to expected_profit.
void add_promise(Row& row, PreparedBook& prepared, const Decision& decision, const Customer& customer) {
    if (decision.terms.reward > 0) {
        const Validity& validity = validity_of(prepared, *decision.program, customer.as_of);
        row.add(written_datum(
            [&](Text& text) { add_message(text, prepared.book, decision, customer.segment, validity.last_day); }));
        row.add(TimestampTzGetDatum(validity.until));
        row.add(prepared.parts_of(*decision.program).variants[decision.arm_index]);
    } else {
        row.add_null();
        row.add_null();
        row.add_null();
    }
    row.add(Float8GetDatum(decision.propensity));
    const Datum profit = expected_profit_of(prepared, decision, customer.segment);
    row.add_if(profit != 0 && decision.terms.reward > 0, profit);
}

void add_disclosure(Row& row, PreparedBook& prepared, const Decision& decision) {
    const Datum disclosure = prepared.parts_of(*decision.program).disclosure;
    row.add_if(disclosure != 0 && decision.terms.reward > 0, disclosure);
}

void add_last_day(Row& row, PreparedBook& prepared, const Decision& decision, const Customer& customer) {
    const bool promises = decision.terms.reward > 0;
    row.add_if(promises,
               promises ? Int32GetDatum(validity_of(prepared, *decision.program, customer.as_of).last_day) : 0);
}

// The row type of the result, looked up once a query.
TupleDesc result_descriptor(FunctionCallInfo fcinfo) {
    auto* known = static_cast<TupleDesc>(fcinfo->flinfo->fn_extra);
    if (known != nullptr) return known;
    TupleDesc found = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &found) != TYPEFUNC_COMPOSITE) {
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the function must return a row type")));
    }
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    known = BlessTupleDesc(CreateTupleDescCopy(found));
    MemoryContextSwitchTo(caller);
    fcinfo->flinfo->fn_extra = known;
    return known;
}

// Calls add_columns(row, decision, customer, winner) for each program of the book and stores the rows.
template <class AddColumns>
void store_decisions(FunctionCallInfo fcinfo, const AddColumns& add_columns) {
    constexpr int most_columns = 20;
    InitMaterializedSRF(fcinfo, 0);
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (lacks_argument(fcinfo)) return;
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(book_argument));
    const Book& book = prepared.book;
    const Customer customer = read_customer(fcinfo, prepared, of_all_decisions);
    const Program* winner = nullptr;
    think([&] { winner = winner_of(book, customer); });
    for (const Program& program : book.programs) {
        Decision decision;
        think([&] { decision = decide_program(book, program, customer, winner); });
        Datum values[most_columns];
        bool nulls[most_columns];
        Row row(values, nulls);
        row.add(Int32GetDatum(program.priority));
        row.add(prepared.parts_of(program).name);
        row.add(text_datum(code_of(decision.status)));
        row.add(reasons_datum(decision, customer.facts));
        add_columns(row, prepared, decision, customer, winner);
        Assert(row.count() == result->setDesc->natts);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
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

CLIENTELE_FUNCTION(clientele_decide_offer) {
    if (lacks_argument(fcinfo)) PG_RETURN_NULL();
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(book_argument));
    const Customer customer = read_customer(fcinfo, prepared, of_one_decision);
    const Program* only = requested_program(fcinfo, prepared.book);
    Decision decision;
    think([&] { decision = decide_offer(prepared.book, customer, only); });
    if (decision.program == nullptr) PG_RETURN_NULL();
    constexpr int columns = 16;
    Datum values[columns];
    bool nulls[columns];
    Row row(values, nulls);
    row.add(prepared.parts_of(*decision.program).name);
    add_terms(row, prepared, decision, fcinfo);
    add_promise(row, prepared, decision, customer);
    row.add(offer_reasons_datum(prepared, decision, customer.facts));
    add_disclosure(row, prepared, decision);
    add_last_day(row, prepared, decision, customer);
    Assert(row.count() == columns);
    return HeapTupleGetDatum(heap_form_tuple(result_descriptor(fcinfo), values, nulls));
}

CLIENTELE_FUNCTION(clientele_enrol) {
    if (lacks_argument(fcinfo)) PG_RETURN_NULL();
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(book_argument));
    const Customer customer = read_customer(fcinfo, prepared, of_one_decision);
    const Program* only = requested_program(fcinfo, prepared.book);
    Decision decision;
    think([&] { decision = decide_enrolment(prepared.book, customer, only); });
    if (decision.program == nullptr) PG_RETURN_NULL();
    constexpr int columns = 19;
    Datum values[columns];
    bool nulls[columns];
    Row row(values, nulls);
    const bool held_out = decision.status == Status::held_out;
    row.add(prepared.parts_of(*decision.program).name);
    row.add(Int32GetDatum(decision.program->version));
    row.add_if(held_out, held_out ? text_datum(code_of(decision.holdout)) : 0);
    row.add(Float8GetDatum(prepared.book.global_holdout));
    add_terms(row, prepared, decision, fcinfo, For::ledger);
    add_promise(row, prepared, decision, customer);
    row.add(held_out ? reasons_datum(decision, customer.facts)
                     : offer_reasons_datum(prepared, decision, customer.facts));
    add_disclosure(row, prepared, decision);
    Assert(row.count() == columns);
    return HeapTupleGetDatum(heap_form_tuple(result_descriptor(fcinfo), values, nulls));
}

CLIENTELE_FUNCTION(clientele_decide_programs) {
    store_decisions(fcinfo, [fcinfo](Row& row, PreparedBook& prepared, const Decision& decision,
                                     const Customer& customer, const Program*) {
        add_terms(row, prepared, decision, fcinfo);
        add_promise(row, prepared, decision, customer);
        add_disclosure(row, prepared, decision);
        add_last_day(row, prepared, decision, customer);
    });
    return 0;
}

CLIENTELE_FUNCTION(clientele_explain_programs) {
    store_decisions(fcinfo, [](Row& row, PreparedBook& prepared, const Decision& decision, const Customer& customer,
                               const Program* winner) {
        const double share = break_even_share(prepared.book, decision);
        row.add_if(!std::isnan(share), Float8GetDatum(share));
        row.add(written_datum([&](Text& text) { add_explanation(text, prepared.book, decision, customer, winner); }));
    });
    return 0;
}

CLIENTELE_FUNCTION(clientele_currency_decimals) { PG_RETURN_INT32(currency_decimals(text_of(PG_GETARG_DATUM(0)))); }

CLIENTELE_FUNCTION(clientele_typical_from_orders) {
    static_cast<void>(fcinfo);
    PG_RETURN_INT64(typical_from_orders);
}
