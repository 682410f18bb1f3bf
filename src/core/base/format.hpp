// {fmt}, with nothing of it to link: so the extension depends on no library of it, and clashes with nobody's in the
// same server. For source files of the core alone: PostgreSQL's headers, read first, redefine functions that it uses.
#pragma once

#define FMT_HEADER_ONLY
#include <fmt/compile.h>
#include <fmt/format.h>
