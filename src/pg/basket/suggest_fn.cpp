// suggest_fill(): what to add to a customer's basket. One prepared query brings what could be added and what speaks for
// it, with the rights of who asks; the core ranks it and says why. Where too little of that closes a gap, another one
// brings what is bought most often of what does.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/basket/suggestion.hpp"

#include "pg/kit/boundary.hpp"
#include "pg/kit/kept_object.hpp"
#include "pg/kit/numeric.hpp"
#include "pg/kit/query.hpp"
#include "pg/lookup/lookup.hpp"

extern "C" {
#include "utils/syscache.h"
}

using namespace clientele;

namespace {

// $1 is the customer, $2 the products in the basket.
constexpr StoreQuery fill_candidates = {"SELECT * FROM %1$s._fill_candidates($1, $2)", View::customers};

// $1 is the least price, $2 the greatest, $3 the products in the basket.
constexpr StoreQuery fill_by_price = {"SELECT * FROM %1$s._fill_by_price($1, $2, $3)", View::customers};

enum Column : int {
    product_column = 1,
    name_column,
    price_column,
    available_column,
    companion_column,
    affinity_column,
    day_column,
    orders_column,
    counted_orders_column,
    purchase_days_column,
    today_column,
    decimals_column,
};
constexpr Oid column_types[] = {TEXTOID, TEXTOID, NUMERICOID, BOOLOID, TEXTOID, FLOAT8OID,
                                DATEOID, INT8OID, INT8OID,    INT8OID, DATEOID, INT4OID};

constexpr int most_suggestions = 100;

// The arguments but the customer and the store.
struct Request {
    Datum basket;
    bool has_gap;
    std::int64_t gap;
    std::int32_t most;
};

void read_gap(Datum gap, Request& request) {
    const Scaled value = read_numeric(gap);
    if (value.kind != NumericKind::finite) refuse_amount("gap", gap);
    request.has_gap = true;
    request.gap = value.value;
}

Request request_of(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(1)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("basket must not be NULL"),
                        errhint("It is the products in the basket, as text; '{}' where it is empty.")));
    }
    Request request{};
    request.basket = PG_GETARG_DATUM(1);
    if (!PG_ARGISNULL(3)) read_gap(PG_GETARG_DATUM(3), request);
    request.most = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);
    if (request.most < 1 || request.most > most_suggestions) {
        ereport(ERROR, (errcode(PG_ARGISNULL(4) ? ERRCODE_NULL_VALUE_NOT_ALLOWED : ERRCODE_INVALID_PARAMETER_VALUE),
                        PG_ARGISNULL(4) ? errmsg("most must not be NULL") : errmsg("invalid most: %d", request.most),
                        errhint("It is how many suggestions to make, from 1 to %d.", most_suggestions)));
    }
    return request;
}

struct Asked {
    Store store;
    Oid key_type;
    NullableDatum customer;
};

Asked asked_of(FunctionCallInfo fcinfo) {
    Asked asked{};
    asked.store = resolve_store(PG_ARGISNULL(2) ? nullptr : NameStr(*PG_GETARG_NAME(2)));
    asked.key_type = key_type_of(asked.store);
    asked.customer.isnull = !key_argument(fcinfo, asked.key_type, &asked.customer.value);
    return asked;
}

bool has_function(const Store& store, const char* name, std::span<const Oid> arguments) {
    return SearchSysCacheExists3(PROCNAMEARGSNSP, CStringGetDatum(name),
                                 PointerGetDatum(buildoidvector(arguments.data(), static_cast<int>(arguments.size()))),
                                 ObjectIdGetDatum(store.schema));
}

// They go where a table that they read is dropped with all that depends on it.
bool has_functions(const Asked& asked) {
    const Oid customer_and_basket[] = {asked.key_type, TEXTARRAYOID};
    const Oid prices_and_basket[] = {NUMERICOID, NUMERICOID, TEXTARRAYOID};
    return has_function(asked.store, "_fill_candidates", customer_and_basket) &&
           has_function(asked.store, "_fill_by_price", prices_and_basket);
}

void require_products(const Store& store) {
    begin_queries();
    const char* name = schema_name(store.schema);
    run_query("SELECT (clientele._settings($1)).options OPERATOR(pg_catalog.?) 'products'",
              {{NAMEOID, name_datum(name)}}, Reads::as_its_caller);
    const bool has_products = DatumGetBool(result_value(0, 1).value);
    end_queries();
    if (has_products) return;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("store \"%s\" knows no products", name),
                    errhint("Give it the table of products: SELECT clientele.alter_store(%s, item_product => '...', "
                            "products => '...').",
                            quote_literal_cstr(name))));
}

// Whether a store is detached or has lost a table that suggestions read, which is said in a warning. Whoever asks may
// be a till that has just taken an order: an error would take that back.
bool warns_of_no_suggestions(const Asked& asked) {
    const bool detached = is_detached(asked.store);
    if (!detached && has_functions(asked)) return false;
    if (!detached) require_products(asked.store);
    ereport(WARNING, (errcode(ERRCODE_WARNING),
                      errmsg("store \"%s\" %s, so there are no suggestions", schema_name(asked.store.schema),
                             detached ? "is detached" : "has lost a table that it reads")));
    return true;
}

// ---- What speaks for what ----

// The bytes of a text; none of a NULL.
std::string_view view_of(NullableDatum text) {
    if (text.isnull) return {};
    const varlena* value = pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(text.value)));
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

// 0 for NULL. Dates and shorter integers are datums as bigints are.
std::int64_t number(std::uint64_t row, int column) {
    const NullableDatum value = result_value(row, column);
    return value.isnull ? 0 : DatumGetInt64(value.value);
}

// 0 where no order could have it.
std::int64_t price_of(NullableDatum price) {
    if (price.isnull) return 0;
    const Scaled value = read_numeric(price.value);
    return value.kind == NumericKind::finite ? value.value : 0;
}

Reason reason_of(std::uint64_t row, bool by_price) {
    const NullableDatum affinity = result_value(row, affinity_column), day = result_value(row, day_column);
    Reason reason{};
    reason.product = view_of(result_value(row, product_column));
    reason.name = view_of(result_value(row, name_column));
    reason.price = price_of(result_value(row, price_column));
    reason.available = number(row, available_column) != 0;
    if (!affinity.isnull) {
        reason.companion = view_of(result_value(row, companion_column));
        reason.affinity = DatumGetFloat8(affinity.value);
    }
    if (!day.isnull) reason.day = static_cast<std::int32_t>(DatumGetInt64(day.value));
    reason.orders = number(row, orders_column);
    reason.by_price = by_price;
    return reason;
}

// These, and those of the rows of the last query.
std::span<const Reason> with_rows(std::span<const Reason> reasons, std::uint64_t rows, bool by_price) {
    const std::size_t size = reasons.size() + rows;
    auto* list = static_cast<Reason*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Reason) * (size + 1)));
    std::copy(reasons.begin(), reasons.end(), list);
    for (std::uint64_t row = 0; row < rows; ++row) list[reasons.size() + row] = reason_of(row, by_price);
    return {list, size};
}

std::span<const std::string_view> products_of(Datum basket) {
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(DatumGetArrayTypeP(basket), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    auto* products = static_cast<std::string_view*>(palloc(sizeof(std::string_view) * (count + 1)));
    for (int i = 0; i < count; ++i) products[i] = view_of({elements[i], nulls[i]});
    return {products, static_cast<std::size_t>(count)};
}

SuggestionQuestion question_of(const Request& request) {
    SuggestionQuestion question{};
    if (request.has_gap) question.gap = request.gap;
    question.most = static_cast<std::size_t>(request.most);
    return question;
}

// What every row of a query says alike.
void complete(SuggestionQuestion& question) {
    question.counted_orders = number(0, counted_orders_column);
    question.purchase_days = number(0, purchase_days_column);
    question.today = static_cast<std::int32_t>(number(0, today_column));
    question.decimals = static_cast<std::int32_t>(number(0, decimals_column));
}

struct Known {
    SuggestionQuestion question;
    std::span<const Reason> reasons;
    std::span<const std::string_view> basket;
};

void ask(const Store& store, SPIPlanPtr plan, std::span<const NullableDatum> parameters, bool by_price, Known& known) {
    const std::uint64_t rows = run_prepared(plan, parameters, Reads::as_its_caller);
    check_result(store, result_columns(), column_types, lengthof(column_types));
    if (known.reasons.empty() && rows > 0) complete(known.question);
    known.reasons = with_rows(known.reasons, rows, by_price);
}

void ask_for_candidates(const Asked& asked, const Request& request, Known& known) {
    static constexpr Oid types[] = {TEXTARRAYOID};
    const NullableDatum parameters[] = {asked.customer, known_datum(request.basket)};
    ask(asked.store, plan_of(asked.store, asked.key_type, fill_candidates, false, lengthof(types), types), parameters,
        false, known);
}

// Up to twice the gap: nobody is helped by what costs many times what is missing.
void ask_by_price(const Asked& asked, const Request& request, Known& known) {
    static constexpr Oid types[] = {NUMERICOID, TEXTARRAYOID};
    const NullableDatum parameters[] = {known_datum(make_numeric(request.gap, price_decimals)),
                                        known_datum(make_numeric(2 * request.gap, price_decimals)),
                                        known_datum(request.basket)};
    ask(asked.store, plan_of(asked.store, NUMERICOID, fill_by_price, false, lengthof(types), types), parameters, true,
        known);
}

// ---- What is answered ----

struct Answer {
    std::vector<Candidate> candidates;
    std::vector<Suggestion> suggestions;
    std::vector<std::vector<std::string>> reasons;
};

void find(const Known& known, Answer& answer) {
    answer = {};
    answer.candidates = candidates_among(known.reasons, known.basket);
    answer.suggestions = suggest(answer.candidates, known.question);
    for (const Suggestion& s : answer.suggestions) {
        answer.reasons.push_back(reasons(s, answer.candidates, known.question));
    }
}

// Of so many texts, which text_at gives.
template <class TextAt>
Datum text_array(std::size_t count, TextAt text_at) {
    auto* texts = static_cast<Datum*>(palloc(sizeof(Datum) * (count + 1)));
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view text = text_at(i);
        texts[i] = PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
    }
    return PointerGetDatum(construct_array(texts, static_cast<int>(count), TEXTOID, -1, false, TYPALIGN_INT));
}

// With the currency's decimals, or as many as it takes.
Datum money(std::int64_t value, int decimals) {
    int shown = price_decimals;
    for (; shown > decimals && value % 10 == 0; --shown) value /= 10;
    return make_numeric(value, shown);
}

void put(ReturnSetInfo* result, const Answer& answer, const SuggestionQuestion& question) {
    for (std::size_t i = 0; i < answer.suggestions.size(); ++i) {
        const Suggestion& s = answer.suggestions[i];
        const auto candidate = [&](std::size_t nth) -> const Candidate& {
            return answer.candidates[s.candidates[nth]];
        };
        Datum values[] = {text_array(s.candidates.size(), [&](std::size_t nth) { return candidate(nth).product; }),
                          text_array(s.candidates.size(), [&](std::size_t nth) { return candidate(nth).name; }),
                          money(s.price, question.decimals),
                          money(s.price - question.gap.value_or(0), question.decimals),
                          Float8GetDatum(s.score),
                          text_array(answer.reasons[i].size(),
                                     [&](std::size_t nth) -> std::string_view { return answer.reasons[i][nth]; })};
        bool nulls[] = {false, false, false, !question.gap.has_value(), false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

void answer(const Asked& asked, const Request& request, ReturnSetInfo* result) {
    begin_queries();
    Known known{question_of(request), {}, products_of(request.basket)};
    ask_for_candidates(asked, request, known);
    Answer*& found = kept_object<Answer>();
    think([&] {
        found = new Answer;
        find(known, *found);
    });
    if (request.has_gap && found->suggestions.size() < known.question.most) {
        ask_by_price(asked, request, known);
        think([&] { find(known, *found); });
    }
    put(result, *found, known.question);
    end_queries();
}

}  // namespace

CLIENTELE_FUNCTION(clientele_suggest_fill) {
    InitMaterializedSRF(fcinfo, 0);
    if (PG_ARGISNULL(0)) PG_RETURN_NULL();
    const Request request = request_of(fcinfo);
    const Asked asked = asked_of(fcinfo);
    if (warns_of_no_suggestions(asked)) PG_RETURN_NULL();
    // Nothing is missing, or more than nothing is there.
    if (request.has_gap && request.gap <= 0) PG_RETURN_NULL();
    answer(asked, request, reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
    PG_RETURN_NULL();
}
