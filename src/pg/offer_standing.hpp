// What limits offers to a customer: the arguments history and budgets of the functions that decide.
#pragma once

#include <span>

#include "offer_book.hpp"

namespace clientele {

// How the customer and each program of the book stand, from their past exposures (clientele.past_exposure[]) and what
// is left of the budgets (clientele.offer_budget[]); nullptr: NULL. Empty where nothing limits. Valid until the next
// call.
std::span<const Standing> standings_of(PreparedBook& book, ArrayType* history, ArrayType* budgets);

}  // namespace clientele
