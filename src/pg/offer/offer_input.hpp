// What is known of a customer where an offer is decided. Whoever decides is given it in one piece, which may grow.
#pragma once

#include "pg/offer/offer_book.hpp"

namespace clientele {

// The type clientele.offer_input, column by column.
struct OfferInput {
    NullableDatum customer, segment, profile, fallback, as_of, history, open, category_mix, prior, season, no_consent;
};

// From a row of that type.
OfferInput offer_input(Datum row);

// From the arguments of a function of the toolkit, which has them one by one: from the second on, history and category
// mix apart, and the prior and the season last.
OfferInput offer_input(FunctionCallInfo fcinfo, int history, int category_mix);

// The type clientele.open_exposure. The customer has the offer of these terms, or is held out of it.
struct OpenOffer {
    OpenExposure exposure;
    Datum terms;  // clientele.offer
};
OpenOffer open_offer(Datum row);

// A finite numeric in units of 1/unit, rounded.
std::int64_t units_in(Datum number, std::int64_t unit);

// How much of a customer there is to read: what an offer depends on, or also what its reasons tell, or its explanation.
enum class Detail { offer, reasons, explanation };

// The customer as the core sees it; texts stay where the input is. budgets: what is left of them.
Customer read_customer(const OfferInput& input, const NullableDatum& budgets, Detail detail, PreparedBook& book);

// What the next order would be without an offer; nothing where the prior is not known. It takes a logarithm for each of
// the last orders: only where somebody asks.
OrderValue read_next_order(const OfferInput& input);

}  // namespace clientele
