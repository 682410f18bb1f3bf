#include "core/response/response_model.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.hpp"

namespace clientele {
namespace {

constexpr int days_until_outdated = 90;
constexpr double greatest_parameter = 30;  // logarithms and log odds beyond are no numbers of a shop

[[noreturn]] void refuse(const std::string& message, const std::string& found, const std::string& accepted) {
    throw Error(ErrorKind::invalid_parameter, message, "It is " + found + ".", accepted);
}

void check_number(const char* name, double value, double least, double greatest) {
    if (value >= least && value <= greatest) return;
    refuse(std::string(name) + " of the response is out of range", shown(value),
           "Accepted: " + shown(least) + " to " + shown(greatest) + ".");
}

double days_since(Instant from, Instant to) {
    return static_cast<double>(to - from) / static_cast<double>(microseconds_a_day);
}

}  // namespace

std::int32_t ResponseModel::segment_of(std::string_view name) const {
    const auto found = std::find(segments.begin(), segments.end(), name);
    return found == segments.end() ? -1 : static_cast<std::int32_t>(found - segments.begin());
}

bool ResponseModel::is_sensitive(std::string_view name) const {
    return std::find(sensitive.begin(), sensitive.end(), name) != sensitive.end();
}

bool ResponseModel::is_outdated(Instant as_of) const {
    return outdated || days_since(known_to, as_of) > days_until_outdated;
}

double ResponseModel::expected_orders(double placed, Instant as_of) const {
    OrderRate rate = orders;
    rate.days += std::max(days_since(known_to, as_of), 0.0);
    return rate.expected(horizon_days, placed);
}

ResponseFit response_fit(std::span<const double> parameters, std::span<const double> lower_triangle, bool q_known) {
    for (const double value : parameters) {
        check_number("a parameter", value, -greatest_parameter, greatest_parameter);
    }
    ResponseFit fit;
    fit.mode.assign(parameters.begin(), parameters.end());
    fit.q_known = q_known;
    fit.converged = true;
    fit.covariance = Matrix(parameters.size());
    std::size_t next = 0;
    for (std::size_t row = 0; row < parameters.size(); ++row) {
        for (std::size_t column = 0; column <= row; ++column) {
            const double value = lower_triangle[next++];
            check_number("a covariance", value, -1e4, 1e4);
            fit.covariance(row, column) = fit.covariance(column, row) = value;
        }
    }
    if (!cholesky(fit.covariance, 1e-10)) {
        throw Error(ErrorKind::invalid_parameter, "the covariance of the response is not positive definite", {},
                    "Fit it again with clientele.fit_response().");
    }
    return fit;
}

void check(const Economics& economics) {
    check_number("displaced", economics.displaced, 0, 1);
    check_number("extra_orders", economics.extra_orders, 0, 100);
    check_number("extra_orders_error", economics.extra_orders_error, 0, 100);
}

void check(const OrderRate& rate) {
    check_number("shape of order_rate", rate.shape, 1e-9, 1e12);
    check_number("mean of order_rate", rate.mean, 1e-12, 1e6);
    check_number("days of order_rate", rate.days, 0, 1e6);
}

}  // namespace clientele
