// How far a refresh is, for other sessions: in the server's own memory of what backends do, as VACUUM reports.
#pragma once

#include "pg/kit/postgres.hpp"

namespace clientele {

enum class Phase : int { folding, counting, writing, summarising, pairing };

// `settings` names the store. Ended by end_progress(), or by the end of the transaction if it fails.
void begin_progress(Oid settings);
// Starts counting from zero; total 0: not known.
void enter_phase(Phase phase, int64 total = 0);
void report_done(int64 done);
void end_progress();

}  // namespace clientele
