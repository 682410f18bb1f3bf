// Decisions about offers: src/sql/30-offer.sql says what each function returns.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/offer/learned_terms.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/nullable.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/offer/margins.hpp"
#include "pg/offer/offer_input.hpp"
#include "pg/offer/offer_row.hpp"

using namespace clientele;

namespace {

// --- arguments --------------------------------------------------------------------------------------------------

// What a function that decides is given behind the book.
struct Question {
    OfferInput input;
    NullableDatum program;
    NullableDatum budgets;
    bool complete;  // false: there is nothing to decide
};

Question question(FunctionCallInfo fcinfo, const OfferInput& input, NullableDatum program, NullableDatum budgets) {
    const bool complete = !PG_ARGISNULL(0) && !input.customer.isnull && !input.as_of.isnull;
    return {input, program, budgets, complete};
}

OfferInput input_argument(FunctionCallInfo fcinfo) {
    if (!PG_ARGISNULL(1)) return offer_input(PG_GETARG_DATUM(1));
    return {null_datum, null_datum, null_datum, null_datum, null_datum, null_datum,
            null_datum, null_datum, null_datum, null_datum, null_datum};
}

// (book, input, program, budgets), or what the toolkit's functions take.
Question about_one(FunctionCallInfo fcinfo) {
    const NullableDatum* given = fcinfo->args;
    if (PG_NARGS() == 4) return question(fcinfo, input_argument(fcinfo), given[2], given[3]);
    return question(fcinfo, offer_input(fcinfo, 7, 9), given[6], given[8]);
}

// (book, input, budgets), or what the toolkit's functions take.
Question about_all(FunctionCallInfo fcinfo) {
    const NullableDatum* given = fcinfo->args;
    if (PG_NARGS() == 3) return question(fcinfo, input_argument(fcinfo), null_datum, given[2]);
    return question(fcinfo, offer_input(fcinfo, 6, 8), null_datum, given[7]);
}

[[noreturn]] void refuse_program(std::string_view name, const Book& book) {
    StringInfoData known;
    initStringInfo(&known);
    for (const Program& program : book.programs) {
        appendStringInfo(&known, "%s%.*s", known.len > 0 ? ", " : "", static_cast<int>(program.name.size()),
                         program.name.data());
    }
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("program \"%.*s\" does not exist", static_cast<int>(name.size()), name.data()),
                    known.len > 0 ? errdetail("The programs are: %s.", known.data) : errdetail("There are none."),
                    errhint("clientele.define_offer() defines one.")));
    pg_unreachable();
}

// nullptr: any.
const Program* requested_program(const NullableDatum& requested, const Book& book) {
    if (requested.isnull) return nullptr;
    const std::string_view name = text_of(requested.value);
    if (const Program* program = program_named(book, name)) return program;
    refuse_program(name, book);
}

// The terms of an exposure that is open, where the customer is offered them: the ledger knows them.
NullableDatum open_terms(const Question& asked, const Book& book) {
    const OpenOffer open = open_offer(asked.input.open.value);
    const std::string_view name = asked.program.isnull ? std::string_view{} : text_of(asked.program.value);
    if (name != open.exposure.program) requested_program(asked.program, book);
    return {open.terms, !is_offered(open.exposure, name)};
}

// --- decisions --------------------------------------------------------------------------------------------------

// Adds a row for each program of the book, but for the one whose exposure is open: the ledger knows what that is. Where
// rows explain nothing it follows them.
void add_decisions(FunctionCallInfo fcinfo) {
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto& set = *reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    const Question asked = about_all(fcinfo);
    if (!asked.complete) return;
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(0));
    const Book& book = prepared.book;
    const RowShape& shape = shape_of(fcinfo, set.setDesc);
    const Detail detail = has_column(shape, "explanation") ? Detail::explanation : Detail::reasons;
    const Customer customer = read_customer(asked.input, asked.budgets, detail, prepared);
    const Program* winner = nullptr;
    think([&] { winner = winner_of(book, customer); });
    for (const Program& program : book.programs) {
        if (customer.open && customer.open->program == program.name) continue;
        Decision decision;
        think([&] { decision = decide_program(book, program, customer, winner); });
        add_row(set, shape, {prepared, decision, customer, asked.input.segment, winner});
    }
    if (customer.open && detail != Detail::explanation) add_open_row(set, shape, open_offer(asked.input.open.value));
}

// --- the response curve -----------------------------------------------------------------------------------------

constexpr std::size_t most_points = 4096;  // the ladder has fewer rungs between any two stretches, times the rates

NullableDatum share_datum(double share) { return {Float8GetDatum(share), std::isnan(share)}; }

// In the order of the type clientele.response_point.
void add_point(ReturnSetInfo& set, const CurvePoint& point, const Book& book) {
    const NullableDatum columns[] = {known_datum(make_numeric(point.terms.min_spend, 0)),
                                     known_datum(make_numeric(point.terms.reward, book.decimals)),
                                     share_datum(point.natural_share),
                                     share_datum(point.raised_share),
                                     expectation(point.profit, book),
                                     expectation(point.low, book),
                                     expectation(point.high, book),
                                     known_datum(BoolGetDatum(point.chosen))};
    Datum values[std::size(columns)];
    bool nulls[std::size(columns)];
    for (std::size_t i = 0; i < std::size(columns); ++i) {
        values[i] = columns[i].value;
        nulls[i] = columns[i].isnull;
    }
    tuplestore_putvalues(set.setResult, set.setDesc, values, nulls);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_decide_offer) {
    const Question asked = about_one(fcinfo);
    if (!asked.complete) PG_RETURN_NULL();
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(0));
    if (!asked.input.open.isnull) {
        const NullableDatum terms = open_terms(asked, prepared.book);
        fcinfo->isnull = terms.isnull;
        return terms.value;
    }
    const Customer customer = read_customer(asked.input, asked.budgets, Detail::offer, prepared);
    const Program* only = requested_program(asked.program, prepared.book);
    Decision decision;
    think([&] { decision = decide_offer(prepared.book, customer, only); });
    if (decision.program == nullptr) PG_RETURN_NULL();
    return row_of(shape_of(fcinfo), {prepared, decision, customer, asked.input.segment});
}

CLIENTELE_FUNCTION(clientele_enrol) {
    const Question asked = about_one(fcinfo);
    if (!asked.complete) PG_RETURN_NULL();
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(0));
    if (!asked.input.open.isnull) {
        open_terms(asked, prepared.book);
        PG_RETURN_NULL();
    }
    Customer customer = read_customer(asked.input, asked.budgets, Detail::offer, prepared);
    const Program* only = requested_program(asked.program, prepared.book);
    Decision decision;
    think([&] { decision = decide_enrolment(prepared.book, customer, only); });
    if (decision.program == nullptr) PG_RETURN_NULL();
    if (!prepared.asks_for_next_order) customer.next_order = read_next_order(asked.input);  // the ledger keeps it
    return row_of(shape_of(fcinfo), {prepared, decision, customer, asked.input.segment});
}

CLIENTELE_FUNCTION(clientele_decide_programs) {
    add_decisions(fcinfo);
    return 0;
}

// (book, input): what each of the terms that were tried would do.
CLIENTELE_FUNCTION(clientele_response_curve) {
    InitMaterializedSRF(fcinfo, 0);
    auto& set = *reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return 0;
    PreparedBook& prepared = prepared_book(PG_GETARG_JSONB_P(0));
    if (prepared.book.response == nullptr) return 0;
    const Customer customer = read_customer(input_argument(fcinfo), null_datum, Detail::explanation, prepared);
    auto* points = static_cast<CurvePoint*>(palloc(most_points * sizeof(CurvePoint)));
    std::size_t count = 0;
    think([&] {
        const auto curve = response_curve(prepared.book, customer);
        count = std::min(curve.size(), most_points);
        std::copy_n(curve.begin(), count, points);
    });
    for (std::size_t i = 0; i < count; ++i) add_point(set, points[i], prepared.book);
    return 0;
}

CLIENTELE_FUNCTION(clientele_customer_margin) {
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    const NullableDatum segment = nullable_argument(fcinfo, 2);
    const Margins& margins = prepared_book(PG_GETARG_JSONB_P(0)).book.margins;
    const std::string_view name = segment.isnull ? std::string_view{} : text_of(segment.value);
    return rate_datum(customer_margin(margins, nullable_argument(fcinfo, 1), name).value);
}

// Of an exposure that is open: (book, objective, segment, margin, log_mean, log_sd, season, min_spend, reward, as_of).
CLIENTELE_FUNCTION(clientele_break_even_share) {
    for (const int argument : {0, 1, 3, 7, 8, 9}) {
        if (PG_ARGISNULL(argument)) PG_RETURN_NULL();
    }
    const Book& book = prepared_book(PG_GETARG_JSONB_P(0)).book;
    Program program;
    for (const Objective objective : objectives) {
        if (code_of(objective) == text_of(PG_GETARG_DATUM(1))) program.objective = objective;
    }
    Customer customer;
    if (!PG_ARGISNULL(2)) customer.segment = text_of(PG_GETARG_DATUM(2));
    if (!PG_ARGISNULL(6)) customer.season = PG_GETARG_FLOAT8(6);
    customer.as_of = PG_GETARG_TIMESTAMPTZ(9);
    Decision decision;
    decision.program = &program;
    decision.margin.value = units_in(PG_GETARG_DATUM(3), rate_unit);
    if (!PG_ARGISNULL(4) && !PG_ARGISNULL(5))
        decision.reference.next_order = {PG_GETARG_FLOAT8(4), PG_GETARG_FLOAT8(5)};
    decision.terms.min_spend = units_in(PG_GETARG_DATUM(7), 1);
    decision.terms.reward = units_in(PG_GETARG_DATUM(8), power_of_ten(book.decimals));
    BreakEven needs;
    think([&] { needs = break_even(book, customer, decision); });
    if (!needs.known()) PG_RETURN_NULL();
    PG_RETURN_FLOAT8(needs.share);
}

CLIENTELE_FUNCTION(clientele_currency_decimals) { PG_RETURN_INT32(currency_decimals(text_of(PG_GETARG_DATUM(0)))); }

CLIENTELE_FUNCTION(clientele_typical_from_orders) {
    static_cast<void>(fcinfo);
    PG_RETURN_INT64(typical_from_orders);
}
