// PostgreSQL's headers, wrapped for C++; what differs between its versions is in compat.hpp.
// Include this after the standard library, Boost and the core.
#pragma once

// A server without NLS makes macros of names that this declares; headers of the standard library include it.
#if __has_include(<libintl.h>)
#include <libintl.h>
#endif

extern "C" {
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#if __has_include("varatt.h")
#include "varatt.h"
#endif
}

// It makes macros of these as well, and so std::pg_snprintf() of what Boost's headers say. Nothing here formats with
// them.
#undef snprintf
#undef vsnprintf
#undef sprintf
#undef vsprintf
#undef fprintf
#undef vfprintf
#undef printf
#undef vprintf
#undef strerror

// Declares and defines an SQL-callable C function; the export map lets only these names out.
#define CLIENTELE_FUNCTION(name) \
    extern "C" {                 \
    PG_FUNCTION_INFO_V1(name);   \
    }                            \
    extern "C" Datum name(FunctionCallInfo fcinfo)
