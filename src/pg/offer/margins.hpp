// Margins: those of a book, and the one that a customer has by them.
#pragma once

#include "core/offer/margin.hpp"
#include "pg/kit/nullable.hpp"
#include "pg/offer/book_json.hpp"

namespace clientele {

// Of the book: margin, margin_by_category and margin_by_segment; in the current memory context.
Margins margins_in(const BookSource& source);

// Of a customer: category_mix is jsonb, or NULL where nothing is known of the baskets.
CustomerMargin customer_margin(const Margins& margins, const NullableDatum& category_mix, std::string_view segment);

// Millionths as a numeric that shows two decimals, or as many as it needs.
Datum rate_datum(std::int64_t margin);

}  // namespace clientele
