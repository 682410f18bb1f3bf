// What limits offers to a customer: the arguments history and budgets of the functions that decide.
#pragma once

#include "pg/offer/offer_book.hpp"

namespace clientele {

// How the customer stands, with each program of the book and over all of them, from their past exposures
// (clientele.past_exposure[]) and what is left of the budgets (clientele.offer_budget[]); nullptr: NULL. Valid until
// the next call.
void read_standings(PreparedBook& book, ArrayType* history, ArrayType* budgets, Customer& customer);

}  // namespace clientele
