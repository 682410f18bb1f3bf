#include "core/score/purchase_model.hpp"

#include <cmath>
#include <string>

#include "core/base/error.hpp"

namespace clientele {
namespace {

constexpr double max_purchases = 1e9;

// Far beyond what fits find, in any unit of time and currency; within them every prediction is finite and quick.
struct Range {
    double least, most;
    const char* hint;
};
constexpr Range shapes{1e-7, 1e7, "r, a, b, s, p and q are from 1e-7 to 1e7."};
constexpr Range scales{1e-15, 1e15, "alpha, beta and v are from 1e-15 to 1e15; another unit of time or money may do."};

constexpr std::array<std::string_view, 3> kind_names = {"bgnbd", "mbgnbd", "pareto_nbd"};

[[noreturn]] void refuse(ErrorKind kind, std::string_view what, std::string_view why, double value, const char* hint) {
    throw Error(kind, std::string(what).append(" ").append(why), "The value is " + shown(value) + ".", hint);
}

void check_age(std::string_view what, double age) {
    const char* hint = "Ages are numbers from 0 to 1e15, in one unit of time.";
    if (!std::isfinite(age)) refuse(ErrorKind::numeric_range, what, "is not finite", age, hint);
    if (age < 0) refuse(ErrorKind::invalid_parameter, what, "is negative", age, hint);
    if (age > largest_age) refuse(ErrorKind::numeric_range, what, "is too large", age, hint);
}

void check_parameter(std::string_view name, double value, const Range& range) {
    if (value >= range.least && value <= range.most) return;
    const bool positive = std::isfinite(value) && value > 0;
    refuse(ErrorKind::invalid_parameter, std::string("parameter ").append(name),
           positive ? "of a model is out of range" : "of a model is not positive and finite", value, range.hint);
}

}  // namespace

std::string_view name_of(PurchaseKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

void check_repeat_purchases(double count) {
    const char* hint = "The number of repeat purchases is a whole number from 0 to 1,000,000,000.";
    if (!std::isfinite(count)) refuse(ErrorKind::numeric_range, "repeat_purchases", "is not finite", count, hint);
    if (count < 0) refuse(ErrorKind::invalid_parameter, "repeat_purchases", "is negative", count, hint);
    if (count > max_purchases) refuse(ErrorKind::numeric_range, "repeat_purchases", "is too large", count, hint);
    if (count != std::floor(count)) {
        refuse(ErrorKind::invalid_parameter, "repeat_purchases", "is not a whole number", count, hint);
    }
}

void check(const PurchaseHistory& history) {
    const auto [x, t_x, age] = history;
    check_repeat_purchases(x);
    check_age("last_purchase_age", t_x);
    check_age("age", age);
    if (t_x > age) {
        throw Error(ErrorKind::invalid_parameter, "last_purchase_age is greater than age",
                    "The values are " + shown(t_x) + " and " + shown(age) + ".",
                    "Both count from the first purchase, to the last one and to the end of the observation.");
    }
    if (x == 0 && t_x > 0) {
        refuse(ErrorKind::invalid_parameter, "last_purchase_age", "is not zero though repeat_purchases is", t_x,
               "Without a repeat purchase the last one is the first, at age 0.");
    }
}

void check(const PurchaseModel& model) {
    const bool pareto = model.kind == PurchaseKind::pareto_nbd;
    const std::array<std::string_view, 4> names = {"r", "alpha", pareto ? "s" : "a", pareto ? "beta" : "b"};
    const std::array<Range, 4> ranges = {shapes, scales, shapes, pareto ? scales : shapes};
    for (std::size_t i = 0; i < names.size(); ++i) check_parameter(names[i], model.parameters[i], ranges[i]);
}

void check(const ValueModel& model) {
    check_parameter("p", model.p, shapes);
    check_parameter("q", model.q, shapes);
    check_parameter("v", model.v, scales);
}

}  // namespace clientele
