// The offer book: a store's programs as jsonb, made ready for deciding.
#pragma once

#include "pg/offer/offer_program.hpp"

namespace clientele {

struct WrittenTiers;

// A book ready for use: flat memory of the session, whose texts are views of it.
struct PreparedBook {
    Book book;
    ProgramParts* parts;  // one a program
    Standing* standings;  // one a program; of the customer who was asked for last
    const Zone* zone;
    WrittenTiers* written_tiers;  // lately; none at first
    Interval contact_period;      // for which the book limits contacts, if it does
    MemoryContext context;
    Datum currency;
    bool asks_for_cv;
    bool asks_for_next_order;
    bool asks_for_recency;
    bool asks_for_gap;
    bool asks_for_id;
    bool asks_for_budgets;

    ProgramParts& parts_of(const Program& program) const { return parts[&program - book.programs.data()]; }
};

// The book behind the jsonb, parsed and validated once a session as long as its bytes stay the same. It is valid
// until the next call.
PreparedBook& prepared_book(Jsonb* source);

// An instant plus a duration, counted by the calendar and the clock of the zone.
Instant later(const Zone& zone, Instant from, const Interval& duration);

// When an offer of the program made at as_of ends; remembered for the next call.
const Validity& validity_of(PreparedBook& book, const Program& program, Instant as_of);

// The expected profit of the decision's arm for customers of the segment; 0 where there is no estimate.
Datum expected_profit_of(const PreparedBook& book, const Decision& decision, std::string_view segment);

// The reasons as text[], in the current memory context.
Datum reasons_datum(const Decision& decision, const CustomerFacts& facts);

// The same for an offer, made once for each program, basis and bound where they say nothing of the customer.
Datum offer_reasons_datum(PreparedBook& book, const Decision& decision, const CustomerFacts& facts);

}  // namespace clientele
