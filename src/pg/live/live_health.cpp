#include "pg/live/live_health.hpp"

#include "pg/kit/query.hpp"
#include "pg/kit/settings_scope.hpp"
#include "pg/store/store.hpp"

extern "C" {
#include "utils/builtins.h"
}

namespace clientele {

void write_failure_to_health(Oid schema) {
    set_safe_path();
    set_no_waiting();
    begin_queries();
    run_query(
        psprintf("INSERT INTO %1$s (part, subject, noted_at) SELECT 'failure', 'failures', pg_catalog.now()"
                 " WHERE NOT EXISTS (SELECT FROM %1$s WHERE part OPERATOR(pg_catalog.=) 'failure')",
                 quote_qualified_identifier(schema_name(schema), "health")));
    end_queries();
}

}  // namespace clientele
