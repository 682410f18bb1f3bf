// The response to offers as a book has it: what fit_response() writes into the parameters of a model.
#pragma once

#include "core/response/response_model.hpp"

#include "pg/offer/book_json.hpp"

namespace clientele {

// {"parameters": {"a", "lb", "c", "delta", "ltau", "lomega", "lA", "lq": numbers, "d": one a segment},
//  "segments": names, in the order of d, "covariance": of the parameters in this order, the rows of its lower triangle
//  one after the other, "q_known": whether who reaches a threshold always redeems,
//  "stretch" and "reward_rate": [the least, the greatest that was tried],
//  "order_rate": {"shape", "mean", "days"}, "horizon_days", "known_to": what it was fitted to ends here,
//  "extra_orders", "extra_orders_error", "displaced": 0 where they are absent, "outdated": false likewise,
//  "sensitive": segments that must have no d of their own}
// nullptr: the book has none. It lives as long as the current context.
const ResponseModel* response_model_in(const BookSource& book);

}  // namespace clientele
