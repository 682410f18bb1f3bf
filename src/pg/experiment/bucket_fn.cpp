// Buckets and variants: src/sql/20-experiment.sql says what each function returns.
#include <span>
#include <string_view>

#include "core/experiment/bucket.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/kit/number_array.hpp"
#include "pg/kit/unicode.hpp"

using namespace clientele;

namespace {

double bucket_of(Datum seed_datum, Datum unit_datum) {
    const std::string_view seed = utf8_of(seed_datum);
    const std::string_view unit = utf8_of(unit_datum);
    int number = 0;
    think([&] { number = bucket_number(seed, unit); });
    return bucket_share(number);
}

// The weights behind a float8[] of one dimension without NULLs; raises an ERROR for others.
std::span<const double> weights_of(ArrayType* array) {
    check_plain_array(array, "weights", "Write ARRAY[0.5, 0.5] for two halves.",
                      "Give a variant that is never chosen the weight 0.");
    return doubles_of(array);
}

}  // namespace

CLIENTELE_FUNCTION(clientele_bucket) { PG_RETURN_FLOAT8(bucket_of(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1))); }

CLIENTELE_FUNCTION(clientele_choose_variant) {
    const double share = bucket_of(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
    const std::span<const double> weights = weights_of(PG_GETARG_ARRAYTYPE_P(2));
    int index = -1;
    think([&] {
        check_weights(weights);
        index = choose_variant(share, weights);
    });
    PG_RETURN_INT32(index);
}

CLIENTELE_FUNCTION(clientele_even_weight) { PG_RETURN_FLOAT8(even_weight(PG_GETARG_INT64(0))); }
