#include "pg/profile/order_input.hpp"

namespace clientele {

void refuse_instant(TimestampTz at) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("order time out of range: %s", timestamptz_to_str(at)),
                    errhint("An order is dated between 0001-01-01 and 9999-12-31.")));
    pg_unreachable();
}

}  // namespace clientele
