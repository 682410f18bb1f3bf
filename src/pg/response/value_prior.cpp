#include "pg/response/value_prior.hpp"

#include <cstring>

#include "pg/kit/boundary.hpp"

#include "pg/score/model_argument.hpp"

namespace clientele {
namespace {

// Session memo: the last one that was read, by its bytes. All customers of a store have the same.
struct LastRead {
    std::size_t size = 0;  // 0: none
    unsigned char row[96];
    ValuePrior prior;
};
LastRead last_read;

}  // namespace

ValuePrior value_prior(HeapTupleHeader row) {
    const std::size_t size = HeapTupleHeaderGetDatumLength(row);
    if (size == last_read.size && std::memcmp(row, last_read.row, size) == 0) return last_read.prior;
    const ValuePrior prior{parameter_of(row, 1), parameter_of(row, 2), parameter_of(row, 3), parameter_of(row, 4)};
    think([&] { check(prior); });
    if (size <= sizeof last_read.row) {
        std::memcpy(last_read.row, row, size);
        last_read.prior = prior;
        last_read.size = size;
    }
    return prior;
}

}  // namespace clientele
