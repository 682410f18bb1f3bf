#include "core/experiment/moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.hpp"

namespace clientele {
namespace {

// What rounding may have done to sums that were given, as a share of the sum of squares.
constexpr double rounding = 1e-9;

[[noreturn]] void refuse_moments(const std::string& arm, const std::string& detail) {
    throw Error(ErrorKind::invalid_parameter, "these are not the sums of any rows", "Of " + arm + " " + detail,
                "Pass the number of rows, sum(value) and sum(value * value) of the same rows without NULLs.");
}

[[noreturn]] void refuse_state(const std::string& detail) {
    throw Error(ErrorKind::invalid_parameter, "invalid state of an aggregate", detail,
                "States are made by the aggregate itself.");
}

bool is_sum_of(std::int64_t n, double sum, double most) { return std::abs(sum) <= static_cast<double>(n) * most; }

// What is wrong with these sums; nullptr where rows can have them.
const char* fault_of(const GivenMoments& given) {
    constexpr double square = max_outcome * max_outcome;
    if (given.n < 0) return "the number of rows is negative.";
    if (!is_sum_of(given.n, given.y, max_outcome) || !is_sum_of(given.n, given.x, max_outcome)) {
        return "a sum is NaN, infinite, or beyond 1e100 a row.";
    }
    if (!is_sum_of(given.n, given.yy, square) || !is_sum_of(given.n, given.xx, square) ||
        !is_sum_of(given.n, given.xy, square)) {
        return "a sum of squares or products is NaN, infinite, or beyond 1e200 a row.";
    }
    if (given.yy < 0 || given.xx < 0) return "a sum of squares is negative.";
    return nullptr;
}

// The centred moment as a share of the plain one: 1 - n mean^2 / sum of squares.
double spread(const ExactNumber& centred, const ExactNumber& plain, const ExactNumber& count) {
    if (plain.sign() == 0) return centred.sign();
    return quotient(centred, plain * count);
}

// Whether |xy| exceeds what Cauchy and Schwarz allow, given the spreads of y and x.
bool is_beyond_product(const CentredMoments& m, double spread_y, double spread_x) {
    if (m.xy.sign() == 0) return false;
    if (m.sum_yy.sign() == 0 || m.sum_xx.sign() == 0) return true;
    const double share = std::sqrt(quotient(m.xy * m.xy, m.sum_yy * m.sum_xx * m.count * m.count));
    return share > std::sqrt(std::max(0.0, spread_y) * std::max(0.0, spread_x)) + rounding;
}

const char* fault_of(const PairMoments& moments) {
    const CentredMoments m(moments);
    const double spread_y = spread(m.yy, m.sum_yy, m.count), spread_x = spread(m.xx, m.sum_xx, m.count);
    if (!(spread_y >= -rounding && spread_x >= -rounding)) {
        return "a sum of squares is less than the square of the sum, over the number of rows.";
    }
    if (is_beyond_product(m, spread_y, spread_x)) return "the sum of the products exceeds what the squares allow.";
    return nullptr;
}

// The sums of a state as doubles, for the checks that sums from elsewhere have to pass, too.
GivenMoments rounded(const PairMoments& moments) {
    const ExactNumber one(1);
    return {moments.n,
            quotient(moments.y.value(), one),
            quotient(moments.yy.value(), one),
            quotient(moments.x.value(), one),
            quotient(moments.xx.value(), one),
            quotient(moments.xy.value(), one)};
}

// A number of rows plus that of others.
std::int64_t more_rows(std::int64_t n, std::int64_t more) {
    if (more > std::numeric_limits<std::int64_t>::max() - n) refuse_state("The numbers of rows sum beyond bigint.");
    return n + more;
}

void check_state(const PairMoments& moments) {
    const char* fault = fault_of(rounded(moments));
    if (!fault) fault = fault_of(moments);
    if (fault) refuse_state(std::string("Of one arm ") + fault);
}

}  // namespace

void PairMoments::add(double outcome) {
    ++n;
    y.add(outcome);
    yy.add_product(outcome, outcome);
}

void PairMoments::add(double outcome, double other) {
    add(outcome);
    if (other == 0) return;
    x.add(other);
    xx.add_product(other, other);
    xy.add_product(outcome, other);
}

void PairMoments::merge(const PairMoments& more) {
    n = more_rows(n, more.n);
    y.merge(more.y);
    yy.merge(more.yy);
    x.merge(more.x);
    xx.merge(more.xx);
    xy.merge(more.xy);
}

CentredMoments::CentredMoments(const PairMoments& moments)
    : n(moments.n),
      count(moments.n),
      sum_y(moments.y.value()),
      sum_x(moments.x.value()),
      sum_yy(moments.yy.value()),
      sum_xx(moments.xx.value()),
      sum_xy(moments.xy.value()),
      yy(count * sum_yy - sum_y * sum_y),
      xx(count * sum_xx - sum_x * sum_x),
      xy(count * sum_xy - sum_x * sum_y) {}

PairMoments checked_moments(const GivenMoments& given, const char* arm) {
    if (const char* fault = fault_of(given)) refuse_moments(arm, fault);
    PairMoments moments;
    moments.n = given.n;
    moments.y.add(given.y);
    moments.yy.add(given.yy);
    moments.x.add(given.x);
    moments.xx.add(given.xx);
    moments.xy.add(given.xy);
    if (const char* fault = fault_of(moments)) refuse_moments(arm, fault);
    return moments;
}

void check_outcome(double value, const char* name) {
    if (std::abs(value) <= max_outcome) return;
    throw Error(ErrorKind::numeric_range, std::string(name) + " out of range", "It is " + shown(value) + ".",
                "Values are finite numbers up to 1e100 in magnitude; a NULL leaves the row out.");
}

void Comparison::add_outcome(double outcome, bool is_treated) {
    check_outcome(outcome, "outcome");
    arm(is_treated).add(outcome);
}

void Comparison::add_adjusted(double outcome, double covariate, bool is_treated) {
    check_outcome(outcome, "outcome");
    check_outcome(covariate, "covariate");
    arm(is_treated).add(outcome, covariate);
}

void Comparison::add_ratio(double numerator, double denominator, bool is_treated) {
    check_outcome(numerator, "numerator");
    check_outcome(denominator, "denominator");
    if (denominator < 0) {
        throw Error(ErrorKind::numeric_range, "denominator out of range", "It is " + shown(denominator) + ".",
                    "Denominators are counts or amounts of 0 or more; a NULL leaves the row out.");
    }
    arm(is_treated).add(numerator, denominator);
}

void Comparison::add_weighted(double outcome, double propensity) {
    check_outcome(outcome, "outcome");
    if (!(propensity > 0 && propensity <= 1)) {
        throw Error(ErrorKind::numeric_range, "propensity out of range", "It is " + shown(propensity) + ".",
                    "A propensity is the probability of what was done: above 0, and at most 1.");
    }
    check_outcome(1 / propensity, "1 / propensity");
    check_outcome(outcome / propensity, "outcome / propensity");
    treated.add(outcome / propensity, 1 / propensity);
}

void Comparison::check(Rows expected) const {
    if (rows != expected || padding != 0) refuse_state("It is not a state of this aggregate.");
    check_state(control);
    check_state(treated);
}

void Comparison::merge(const Comparison& other) {
    if (rows != other.rows) refuse_state("It is not a state of this aggregate.");
    control.merge(other.control);
    treated.merge(other.treated);
}

void OutcomeSums::add(double outcome, bool is_treated) {
    check_outcome(outcome, "outcome");
    ++n;
    if (outcome == 0) return;
    if (!is_treated) ++nonzero_control;
    y.add(outcome);
    yy.add_product(outcome, outcome);
    yyy.add_cube(outcome);
}

void OutcomeSums::check() const {
    if (nonzero_control < 0 || nonzero_control > n) refuse_state("Its counts are not those of any rows.");
    PairMoments outcomes;
    outcomes.n = n;
    outcomes.y = y;
    outcomes.yy = yy;
    check_state(outcomes);
    const double cubes = quotient(yyy.value(), ExactNumber(1));
    if (!is_sum_of(n, cubes, max_outcome * max_outcome * max_outcome)) {
        refuse_state("Its sum of cubes is beyond 1e300 a row.");
    }
}

void OutcomeSums::merge(const OutcomeSums& more) {
    n = more_rows(n, more.n);
    nonzero_control += more.nonzero_control;
    y.merge(more.y);
    yy.merge(more.yy);
    yyy.merge(more.yyy);
}

// (m3 / m2^1.5)^2 with the centred moments m2 and m3, n^2 and n^3 times which are whole.
double squared_skewness(const OutcomeSums& sums) {
    const ExactNumber n(sums.n), y = sums.y.value(), yy = sums.yy.value();
    const ExactNumber second = n * yy - y * y;
    if (second.sign() <= 0) return std::numeric_limits<double>::quiet_NaN();
    const ExactNumber crossed = n * y * yy;
    const ExactNumber third = n * n * sums.yyy.value() - crossed - crossed - crossed + ExactNumber(2) * y * y * y;
    return quotient(third * third, second * second * second);
}

}  // namespace clientele
