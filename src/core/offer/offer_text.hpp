// The words of an offer: the message to the customer, and the explanation to the analyst.
#pragma once

#include <string_view>

#include "core/base/text.hpp"
#include "core/offer/offer.hpp"

namespace clientele {

// What is said where no message is named: of a gift without the "off", of a share with its cap, and of all tiers.
inline constexpr std::string_view plain_message = "Spend {min_spend} or more and get {reward} off";

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
