// Decisions as rows: what each column of clientele.offer, offer_decision, enrolment and the like means.
#pragma once

#include "pg/offer/offer_book.hpp"
#include "pg/offer/offer_input.hpp"

namespace clientele {

// What rows tell of. `winner` is that of the customer, where it is known.
struct Answer {
    PreparedBook& prepared;
    const Decision& decision;
    const Customer& customer;
    NullableDatum segment;  // of the customer
    const Program* winner = nullptr;
};

// A column of a result; known by its name.
struct AnswerColumn {
    std::string_view name;
    NullableDatum (*value)(const Answer& answer);
};

// The columns of a function's result.
struct RowShape {
    TupleDesc descriptor;
    const AnswerColumn* columns[];
};

// Those of this function, looked up once a query. descriptor: of the result; nullptr: to be looked up, too.
const RowShape& shape_of(FunctionCallInfo fcinfo, TupleDesc descriptor = nullptr);

bool has_column(const RowShape& shape, std::string_view name);

// The answer in that shape: as a row, or added to a set.
Datum row_of(const RowShape& shape, const Answer& answer);
void add_row(ReturnSetInfo& set, const RowShape& shape, const Answer& answer);

// What was decided when an exposure that is open began: its status and its terms. Nothing else is known of it.
void add_open_row(ReturnSetInfo& set, const RowShape& shape, const OpenOffer& open);

// What a customer is expected to earn, in the currency's decimals, or more, since it is little. NULL: not known.
NullableDatum expectation(double amount, const Book& book);

}  // namespace clientele
