// The words of an offer: the message to the customer, and the explanation to the analyst.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/offer/offer.hpp"

namespace clientele {

// Appends to a buffer that it does not own; what does not fit is only counted, as snprintf does.
class Text {
  public:
    explicit Text(std::span<char> buffer) : buffer_(buffer) {}

    Text& add(std::string_view text);
    Text& add(char character) { return add(std::string_view(&character, 1)); }
    // value / 10^decimals, with all its decimals.
    Text& add_decimal(__int128 value, int decimals);
    Text& add_number(std::int64_t value) { return add_decimal(value, 0); }
    // The shortest form that reads back as the same double.
    Text& add_double(double value);
    Text& add_fixed(double value, int decimals);
    Text& add_day(Day day);

    // Bytes added, also those that did not fit.
    std::size_t size() const { return size_; }

  private:
    std::span<char> buffer_;
    std::size_t size_ = 0;
};

// Refuses a message with a placeholder that has no value.
void check_message(std::string_view message);

// The decision's message, its placeholders filled in. `last_day` is the last day that the offer is valid on.
void add_message(Text& text, const Book& book, const Decision& decision, std::string_view segment, Day last_day);

// The reasons that carry a value, as code=value: what a purchase model says of a customer to win back (decision.p_alive
// is known), and the customer's own rhythm.
void add_p_alive_reason(Text& text, const Decision& decision);
void add_rhythm_reason(Text& text, const CustomerFacts& facts);

// Why the program was decided as it was, with the values found and the limits, in one paragraph.
void add_explanation(Text& text, const Book& book, const Decision& decision, const Customer& customer,
                     const Program* winner);

}  // namespace clientele
