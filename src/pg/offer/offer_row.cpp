#include "pg/offer/offer_row.hpp"

#include <algorithm>
#include <cmath>

#include "core/offer/learned_terms.hpp"
#include "core/offer/offer_text.hpp"
#include "pg/kit/boundary.hpp"
#include "pg/kit/written.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/row.hpp"
#include "pg/kit/unicode.hpp"
#include "pg/offer/margins.hpp"
#include "pg/offer/tiers.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace clientele {
namespace {

constexpr int most_columns = 64;

// --- values -----------------------------------------------------------------------------------------------------

NullableDatum words(std::string_view value) { return known_datum(text_datum(value)); }

NullableDatum amount(std::int64_t smallest_units, const Book& book) {
    return known_datum(make_numeric(smallest_units, book.decimals));
}

NullableDatum reference_value(const Answer& answer) {
    const Reference& reference = answer.decision.reference;
    if (reference.basis == Basis::none) return null_datum;
    const int decimals = shown_decimals(reference.value, answer.prepared.book.decimals);
    return known_datum(make_numeric(reference.value / power_of_ten(value_decimals - decimals), decimals));
}

ProgramParts& parts_of(const Answer& answer) { return answer.prepared.parts_of(*answer.decision.program); }

// Whether anything is asked for, and whether there is a reward for it.
bool asks(const Answer& answer) { return answer.decision.terms.min_spend > 0; }
bool promises(const Answer& answer) { return answer.decision.terms.reward > 0; }

const Validity& validity(const Answer& answer) {
    return validity_of(answer.prepared, *answer.decision.program, answer.customer.as_of);
}

NullableDatum message(const Answer& answer) {
    if (!promises(answer)) return null_datum;
    const Day last_day = validity(answer).last_day;
    return known_datum(written([&](Text& text) {
        add_message(text, answer.prepared.book, answer.decision, answer.customer.segment, last_day);
    }));
}

NullableDatum expected_profit(const Answer& answer) {
    if (answer.decision.expected.known()) return expectation(answer.decision.expected.profit, answer.prepared.book);
    const Datum profit = expected_profit_of(answer.prepared, answer.decision, answer.customer.segment);
    return profit != 0 && promises(answer) ? known_datum(profit) : null_datum;
}

NullableDatum reasons(const Answer& answer) {
    const CustomerFacts& facts = answer.customer.facts;
    return known_datum(answer.decision.status == Status::offered
                           ? offer_reasons_datum(answer.prepared, answer.decision, facts)
                           : reasons_datum(answer.decision, facts));
}

NullableDatum disclosure(const Answer& answer) {
    const Datum disclosure = parts_of(answer).disclosure;
    return disclosure != 0 && promises(answer) ? known_datum(disclosure) : null_datum;
}

NullableDatum holdout(const Answer& answer) {
    const Holdout holdout = answer.decision.holdout;
    return holdout == Holdout::none ? null_datum : words(code_of(holdout));
}

NullableDatum next_order(const Answer& answer, double value) {
    return answer.customer.next_order.sigma > 0 ? known_datum(Float8GetDatum(value)) : null_datum;
}

NullableDatum drawn(const Answer& answer, std::int64_t millionths) {
    return answer.decision.drawn ? known_datum(rate_datum(millionths)) : null_datum;
}

NullableDatum break_even(const Answer& answer) {
    const BreakEven needs = break_even(answer.prepared.book, answer.customer, answer.decision);
    return {Float8GetDatum(needs.share), !needs.known()};
}

NullableDatum explanation(const Answer& answer) {
    return known_datum(written([&](Text& text) {
        add_explanation(text, answer.prepared.book, answer.decision, answer.customer, answer.winner);
    }));
}

// --- columns ----------------------------------------------------------------------------------------------------

using A = const Answer&;

// All that a result may have, in about the order in which they have it.
constexpr AnswerColumn all_columns[] = {
    {"priority", [](A a) { return known_datum(Int32GetDatum(a.decision.program->priority)); }},
    {"program", [](A a) { return known_datum(parts_of(a).name); }},
    {"status", [](A a) { return words(code_of(a.decision.status)); }},
    {"reasons", reasons},
    {"break_even_share", break_even},
    {"explanation", explanation},
    {"program_version", [](A a) { return known_datum(Int32GetDatum(a.decision.program->version)); }},
    {"holdout", holdout},
    {"global_holdout", [](A a) { return known_datum(Float8GetDatum(a.prepared.book.global_holdout)); }},
    {"margin", [](A a) { return known_datum(rate_datum(a.decision.margin.value)); }},
    {"log_mean", [](A a) { return next_order(a, a.customer.next_order.mu); }},
    {"log_sd", [](A a) { return next_order(a, a.customer.next_order.sigma); }},
    {"drawn_stretch", [](A a) { return drawn(a, a.decision.arm.stretch); }},
    {"drawn_reward_rate", [](A a) { return drawn(a, a.decision.arm.reward_rate); }},
    {"segment", [](A a) { return a.segment; }},
    {"basis",
     [](A a) {
         const Basis basis = a.decision.reference.basis;
         return basis == Basis::none ? null_datum : words(code_of(basis));
     }},
    {"reference_value", reference_value},
    {"min_spend", [](A a) { return asks(a) ? known_datum(make_numeric(a.decision.terms.min_spend, 0)) : null_datum; }},
    {"reward", [](A a) { return asks(a) ? amount(a.decision.terms.reward, a.prepared.book) : null_datum; }},
    {"greatest_reward", [](A a) { return amount(a.decision.greatest_reward, a.prepared.book); }},
    {"reward_kind", [](A a) { return promises(a) ? known_datum(parts_of(a).reward_kind) : null_datum; }},
    {"currency", [](A a) { return known_datum(a.prepared.currency); }},
    {"message", message},
    {"valid_until", [](A a) { return promises(a) ? known_datum(TimestampTzGetDatum(validity(a).until)) : null_datum; }},
    {"variant", [](A a) { return promises(a) ? known_datum(parts_of(a).variants[a.decision.arm_index]) : null_datum; }},
    {"propensity", [](A a) { return known_datum(Float8GetDatum(a.decision.propensity)); }},
    {"expected_profit", expected_profit},
    {"expected_profit_low", [](A a) { return expectation(a.decision.expected.low, a.prepared.book); }},
    {"disclosure", disclosure},
    {"last_day", [](A a) { return promises(a) ? known_datum(Int32GetDatum(validity(a).last_day)) : null_datum; }},
    {"tiers", [](A a) { return tiers_datum(a.prepared, *a.decision.program, a.decision.terms); }},
};

// Those of one row mostly follow each other.
const AnswerColumn* find_column(const char* name, const AnswerColumn* after) {
    const std::ptrdiff_t count = std::ssize(all_columns);
    const std::ptrdiff_t first = after == nullptr ? 0 : after - all_columns + 1;
    for (std::ptrdiff_t step = 0; step < count; ++step) {
        const AnswerColumn& column = all_columns[(first + step) % count];
        if (column.name == name) return &column;
    }
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a decision has no column \"%s\"", name)));
    pg_unreachable();
}

void fill(const RowShape& shape, const Answer& answer, Datum* values, bool* nulls) {
    for (int index = 0; index < shape.descriptor->natts; ++index) {
        const NullableDatum column = shape.columns[index]->value(answer);
        values[index] = column.value;
        nulls[index] = column.isnull;
    }
}

// A row by the names of its columns, which are asked for in about their order. Its type is not pinned meanwhile:
// nothing here could change it.
class NamedRow {
  public:
    explicit NamedRow(Datum datum) {
        HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
        descriptor_ = lookup_type_cache(HeapTupleHeaderGetTypeId(row), TYPECACHE_TUPDESC)->tupDesc;
        if (descriptor_ == nullptr || descriptor_->natts > most_columns) {
            ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a row has not the columns of its type")));
        }
        HeapTupleData tuple{};
        tuple.t_len = HeapTupleHeaderGetDatumLength(row);
        tuple.t_data = row;
        heap_deform_tuple(&tuple, descriptor_, values_, nulls_);
    }

    // NULL where it has no such column.
    NullableDatum column(std::string_view name) {
        for (int step = 0; step < descriptor_->natts; ++step) {
            const int index = (next_ + step) % descriptor_->natts;
            if (name != NameStr(TupleDescAttr(descriptor_, index)->attname)) continue;
            next_ = index + 1;
            return {values_[index], nulls_[index]};
        }
        return null_datum;
    }

  private:
    TupleDesc descriptor_;
    Datum values_[most_columns];
    bool nulls_[most_columns];
    int next_ = 0;
};

}  // namespace

NullableDatum expectation(double amount, const Book& book) {
    if (!(std::fabs(amount) < 1e12)) return null_datum;
    const int decimals = std::max(book.decimals, 4);
    return known_datum(make_numeric(std::llround(amount * static_cast<double>(power_of_ten(decimals))), decimals));
}

const RowShape& shape_of(FunctionCallInfo fcinfo, TupleDesc descriptor) {
    auto* known = static_cast<RowShape*>(fcinfo->flinfo->fn_extra);
    if (known != nullptr) return *known;
    MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
    if (descriptor == nullptr) descriptor = result_row_type(fcinfo);
    const int count = descriptor->natts;
    Assert(count <= most_columns);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the columns are pointers
    known = static_cast<RowShape*>(palloc(offsetof(RowShape, columns) + count * sizeof(AnswerColumn*)));
    known->descriptor = BlessTupleDesc(CreateTupleDescCopy(descriptor));
    for (int index = 0; index < count; ++index) {
        const AnswerColumn* before = index == 0 ? nullptr : known->columns[index - 1];
        known->columns[index] = find_column(NameStr(TupleDescAttr(descriptor, index)->attname), before);
    }
    MemoryContextSwitchTo(caller);
    fcinfo->flinfo->fn_extra = known;
    return *known;
}

bool has_column(const RowShape& shape, std::string_view name) {
    return std::any_of(shape.columns, shape.columns + shape.descriptor->natts,
                       [name](const AnswerColumn* column) { return column->name == name; });
}

Datum row_of(const RowShape& shape, const Answer& answer) {
    Datum values[most_columns];
    bool nulls[most_columns];
    fill(shape, answer, values, nulls);
    return HeapTupleGetDatum(heap_form_tuple(shape.descriptor, values, nulls));
}

void add_row(ReturnSetInfo& set, const RowShape& shape, const Answer& answer) {
    Datum values[most_columns];
    bool nulls[most_columns];
    fill(shape, answer, values, nulls);
    tuplestore_putvalues(set.setResult, set.setDesc, values, nulls);
}

void add_open_row(ReturnSetInfo& set, const RowShape& shape, const OpenOffer& open) {
    NamedRow terms(open.terms);
    Datum values[most_columns];
    bool nulls[most_columns];
    for (int index = 0; index < shape.descriptor->natts; ++index) {
        const std::string_view name = shape.columns[index]->name;
        const NullableDatum column = name == "program" ? words(open.exposure.program)
                                     : name == "status"
                                         ? words(code_of(open.exposure.held_out ? Status::held_out : Status::offered))
                                         : terms.column(name);
        values[index] = column.value;
        nulls[index] = column.isnull;
    }
    tuplestore_putvalues(set.setResult, set.setDesc, values, nulls);
}

}  // namespace clientele
