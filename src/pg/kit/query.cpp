#include "pg/kit/query.hpp"

namespace clientele {
namespace {

constexpr std::size_t most_parameters = 8;

// Parameters as SPI takes them.
struct Arguments {
    Oid types[most_parameters];
    Datum values[most_parameters];
    char nulls[most_parameters + 1];
};

void set(Arguments& arguments, std::size_t place, NullableDatum value) {
    Assert(place < most_parameters);
    arguments.values[place] = value.value;
    arguments.nulls[place] = value.isnull ? 'n' : ' ';
}

std::uint64_t checked(int code) {
    if (code < 0) elog(ERROR, "a query failed: %s", SPI_result_code_string(code));
    return SPI_processed;
}

}  // namespace

Datum name_datum(const char* name) { return DirectFunctionCall1(namein, CStringGetDatum(name)); }

std::uint64_t run_query(const char* text, std::initializer_list<Parameter> parameters, Reads reads, long most_rows) {
    Arguments arguments;
    std::size_t count = 0;
    for (const Parameter& parameter : parameters) {
        arguments.types[count] = parameter.type;
        set(arguments, count++, parameter.value);
    }
    return checked(SPI_execute_with_args(text, static_cast<int>(count), arguments.types, arguments.values,
                                         arguments.nulls, reads == Reads::as_its_caller, most_rows));
}

SPIPlanPtr prepare_query(const char* text, std::span<const Oid> types, int cursor_options) {
    SPIPlanPtr plan =
        SPI_prepare_cursor(text, static_cast<int>(types.size()), const_cast<Oid*>(types.data()), cursor_options);
    if (!plan) elog(ERROR, "a query could not be prepared: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(plan);
    return plan;
}

std::uint64_t run_prepared(SPIPlanPtr plan, std::span<const NullableDatum> parameters, Reads reads, long most_rows) {
    Arguments arguments;
    for (std::size_t i = 0; i < parameters.size(); ++i) set(arguments, i, parameters[i]);
    return checked(SPI_execute_plan(plan, arguments.values, arguments.nulls, reads == Reads::as_its_caller, most_rows));
}

}  // namespace clientele
