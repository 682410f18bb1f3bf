#include "pg/kit/progress.hpp"

#include "pg/kit/compat.hpp"

extern "C" {
#include "utils/backend_progress.h"
}

namespace clientele {
namespace {

// PostgreSQL's views ask for its own commands only, so a number that is none of them is ours alone.
constexpr auto refresh_command = static_cast<ProgressCommandType>(3'200);

enum Parameter : int { phase_parameter, done_parameter, total_parameter, started_parameter, phase_started_parameter };

const char* name_of(int64 phase) {
    switch (static_cast<Phase>(phase)) {
        case Phase::folding:
            return "folding";
        case Phase::counting:
            return "counting";
        case Phase::writing:
            return "writing";
        case Phase::summarising:
            return "summarising";
        case Phase::pairing:
            return "pairing";
    }
    return "unknown";
}

}  // namespace

void begin_progress(Oid settings) {
    pgstat_progress_start_command(refresh_command, settings);
    pgstat_progress_update_param(started_parameter, GetCurrentTimestamp());
}

void enter_phase(Phase phase, int64 total) {
    const int parameters[] = {phase_parameter, done_parameter, total_parameter, phase_started_parameter};
    const int64 values[] = {static_cast<int64>(phase), 0, total, GetCurrentTimestamp()};
    pgstat_progress_update_multi_param(4, parameters, values);
}

void report_done(int64 done) { pgstat_progress_update_param(done_parameter, done); }

void end_progress() { pgstat_progress_end_command(); }

}  // namespace clientele

CLIENTELE_FUNCTION(clientele_refresh_progress) {
    using namespace clientele;
    InitMaterializedSRF(fcinfo, 0);
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    const int backends = pgstat_fetch_stat_numbackends();
    for (int number = 1; number <= backends; ++number) {
        const PgBackendStatus& status = backend_status(number);
        if (status.st_progress_command != refresh_command || status.st_databaseid != MyDatabaseId) continue;
        const int64* parameters = status.st_progress_param;
        Datum values[] = {Int32GetDatum(status.st_procpid),
                          ObjectIdGetDatum(status.st_progress_command_target),
                          CStringGetTextDatum(name_of(parameters[phase_parameter])),
                          Int64GetDatum(parameters[done_parameter]),
                          Int64GetDatum(parameters[total_parameter]),
                          TimestampTzGetDatum(parameters[started_parameter]),
                          TimestampTzGetDatum(parameters[phase_started_parameter])};
        bool nulls[7] = {false, false, false, false, parameters[total_parameter] == 0, false, false};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    PG_RETURN_NULL();
}
