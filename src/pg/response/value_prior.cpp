#include "pg/response/value_prior.hpp"

#include "pg/kit/boundary.hpp"

#include "pg/score/model_argument.hpp"

namespace clientele {

ValuePrior value_prior(HeapTupleHeader row) {
    const ValuePrior prior{parameter_of(row, 1), parameter_of(row, 2), parameter_of(row, 3), parameter_of(row, 4)};
    think([&] { check(prior); });
    return prior;
}

}  // namespace clientele
