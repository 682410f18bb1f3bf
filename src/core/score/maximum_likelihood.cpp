// NLopt's SLSQP (Kraft 1994) finds the hill, in the logarithms of the parameters; Newton's method with the exact
// Hessian then goes to its top, where the gradient is zero to the last digits. A likelihood that only approaches its
// supremum as a parameter goes to zero or infinity has small gradients, too; but there Newton's steps stay long.
#include "core/score/maximum_likelihood.hpp"

#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <new>
#include <vector>

namespace clientele {
namespace {

using Matrix = std::array<Parameters, 4>;

constexpr double largest = 13.8155;  // of the logarithm of a parameter: 1e6
constexpr double longest_step = 2;   // in a logarithm
constexpr double converged_step = 1e-7;
constexpr double rounding = 1e-12;  // relative, of a sum over many customers
constexpr int max_climb = 200;
constexpr int max_polish = 60;
constexpr std::size_t min_climbs = 2;
constexpr int enough_agreeing = 2;

Parameters exponentials(const Parameters& logs, std::size_t n) {
    Parameters values{};
    for (std::size_t i = 0; i < n; ++i) values[i] = std::exp(logs[i]);
    return values;
}

// The mean log-likelihood as a function of the logarithms of its parameters.
class LogScale {
  public:
    explicit LogScale(const LogLikelihood& likelihood) : likelihood(likelihood), n(likelihood.dimensions()) {}

    Derivatives at(const Parameters& logs, bool with_hessian) {
        ++evaluations;
        const Parameters values = exponentials(logs, n);
        Derivatives d = likelihood.at(values, with_hessian);
        const double weight = 1 / likelihood.observations();
        d.value *= weight;
        for (std::size_t i = 0; i < n; ++i) {
            d.gradient[i] *= values[i] * weight;
            for (std::size_t j = 0; j <= i; ++j) d.hessian[i][j] *= values[i] * values[j] * weight;
            d.hessian[i][i] += d.gradient[i];
        }
        return d;
    }

    const LogLikelihood& likelihood;
    const std::size_t n;
    int evaluations = 0;
};

struct Point {
    Parameters logs{};
    Derivatives d;
};

// The Cholesky factor of -hessian + damping; none where that is not positive definite in working precision.
std::optional<Matrix> factor(const Matrix& hessian, std::size_t n, double damping = 0) {
    Matrix l{};
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = -hessian[i][j] + (i == j ? damping : 0);
            const double whole = rest;
            for (std::size_t k = 0; k < j; ++k) rest -= l[i][k] * l[j][k];
            if (i != j) {
                l[i][j] = rest / l[j][j];
            } else if (rest > 1e-11 * std::abs(whole)) {
                l[i][i] = std::sqrt(rest);
            } else {
                return std::nullopt;  // also where something is NaN
            }
        }
    }
    return l;
}

Parameters solve(const Matrix& l, Parameters right, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) right[i] -= l[i][k] * right[k];
        right[i] /= l[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) right[i] -= l[k][i] * right[k];
        right[i] /= l[i][i];
    }
    return right;
}

// What NLopt's callback needs. Nothing may be thrown through NLopt, which is C: it is kept until NLopt has returned.
struct Climb {
    LogScale& scale;
    nlopt_opt optimiser = nullptr;
    std::exception_ptr thrown = nullptr;
};

double negated(unsigned n, const double* logs, double* gradient, void* context) noexcept {
    auto& climb = *static_cast<Climb*>(context);
    try {
        Parameters at{};
        std::copy_n(logs, n, at.begin());
        const Derivatives d = climb.scale.at(at, false);
        for (unsigned i = 0; gradient && i < n; ++i) gradient[i] = -d.gradient[i];
        return std::isfinite(d.value) ? -d.value : 1e300;
    } catch (...) {
        climb.thrown = std::current_exception();
        nlopt_force_stop(climb.optimiser);
        return 1e300;
    }
}

// From a start most of the way up.
Parameters climb_from(const Parameters& start, LogScale& scale) {
    Climb climb{scale};
    const auto n = static_cast<unsigned>(scale.n);
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimiser(nlopt_create(NLOPT_LD_SLSQP, n), nlopt_destroy);
    if (!optimiser) throw std::bad_alloc();
    climb.optimiser = optimiser.get();
    nlopt_set_min_objective(optimiser.get(), negated, &climb);
    nlopt_set_lower_bounds1(optimiser.get(), -largest);
    nlopt_set_upper_bounds1(optimiser.get(), largest);
    nlopt_set_ftol_rel(optimiser.get(), 1e-8);
    nlopt_set_maxeval(optimiser.get(), max_climb);
    Parameters logs = start;
    double value = 0;
    const nlopt_result result = nlopt_optimize(optimiser.get(), logs.data(), &value);
    if (climb.thrown) std::rethrow_exception(climb.thrown);
    if (result == NLOPT_OUT_OF_MEMORY) throw std::bad_alloc();
    return logs;
}

double length(const Parameters& step) {
    double longest = 0;
    for (const double part : step) longest = std::max(longest, std::abs(part));
    return longest;
}

// Newton's step upwards, damped (Levenberg 1944) where the likelihood is not concave.
Parameters newton_step(const Derivatives& d, std::size_t n, bool& concave) {
    double damping = 0;
    std::optional<Matrix> l = factor(d.hessian, n);
    concave = l.has_value();
    for (damping = 1e-6; !l && damping < 1e12; damping *= 10) l = factor(d.hessian, n, damping);
    if (!l) return {};
    Parameters step = solve(*l, d.gradient, n);
    const double longest = length(step);
    if (longest > longest_step) {
        for (double& part : step) part *= longest_step / longest;
    }
    return step;
}

// The point this step leads to, or where that is lower, a part of the step; false where no part of it leads up.
bool advance(Point& point, Parameters step, LogScale& scale) {
    for (int halving = 0; halving < 12; ++halving) {
        Point next = point;
        for (std::size_t i = 0; i < scale.n; ++i) next.logs[i] = std::clamp(point.logs[i] + step[i], -largest, largest);
        next.d = scale.at(next.logs, true);
        if (next.d.value >= point.d.value - rounding * std::abs(point.d.value)) {
            point = next;
            return true;
        }
        for (double& part : step) part /= 4;
    }
    return false;
}

bool interior(const Point& point, std::size_t n) {
    return std::all_of(point.logs.begin(), point.logs.begin() + n,
                       [](double log) { return std::abs(log) < largest - 1; });
}

// To the top; whether there is one.
bool polish(Point& point, LogScale& scale) {
    for (int i = 0; i < max_polish; ++i) {
        bool concave = false;
        const Parameters step = newton_step(point.d, scale.n, concave);
        if (concave && length(step) < converged_step) return interior(point, scale.n);
        if (!interior(point, scale.n) || !advance(point, step, scale)) return false;
    }
    return false;
}

std::optional<Parameters> standard_errors(const Derivatives& d, std::size_t n) {
    const std::optional<Matrix> l = factor(d.hessian, n);
    if (!l) return std::nullopt;
    Parameters errors{};
    for (std::size_t i = 0; i < n; ++i) {
        Parameters unit{};
        unit[i] = 1;
        errors[i] = std::sqrt(solve(*l, unit, n)[i]);
    }
    return errors;
}

// The starts, the most likely first.
std::vector<Point> ranked(std::span<const Parameters> starts, LogScale& scale) {
    std::vector<Point> points;
    for (const Parameters& start : starts) {
        Point point;
        for (std::size_t i = 0; i < scale.n; ++i) point.logs[i] = std::clamp(std::log(start[i]), -largest, largest);
        point.d = scale.at(point.logs, false);
        if (std::isfinite(point.d.value)) points.push_back(point);
    }
    std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.d.value > b.d.value; });
    return points;
}

struct Top {
    Point point;
    bool converged = false;
};

// Climbs to one top differ in the last digits only.
double height_margin(const Point& point) { return 1e-10 * std::abs(point.d.value); }

// The higher one; of two of one height that which is a maximum.
bool better(const Top& one, const Top& other) {
    const double margin = height_margin(other.point);
    if (one.point.d.value > other.point.d.value + margin) return true;
    return one.converged && !other.converged && one.point.d.value > other.point.d.value - margin;
}

// From start to start, until one led to a maximum; or several to one height, which is a supremum and no maximum.
Top climb(std::span<const Parameters> starts, LogScale& scale) {
    Top best;
    std::size_t climbs = 0;
    int agreeing = 0;
    for (const Point& start : ranked(starts, scale)) {
        if (climbs >= min_climbs && (best.converged || agreeing >= enough_agreeing)) break;
        Top top;
        top.point.logs = climb_from(start.logs, scale);
        top.point.d = scale.at(top.point.logs, true);
        top.converged = polish(top.point, scale);
        const bool same = climbs > 0 && std::abs(top.point.d.value - best.point.d.value) < 1e-6;
        agreeing = same ? agreeing + 1 : agreeing;
        if (climbs++ == 0 || better(top, best)) {
            if (!same) agreeing = 0;
            best = top;
        }
    }
    return best;
}

// From where the sample has its maximum to that of all observations; not converged where there is none near.
Top refine(const LogLikelihood& rough, std::span<const Parameters> starts, LogScale& scale) {
    LogScale rough_scale(rough);
    Top top = climb(starts, rough_scale);
    scale.evaluations += rough_scale.evaluations;
    if (!top.converged) return top;
    top.point.d = scale.at(top.point.logs, true);
    top.converged = polish(top.point, scale);
    return top;
}

}  // namespace

Maximum maximise(const LogLikelihood& likelihood, std::span<const Parameters> starts, const LogLikelihood* rough,
                 bool rough_decides) {
    LogScale scale(likelihood);
    Top top;
    if (rough) top = refine(*rough, starts, scale);
    if (!top.converged && !(rough && rough_decides)) top = climb(starts, scale);
    const Parameters parameters = exponentials(top.point.logs, scale.n);
    const Derivatives d = likelihood.at(parameters, true);
    Maximum maximum{parameters, d.value, std::nullopt, scale.evaluations, top.converged};
    if (top.converged) maximum.standard_errors = standard_errors(d, scale.n);
    return maximum;
}

}  // namespace clientele
