// One program of an offer book: its keys, validated, and what its rows share.
#pragma once

#include "core/offer/offer.hpp"

#include "pg/offer/book_json.hpp"

namespace clientele {

// When an offer made at an instant ends.
struct Validity {
    Instant as_of;
    Instant until;
    Day last_day;  // in the store's zone
    bool known;
};

// What an offer of an arm is expected to bring in, as estimated from data.
struct Estimate {
    std::string_view segment;  // without data: of every segment that has none of its own
    int arm_index;
    Datum expected_profit;
};

// What the rows of one program share.
struct ProgramParts {
    Interval valid_for;
    Interval cooldown;
    bool cools_down;
    std::int64_t budget;  // in smallest units; unlimited where there is none
    Validity validity;    // of the last as_of
    Datum name;
    Datum reward_kind;
    Datum disclosure;  // 0: NULL
    Datum* variants;   // one an arm, and one a combination to explore
    std::span<const Estimate> estimates;
    // text[] by origin, basis and whether it is bounded, what bounds the reward, and the threshold; 0: not made yet
    Datum reasons[origin_count][5][2][3][3];
};

// Reads a program of the book, whose store and currency are known, into what is empty. All memory is of the current
// context.
void read_program(const Book& book, const BookSource& object, Program& program, ProgramParts& parts);

// An interval above zero, whose parts all are.
Interval duration_in(const BookSource& source, const char* key, std::string_view text, const char* accepted);

// Feeds a seed with the parts of its name.
void feed(Fnv1a& seed, std::initializer_list<std::string_view> parts);

}  // namespace clientele
