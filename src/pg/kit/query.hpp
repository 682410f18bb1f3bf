// One way to run a query and to take its result. All of it is for who is connected to SPI: begin_queries().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "pg/kit/nullable.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace clientele {

// A name from its characters.
Datum name_datum(const char* name);

// SPI_OPT_NONATOMIC: for who commits in between.
inline void begin_queries(int options = 0) { SPI_connect_ext(options); }
inline void end_queries() { SPI_finish(); }

struct Parameter {
    Oid type;
    NullableDatum value;

    Parameter(Oid type, Datum value) : type(type), value{value, false} {}
    Parameter(Oid type, NullableDatum value) : type(type), value(value) {}
};

enum class Reads {
    as_of_now,     // what its transaction has written, and what others have committed
    as_its_caller  // under the caller's snapshot: it must not write
};

// Runs a query with these parameters, $1 and so on; returns how many rows there are in result_value().
std::uint64_t run_query(const char* text, std::initializer_list<Parameter> parameters = {},
                        Reads reads = Reads::as_of_now, long most_rows = 0);

// Prepares a query for the rest of the session.
SPIPlanPtr prepare_query(const char* text, std::span<const Oid> types = {}, int cursor_options = 0);

// Runs a prepared query.
std::uint64_t run_prepared(SPIPlanPtr plan, std::span<const NullableDatum> parameters = {},
                           Reads reads = Reads::as_of_now, long most_rows = 0);

// A value of the last query's result: rows are counted from 0, columns from 1. It lives until end_queries().
inline NullableDatum result_value(std::uint64_t row, int column) {
    NullableDatum value;
    value.value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &value.isnull);
    return value;
}

inline TupleDesc result_columns() { return SPI_tuptable->tupdesc; }

// The same as text, in the current memory; nullptr for NULL.
inline char* result_text(std::uint64_t row, int column) {
    return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

}  // namespace clientele
