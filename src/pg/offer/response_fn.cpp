// Fitting the response to offers, and what ways of setting terms would earn by it: src/sql/82-fit-response.sql says
// what each function returns.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/offer/offer_study.hpp"
#include "core/response/extra_orders.hpp"
#include "core/response/order_rate.hpp"
#include "core/response/response_fit.hpp"
#include "core/response/season.hpp"
#include "pg/kit/interrupts.hpp"
#include "pg/kit/number_array.hpp"
#include "pg/kit/row.hpp"

#include "pg/kit/nullable.hpp"

extern "C" {
#include "utils/array.h"
}

using namespace clientele;

namespace {

// --- arguments --------------------------------------------------------------------------------------------------

// Rows of so many numbers, one after the other; none where the argument is NULL.
template <std::size_t width>
struct Table {
    std::span<const double> numbers;

    std::size_t rows() const { return numbers.size() / width; }
    std::span<const double, width> row(std::size_t i) const {
        return numbers.subspan(i * width).template first<width>();
    }
};

template <std::size_t width>
Table<width> table_argument(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return {};
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(argument);
    if (ARR_NDIM(array) != 2 || ARR_DIMS(array)[1] != static_cast<int>(width) || array_contains_nulls(array)) {
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("not a table of %zu columns", width)));
    }
    return {
        {reinterpret_cast<const double*>(ARR_DATA_PTR(array)), width * static_cast<std::size_t>(ARR_DIMS(array)[0])}};
}

// What there is to fit to, in flat memory of the backend.
struct FitInput {
    Table<10> orders;    // customer, log_mean, log_sd, min_spend, reward, segment, arm, open, redeemed, value
    Table<6> exposures;  // customer, stratum, arm, reward by median order, orders, those of the year before
    Table<8> customers;  // log_mean, log_sd, orders, segment, margin, reference value, min_spend, reward
    std::span<const double> stretches, rates, order_rate;
    std::size_t segments;
    int decimals;
    NullableDatum extra_orders;
    double displaced;
};

// Segments are places in a list, -1 for none of them.
template <std::size_t width>
void check_segments(const Table<width>& table, std::size_t column, double segments) {
    for (std::size_t i = 0; i < table.rows(); ++i) {
        const double segment = table.row(i)[column];
        if (segment >= -1 && segment < segments) continue;
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no segment %g", segment),
                        errdetail("There are %g of them, from 0.", segments)));
    }
}

std::span<const double> numbers_argument(FunctionCallInfo fcinfo, int argument, std::size_t least) {
    if (PG_ARGISNULL(argument)) {
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a list of numbers must not be NULL")));
    }
    const std::span<const double> numbers = doubles_of(PG_GETARG_ARRAYTYPE_P(argument));
    if (numbers.size() < least) {
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("these are at least %zu numbers", least)));
    }
    return numbers;
}

FitInput input_of(FunctionCallInfo fcinfo) {
    for (const int argument : {6, 7, 9}) {
        if (PG_ARGISNULL(argument)) {
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("segments, decimals and displaced must not be NULL")));
        }
    }
    FitInput input{};
    input.orders = table_argument<10>(fcinfo, 0);
    input.exposures = table_argument<6>(fcinfo, 1);
    input.customers = table_argument<8>(fcinfo, 2);
    check_segments(input.orders, 5, PG_GETARG_INT32(6));
    check_segments(input.customers, 3, PG_GETARG_INT32(6));
    input.stretches = numbers_argument(fcinfo, 3, 0);
    input.rates = numbers_argument(fcinfo, 4, 0);
    input.order_rate = numbers_argument(fcinfo, 5, 4);
    input.segments = static_cast<std::size_t>(std::max(PG_GETARG_INT32(6), 0));
    input.decimals = PG_GETARG_INT32(7);
    input.extra_orders = nullable_argument(fcinfo, 8);
    input.displaced = PG_GETARG_FLOAT8(9);
    return input;
}

// --- thinking ---------------------------------------------------------------------------------------------------

std::vector<ResponseOrder> orders_of(const Table<10>& table) {
    std::vector<ResponseOrder> orders(table.rows());
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const auto row = table.row(i);
        ResponseOrder& order = orders[i];
        order.customer = static_cast<std::int64_t>(row[0]);
        order.known = {row[1], row[2]};
        order.terms = {row[3], row[4]};
        order.segment = static_cast<std::int32_t>(row[5]);
        order.arm = static_cast<std::int32_t>(row[6]);
        order.open = row[7] != 0;
        order.redeemed = row[8] != 0;
        order.value = row[9];
    }
    return orders;
}

std::vector<ExposureOrders> exposures_of(const Table<6>& table) {
    std::vector<ExposureOrders> exposures(table.rows());
    for (std::size_t i = 0; i < exposures.size(); ++i) {
        const auto row = table.row(i);
        exposures[i] = {static_cast<std::int64_t>(row[0]),
                        static_cast<std::int32_t>(row[1]),
                        static_cast<std::int32_t>(row[2]),
                        row[3],
                        row[4],
                        row[5]};
    }
    return exposures;
}

std::vector<StudiedCustomer> customers_of(const FitInput& input) {
    const auto given = input.order_rate;  // mean and variance of customers' orders, in so many days; the horizon
    const OrderRate rate = order_rate(given[0], given[1], given[2]);
    std::vector<StudiedCustomer> customers(input.customers.rows());
    for (std::size_t i = 0; i < customers.size(); ++i) {
        const auto row = input.customers.row(i);
        StudiedCustomer& customer = customers[i];
        const OrderValue next{row[0], row[1]};
        customer.prospect = {next, rate.expected(given[3], row[2]), static_cast<std::int32_t>(row[3]), row[4]};
        customer.reference = {Basis::typical, std::llround(row[5] * value_unit), false, next};
        customer.in_use = {row[6], row[7]};
    }
    return customers;
}

std::vector<std::int64_t> millionths(std::span<const double> rates) {
    std::vector<std::int64_t> result;
    for (const double rate : rates) result.push_back(std::llround(rate * rate_unit));
    return result;
}

struct Extra {
    ExtraOrders orders;  // a customer and horizon, at the mean reward
    OrdersByReward measured;
    double given = std::nan("");  // orders per reward, where they are
};

Extra extra_of(const FitInput& input) {
    Extra extra;
    extra.measured = orders_by_reward(exposures_of(input.exposures), poll_interrupts);
    if (input.extra_orders.isnull) {
        extra.orders = extra_orders(extra.measured.difference(), extra.measured.difference_error());
        return extra;
    }
    extra.orders.mean = DatumGetFloat8(input.extra_orders.value);
    extra.given = extra.measured.mean_reward > 0 ? extra.orders.mean / extra.measured.mean_reward : 0;
    return extra;
}

// All that is found, as numbers.
struct Found {
    ResponseFit fit;
    ExtraRate fitted_extra;
    ReachCheck reach;
    Extra extra;
    OfferStudy study;
    bool studied = false;
};

Found find(const FitInput& input) {
    Found found;
    std::vector<ResponseOrder> orders = orders_of(input.orders);
    found.extra = extra_of(input);
    const ResponseWithExtra fitted =
        fit_with_extra(orders, input.segments, true, found.extra.measured, found.extra.given, poll_interrupts);
    found.fit = fitted.fit;
    found.fitted_extra = fitted.rate;
    found.reach = reach_check(orders, found.fit.response(), fitted.fitted);
    const auto customers = customers_of(input);
    found.studied = found.fit.converged && !customers.empty() && !input.stretches.empty();
    if (!found.studied) return found;
    found.study =
        study_offers(found.fit, economics_of(found.extra.measured, found.extra.orders, input.displaced), customers,
                     {millionths(input.stretches), millionths(input.rates)}, input.decimals, poll_interrupts);
    return found;
}

// --- results: numbers in the order of the type clientele._response_findings
// ---------------------------------------------

void append(std::vector<double>& numbers, const ProfitInterval& interval) {
    numbers.insert(numbers.end(), {interval.mode, interval.low, interval.high});
}

std::vector<double> profits_of(const Found& found) {
    std::vector<double> numbers;
    if (!found.studied) return numbers;
    const OfferStudy& study = found.study;
    for (const auto* interval : {&study.in_use, &study.spread, &study.uniform, &study.learned, &study.exploring_cost}) {
        append(numbers, *interval);
    }
    numbers.insert(numbers.end(), {static_cast<double>(study.uniform_stretch) / rate_unit,
                                   static_cast<double>(study.uniform_rate) / rate_unit, study.offered});
    return numbers;
}

std::vector<double> arms_of(const Found& found) {
    std::vector<double> numbers;
    for (const ReachCheck::Arm& arm : found.reach.arms) {
        numbers.insert(numbers.end(), {static_cast<double>(arm.arm), static_cast<double>(arm.open_orders),
                                       arm.predicted, static_cast<double>(arm.redemptions)});
    }
    return numbers;
}

std::vector<double> extra_numbers(const FitInput& input, const Found& found) {
    const Economics economics = economics_of(found.extra.measured, found.extra.orders, input.displaced);
    const Extra& extra = found.extra;
    return {extra.orders.mean,
            extra.orders.error,
            economics.extra_orders,
            economics.extra_orders_error,
            extra.measured.difference(),
            extra.measured.difference_error(),
            found.fitted_extra.per_reward,
            found.fitted_extra.own_orders};
}

std::vector<double> errors_of(const ResponseFit& fit) {
    std::vector<double> errors;
    for (std::size_t i = 0; fit.converged && i < fit.mode.size(); ++i) errors.push_back(fit.standard_error(i));
    return errors;
}

std::vector<double> triangle_of(const ResponseFit& fit) {
    std::vector<double> triangle;
    for (std::size_t i = 0; i < fit.covariance.size(); ++i) {
        for (std::size_t j = 0; j <= i; ++j) triangle.push_back(fit.covariance(i, j));
    }
    return triangle;
}

// A copy in the backend's memory of what core has found.
struct Numbers {
    double* values = nullptr;
    std::size_t count = 0;
};

}  // namespace

CLIENTELE_FUNCTION(clientele_fit_response) {
    constexpr std::size_t lists = 6, room = 16'384;
    const FitInput input = input_of(fcinfo);
    auto* buffer = static_cast<double*>(palloc(room * sizeof(double)));
    Numbers result[lists];
    bool converged = false;
    double log_likelihood = 0, reach_p = 0;
    think_interruptibly([&] {
        const Found found = find(input);
        converged = found.fit.converged;
        log_likelihood = found.fit.log_likelihood;
        reach_p = found.reach.p_value;
        const std::vector<double> numbers[lists] = {found.fit.mode, errors_of(found.fit),        triangle_of(found.fit),
                                                    arms_of(found), extra_numbers(input, found), profits_of(found)};
        double* next = buffer;
        for (std::size_t i = 0; i < lists; ++i) {
            if (numbers[i].size() > static_cast<std::size_t>(buffer + room - next)) throw std::bad_alloc();
            result[i] = {next, numbers[i].size()};
            next = std::copy(numbers[i].begin(), numbers[i].end(), next);
        }
    });
    NullableDatum columns[3 + lists] = {known_datum(BoolGetDatum(converged)),
                                        {Float8GetDatum(log_likelihood), !std::isfinite(log_likelihood)},
                                        {Float8GetDatum(reach_p), !std::isfinite(reach_p)}};
    for (std::size_t i = 0; i < lists; ++i) {
        columns[3 + i] = known_datum(float_array({result[i].values, result[i].count}));
    }
    return row_of(result_row_type(fcinfo), columns);
}

CLIENTELE_FUNCTION(clientele_order_rate) {
    const std::span<const double> moments = numbers_argument(fcinfo, 0, 3);  // mean, variance and days
    const OrderRate rate = order_rate(moments[0], moments[1], moments[2]);
    const double numbers[] = {rate.shape, rate.mean, rate.days};
    PG_RETURN_DATUM(float_array(numbers));
}

CLIENTELE_FUNCTION(clientele_reach_pvalue) {
    const Table<10> orders = table_argument<10>(fcinfo, 0);
    const std::span<const double> parameters = numbers_argument(fcinfo, 1, parameter::first_d);
    check_segments(orders, 5, static_cast<double>(parameters.size() - parameter::first_d));
    constexpr int level = 1;  // is what was fitted to all groups together
    double p_value = 0;
    const ExtraRate extra{PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4)};
    const bool q_known = PG_GETARG_BOOL(2);
    think_interruptibly([&] {
        std::vector<ResponseOrder> marked = orders_of(orders);
        mark_extra(marked, extra);
        p_value = reach_check(marked, {parameters, q_known}, level).p_value;
    });
    PG_RETURN_FLOAT8(p_value);
}

// (orders): rows of log_mean, log_sd and value.
CLIENTELE_FUNCTION(clientele_season) {
    const Table<3> table = table_argument<3>(fcinfo, 0);
    double found = 0;
    think([&] {
        std::vector<SeasonOrder> orders(table.rows());
        for (std::size_t i = 0; i < orders.size(); ++i) {
            const auto row = table.row(i);
            orders[i] = {{row[0], row[1]}, row[2]};
        }
        found = season(orders);
    });
    PG_RETURN_FLOAT8(found);
}
