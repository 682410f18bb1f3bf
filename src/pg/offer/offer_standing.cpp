#include "pg/offer/offer_standing.hpp"

#include "core/offer/ladder.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/unicode.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace clientele {
namespace {

constexpr std::int64_t scaled_unit = 10'000;  // of read_numeric()

// The rows of an array of a composite type, one at a time.
class RowArray {
  public:
    RowArray(const char* name, const char* accepted, ArrayType* array) : name_(name), accepted_(accepted) {
        if (ARR_NDIM(array) > 1) {
            ereport(ERROR,
                    (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("%s must be an array of one dimension", name),
                     errdetail("It has %d dimensions.", ARR_NDIM(array)), errhint("%s", accepted)));
        }
        deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &rows_, &nulls_, &count_);
        columns_ = lookup_rowtype_tupdesc(ARR_ELEMTYPE(array), -1);
    }

    int count() const { return count_; }

    // Splits a row into its columns.
    void split(int index, Datum* values, bool* nulls) const {
        if (nulls_[index]) refuse_null(index, "The element");
        HeapTupleHeader row = DatumGetHeapTupleHeader(rows_[index]);
        HeapTupleData tuple{};
        tuple.t_len = HeapTupleHeaderGetDatumLength(row);
        tuple.t_data = row;
        heap_deform_tuple(&tuple, columns_, values, nulls);
    }

    [[noreturn]] void refuse_null(int index, const char* what) const {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s has an incomplete element", name_),
                        errdetail("%s is NULL, in place %d.", what, index + 1), errhint("%s", accepted_)));
        pg_unreachable();
    }

    void release() { ReleaseTupleDesc(columns_); }

  private:
    const char* name_;
    const char* accepted_;
    Datum* rows_ = nullptr;
    bool* nulls_ = nullptr;
    int count_ = 0;
    TupleDesc columns_ = nullptr;
};

// The standing of the program of that name; nullptr where the book has none.
Standing* find_standing(PreparedBook& book, Datum name) {
    const std::string_view text = text_of(name);
    for (const Program& program : book.book.programs) {
        if (program.name == text) return &book.standings[&program - book.book.programs.data()];
    }
    return nullptr;
}

[[noreturn]] void refuse_amount(const char* what, Datum amount, const char* accepted) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid %s", what),
                    errdetail("It is %s.", DatumGetCString(DirectFunctionCall1(numeric_out, amount))),
                    errhint("%s", accepted)));
    pg_unreachable();
}

// In whole units, rounded up, and at least 1. Thresholds above 10^13, which only a steep stretch asks for, take the
// long way.
std::int64_t threshold_in(Datum number) {
    const Scaled scaled = read_numeric(number);
    std::int64_t whole = -1;
    if (scaled.kind == NumericKind::finite) {
        whole = scaled.value < 0 ? -1 : (scaled.value + scaled_unit - 1) / scaled_unit;
    } else if (scaled.kind == NumericKind::out_of_range) {
        const Datum highest = NumericGetDatum(int64_to_numeric(highest_rung));
        const Datum magnitude = DirectFunctionCall1(numeric_abs, number);
        if (DatumGetBool(DirectFunctionCall2(numeric_le, magnitude, highest))) {
            whole = DatumGetInt64(DirectFunctionCall1(numeric_int8, DirectFunctionCall1(numeric_ceil, number)));
        }
    }
    if (whole < 0) refuse_amount("min_spend of a past exposure", number, "It is from 0 to 10^15, or NULL.");
    return Max(whole, 1);
}

// In the currency's smallest units, rounded down.
std::int64_t remaining_in(Datum number, int decimals) {
    const Scaled scaled = read_numeric(number);
    if (scaled.kind != NumericKind::finite) {
        refuse_amount("remaining of a budget", number, "It is an amount below 10^13, or NULL for all of the budget.");
    }
    const std::int64_t unit = scaled_unit / power_of_ten(decimals);
    return scaled.value < 0 ? 0 : scaled.value / unit;
}

// Whether an exposure counts against the store's contact limit: also one that was voided, for what was sent was sent.
bool is_contact(const PreparedBook& book, const PastExposure& exposure, Instant as_of) {
    return book.book.most_contacts != unlimited && as_of < later(*book.zone, exposure.issued_at, book.contact_period);
}

void read_history(PreparedBook& book, ArrayType* array, Customer& customer) {
    enum { program, issued_at, min_spend, is_void, columns };
    constexpr const char* accepted =
        "history is a plain array of clientele.past_exposure, each with its program and when it was issued.";
    RowArray rows("history", accepted, array);
    customer.period = rows.count() + 1;
    for (int index = 0; index < rows.count(); ++index) {
        Datum values[columns];
        bool nulls[columns];
        rows.split(index, values, nulls);
        if (nulls[program]) rows.refuse_null(index, "program");
        if (nulls[issued_at]) rows.refuse_null(index, "issued_at");
        PastExposure exposure;
        exposure.issued_at = DatumGetTimestampTz(values[issued_at]);
        if (TIMESTAMP_NOT_FINITE(exposure.issued_at)) {
            ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("issued_at of history must be finite"),
                            errdetail("It is %s.", timestamptz_to_str(exposure.issued_at)), errhint("%s", accepted)));
        }
        if (!nulls[min_spend]) exposure.min_spend = threshold_in(values[min_spend]);
        exposure.is_void = !nulls[is_void] && DatumGetBool(values[is_void]);
        add_exposure(customer.last_threshold, exposure);
        if (is_contact(book, exposure, customer.as_of)) ++customer.contacts;
        if (Standing* standing = find_standing(book, values[program])) add_exposure(*standing, exposure);
    }
    rows.release();
}

void read_budgets(PreparedBook& book, ArrayType* array) {
    enum { program, remaining, columns };
    constexpr const char* accepted = "budgets is a plain array of clientele.offer_budget, each with its program.";
    RowArray rows("budgets", accepted, array);
    for (int index = 0; index < rows.count(); ++index) {
        Datum values[columns];
        bool nulls[columns];
        rows.split(index, values, nulls);
        if (nulls[program]) rows.refuse_null(index, "program");
        Standing* standing = find_standing(book, values[program]);
        if (standing == nullptr || standing->remaining == unlimited || nulls[remaining]) continue;
        standing->remaining = remaining_in(values[remaining], book.book.decimals);
    }
    rows.release();
}

}  // namespace

void read_standings(PreparedBook& book, ArrayType* history, ArrayType* budgets, Customer& customer) {
    if (history == nullptr && !book.asks_for_budgets) return;
    const std::size_t count = book.book.programs.size();
    for (std::size_t index = 0; index < count; ++index) {
        book.standings[index] = Standing{};
        book.standings[index].remaining = book.parts[index].budget;
    }
    customer.standings = {book.standings, count};
    if (book.asks_for_budgets && budgets != nullptr) read_budgets(book, budgets);
    if (history == nullptr) return;
    read_history(book, history, customer);
    for (std::size_t index = 0; index < count; ++index) {
        Standing& standing = book.standings[index];
        const ProgramParts& parts = book.parts[index];
        if (!parts.cools_down || standing.exposures == 0) continue;
        standing.cools_until = later(*book.zone, standing.last_issued_at, parts.cooldown);
    }
}

}  // namespace clientele
