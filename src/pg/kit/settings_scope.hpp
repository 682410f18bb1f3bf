// Settings for a while, as a function's SET clause has them. An error ends them, too.
#pragma once

#include "pg/kit/postgres.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace clientele {

inline int begin_settings() { return NewGUCNestLevel(); }

inline void set_for_now(const char* name, const char* value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// So that nothing which the caller made is called instead of what was meant.
inline void set_safe_path() { set_for_now("search_path", "pg_catalog, pg_temp"); }

// Whoever would wait for a lock gets an error (55P03) instead.
inline void set_no_waiting() { set_for_now("lock_timeout", "1ms"); }

inline void end_settings(int level) { AtEOXact_GUC(true, level); }

}  // namespace clientele
