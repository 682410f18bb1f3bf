#include "pg/score/model_argument.hpp"

#include "pg/kit/row.hpp"

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

double parameter_of(HeapTupleHeader row, int number) {
    const NullableDatum parameter = field_of(row, number);
    if (parameter.isnull) {
        const char* name =
            get_attname(get_typ_typrelid(HeapTupleHeaderGetTypeId(row)), static_cast<AttrNumber>(number), false);
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("parameter %s of a model is NULL", name),
                        errhint("Fit the model, or give all of its parameters.")));
    }
    return DatumGetFloat8(parameter.value);
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
