// The offer book: a store's programs as jsonb, made ready for deciding.
#pragma once

#include "core/offer.hpp"

#include "postgres.hpp"

namespace clientele {

// When an offer made at an instant ends.
struct Validity {
    Instant as_of;
    Instant until;
    Day last_day;  // in the store's zone
    bool known;
};

// What the rows of one program share.
struct ProgramParts {
    Interval valid_for;
    Validity validity;  // of the last as_of
    Datum name;
    Datum disclosure;     // 0: NULL
    Datum reasons[5][2];  // text[] by basis and by whether the margin caps the reward; 0: not made yet
};

// A book ready for use: flat memory of the session, whose texts are views of it.
struct PreparedBook {
    Book book;
    ProgramParts* parts;  // one a program
    const Zone* zone;
    MemoryContext context;
    Datum currency;
    Datum reward_kind;
    Datum variant;
    bool asks_for_cv;
    bool asks_for_recency;
    bool asks_for_gap;
    bool asks_for_id;

    ProgramParts& parts_of(const Program& program) const { return parts[&program - book.programs.data()]; }
};

// The book behind the jsonb, parsed and validated once a session as long as its bytes stay the same. It is valid
// until the next call.
PreparedBook& prepared_book(Jsonb* source);

// When an offer of the program made at as_of ends; remembered for the next call.
const Validity& validity_of(PreparedBook& book, const Program& program, Instant as_of);

// The reasons as text[], in the current memory context.
Datum reasons_datum(const Decision& decision, const CustomerFacts& facts);

// The same for an offer, made once for each program, basis and cap where they say nothing of the customer.
Datum offer_reasons_datum(PreparedBook& book, const Decision& decision, const CustomerFacts& facts);

}  // namespace clientele
