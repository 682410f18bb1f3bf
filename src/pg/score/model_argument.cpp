#include "pg/score/model_argument.hpp"

namespace clientele {

PurchaseKind kind_of_name(std::string_view name) {
    for (const PurchaseKind kind : {PurchaseKind::bgnbd, PurchaseKind::mbgnbd, PurchaseKind::pareto_nbd}) {
        if (name == name_of(kind)) return kind;
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown kind of a purchase model"),
                    errdetail("It is \"%.*s\".", static_cast<int>(name.size()), name.data()),
                    errhint("The kinds are bgnbd, mbgnbd and pareto_nbd.")));
    pg_unreachable();
}

const double* numbers_of(ArrayType* array, int count) {
    if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != count || array_contains_nulls(array)) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("parameters of a model must be an array of %d numbers", count),
             errhint("In this order: r, alpha and a, b or s, beta of a purchase model; p, q, v of a value model.")));
    }
    return reinterpret_cast<const double*>(ARR_DATA_PTR(array));
}

}  // namespace clientele
