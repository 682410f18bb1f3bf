// BG/NBD: Fader, Hardie and Lee (2005), "Counting your customers" the easy way, and Hardie's note 027 for the
// numerically stable form. MBG/NBD: Batislam, Denizel and Filiztekin (2007). Pareto/NBD: Schmittlein, Morrison and
// Colombo (1987) in the form of Fader and Hardie's note 009. Symbols are the papers'.
#include "core/score/purchase_likelihood.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "core/score/rising_factorial.hpp"

namespace clientele {
namespace {

constexpr std::size_t groups_between_checks = 4096;

// The distinct values of a column, ascending; and for each row its place among them.
std::pair<std::vector<double>, std::vector<std::uint32_t>> index_values(const std::vector<PurchaseHistory>& rows,
                                                                        double PurchaseHistory::*column) {
    std::vector<double> values(rows.size());
    std::transform(rows.begin(), rows.end(), values.begin(), [=](const auto& row) { return row.*column; });
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    std::vector<std::uint32_t> places(rows.size());
    std::transform(rows.begin(), rows.end(), places.begin(), [&](const auto& row) {
        return static_cast<std::uint32_t>(std::lower_bound(values.begin(), values.end(), row.*column) - values.begin());
    });
    return {std::move(values), std::move(places)};
}

auto key(const PurchaseHistory& h) { return std::tie(h.repeat_purchases, h.last_purchase_age, h.age); }

// The binary exponent of the mean age: dividing by a power of two loses no digits.
int age_exponent(std::span<const PurchaseHistory> histories) {
    double mean = 0;
    for (const PurchaseHistory& h : histories) mean += h.age / static_cast<double>(histories.size());
    return mean > 0 ? std::ilogb(mean) : 0;
}

// All that the three models share: the customer's Poisson process with a gamma-distributed rate,
// sum of ln Gamma(r + x) / Gamma(r) + r ln alpha, without what the end of the process contributes.
void add_purchase_process(Derivatives& d, const GroupedHistories& h, double r, double alpha) {
    for (std::size_t i = 0; i < h.purchases.size(); ++i) {
        const RisingFactorial rising = log_rising_factorial(r, h.purchases[i]);
        d.value += h.customers_by_x[i] * rising.log;
        d.gradient[0] += h.customers_by_x[i] * rising.first;
        d.hessian[0][0] += h.customers_by_x[i] * rising.second;
    }
    d.value += h.customers * r * std::log(alpha);
    d.gradient[0] += h.customers * std::log(alpha);
    d.gradient[1] += h.customers * r / alpha;
    d.hessian[1][0] += h.customers / alpha;
    d.hessian[1][1] -= h.customers * r / (alpha * alpha);
}

// ln(c + t) and 1 / (c + t) for each of the distinct times.
struct Shifted {
    double log, inverse;
};
void tabulate(std::vector<Shifted>& table, const std::vector<double>& times, double c) {
    table.resize(times.size());
    std::transform(times.begin(), times.end(), table.begin(), [c](double t) -> Shifted {
        return {std::log(c + t), 1 / (c + t)};
    });
}

// BG/NBD and MBG/NBD. A customer who made x purchases had k chances to drop out: x in BG/NBD, and in MBG/NBD, where the
// first one comes right after the customer's first purchase, x + 1. With k > 0 the likelihood is
//   B(a, b+k) / B(a, b) Gamma(r+x) / Gamma(r) alpha^r (alpha+T)^-(r+x) (1 + e^u),
//   e^u = a / (b+k-1) ((alpha+T) / (alpha+t_x))^(r+x), the odds that the customer dropped out at the last chance.
class BetaGeometricLikelihood : public LogLikelihood {
  public:
    BetaGeometricLikelihood(int first_chances, const GroupedHistories& histories, Poll poll)
        : first_chances(first_chances), h(histories), poll(poll) {}

    std::size_t dimensions() const override { return 4; }
    double observations() const override { return h.customers; }

    Derivatives at(const Parameters& parameters, bool with_hessian) const override {
        const auto [r, alpha, a, b] = parameters;
        Derivatives d;
        tabulate(last_table, h.last_ages, alpha);
        tabulate(age_table, h.ages, alpha);
        add_purchase_process(d, h, r, alpha);
        add_waiting(d, r);
        add_chances(d, a, b);
        if (with_hessian) {
            add_drop_out<true>(d, parameters);
        } else {
            add_drop_out<false>(d, parameters);
        }
        return d;
    }

  private:
    // -(r + x) ln(alpha + T), which needs the totals of each T only
    void add_waiting(Derivatives& d, double r) const {
        for (std::size_t i = 0; i < h.ages.size(); ++i) {
            const auto [log, inverse] = age_table[i];
            const double exponent = r * h.customers_by_age[i] + h.purchases_by_age[i];
            d.value -= exponent * log;
            d.gradient[0] -= h.customers_by_age[i] * log;
            d.gradient[1] -= exponent * inverse;
            d.hessian[1][0] -= h.customers_by_age[i] * inverse;
            d.hessian[1][1] += exponent * inverse * inverse;
        }
    }

    // ln B(a, b+k) / B(a, b)
    void add_chances(Derivatives& d, double a, double b) const {
        for (std::size_t i = 0; i < h.purchases.size(); ++i) {
            const double k = h.purchases[i] + first_chances;
            const double customers = h.customers_by_x[i];
            const RisingFactorial stay = log_rising_factorial(b, k);
            const RisingFactorial all = log_rising_factorial(a + b, k);
            d.value += customers * (stay.log - all.log);
            d.gradient[2] -= customers * all.first;
            d.gradient[3] += customers * (stay.first - all.first);
            d.hessian[2][2] -= customers * all.second;
            d.hessian[3][2] -= customers * all.second;
            d.hessian[3][3] += customers * (stay.second - all.second);
        }
    }

    // ln(1 + e^u), with the derivatives p u' and p u'' + p (1 - p) u' u' where p = e^u / (1 + e^u)
    template <bool with_hessian>
    void add_drop_out(Derivatives& d, const Parameters& parameters) const {
        const auto [r, alpha, a, b] = parameters;
        const double log_a = std::log(a);
        for (std::size_t begin = 0; begin < h.groups.size(); begin += groups_between_checks) {
            poll();
            const std::size_t end = std::min(begin + groups_between_checks, h.groups.size());
            for (std::size_t i = begin; i < end; ++i) {
                const auto& group = h.groups[i];
                const double x = h.purchases[group.x];
                const double k = x + first_chances;
                if (k > 0) add_odds<with_hessian>(d, group, r + x, b + k - 1, a, log_a - std::log(b + k - 1));
            }
        }
    }

    template <bool with_hessian>
    void add_odds(Derivatives& d, const GroupedHistories::Group& group, double exponent, double beyond, double a,
                  double log_ratio) const {
        const Shifted last = last_table[group.t_x];
        const Shifted age = age_table[group.age];
        const double u_r = age.log - last.log;
        const double u_r_alpha = age.inverse - last.inverse;
        const Parameters u = {u_r, exponent * u_r_alpha, 1 / a, -1 / beyond};
        const double odds = log_ratio + exponent * u_r;
        const double small = std::exp(-std::abs(odds));
        const double share = 1 / (1 + small);
        const double p = odds > 0 ? share : small * share;
        const double weight = group.customers * p;
        d.value += group.customers * (std::max(odds, 0.0) + std::log1p(small));
        for (int i = 0; i < 4; ++i) d.gradient[i] += weight * u[i];
        if constexpr (with_hessian) {
            const double spread = group.customers * small * share * share;  // p (1 - p)
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j <= i; ++j) d.hessian[i][j] += spread * u[i] * u[j];
            }
            d.hessian[1][0] += weight * u_r_alpha;
            d.hessian[1][1] -= weight * u[1] * (age.inverse + last.inverse);
            d.hessian[2][2] -= weight * u[2] * u[2];
            d.hessian[3][3] += weight * u[3] * u[3];
        }
    }

    const double first_chances;
    const GroupedHistories& h;
    const Poll poll;
    mutable std::vector<Shifted> last_table, age_table;
};

// A sum of positive terms e^f with the derivatives of its logarithm, which are means over the terms:
// that of f', and that of f'' + f' f' less the square of the former.
class Mixture {
  public:
    // Of a function whose only mixed derivatives are those of the first two and of the last two parameters.
    struct Term {
        double weight;  // e^f, to a common factor
        Parameters first;
        double second_00, second_10, second_11, second_22, second_32, second_33;
    };

    template <bool with_hessian>
    void add(const Term& term) {
        const auto& [weight, f, f00, f10, f11, f22, f32, f33] = term;
        sum += weight;
        for (int i = 0; i < 4; ++i) first[i] += weight * f[i];
        if constexpr (with_hessian) {
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j <= i; ++j) second[i][j] += weight * f[i] * f[j];
            }
            second[0][0] += weight * f00;
            second[1][0] += weight * f10;
            second[1][1] += weight * f11;
            second[2][2] += weight * f22;
            second[3][2] += weight * f32;
            second[3][3] += weight * f33;
        }
    }

    template <bool with_hessian>
    void add_to(Derivatives& d, double customers, double log_factor) const {
        d.value += customers * (log_factor + std::log(sum));
        const double weight = customers / sum;
        for (int i = 0; i < 4; ++i) d.gradient[i] += weight * first[i];
        if constexpr (with_hessian) {
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j <= i; ++j) d.hessian[i][j] += weight * (second[i][j] - first[i] * first[j] / sum);
            }
        }
    }

  private:
    double sum = 0;
    Parameters first{};
    std::array<Parameters, 4> second{};
};

// Pareto/NBD. The customer was still there at T, or left at some time t between t_x and T:
//   Gamma(r+x) / Gamma(r) alpha^r beta^s
//     ((alpha+T)^-(r+x) (beta+T)^-s + integral of (alpha+t)^-(r+x) s (beta+t)^-(s+1) dt from t_x to T).
// The integral is that of the paper's hypergeometric functions. As an integral it has all its derivatives in the
// parameters by the same sum over Gauss points, it is a sum of positive terms, and it stays in range for any x.
//
// With m = min(alpha, beta) and t = (m+t_x) e^w - m the logarithm f of the integrand is concave in w, and analytic
// within |Im w| < pi: few points are enough, on the part where it is above e^-45 of its start.
class ParetoLikelihood : public LogLikelihood {
  public:
    ParetoLikelihood(const GroupedHistories& histories, Poll poll) : h(histories), poll(poll) {}

    std::size_t dimensions() const override { return 4; }
    double observations() const override { return h.customers; }

    Derivatives at(const Parameters& parameters, bool with_hessian) const override {
        const auto [r, alpha, s, beta] = parameters;
        Derivatives d;
        add_purchase_process(d, h, r, alpha);
        d.value += h.customers * s * std::log(beta);
        d.gradient[2] += h.customers * std::log(beta);
        d.gradient[3] += h.customers * s / beta;
        d.hessian[3][2] += h.customers / beta;
        d.hessian[3][3] -= h.customers * s / (beta * beta);
        for (std::size_t i = 0; i < h.groups.size(); ++i) {
            if (i % groups_between_checks == 0) poll();
            if (with_hessian) {
                add_group<true>(d, h.groups[i], parameters);
            } else {
                add_group<false>(d, h.groups[i], parameters);
            }
        }
        return d;
    }

  private:
    // The integrand of one customer, in w.
    struct Integrand {
        double exponent, alpha, s, beta;  // exponent: r + x
        double m, start;                  // start: m + t_x
        double log_start;

        Integrand(double exponent, double alpha, double s, double beta, double t_x)
            : exponent(exponent),
              alpha(alpha),
              s(s),
              beta(beta),
              m(std::min(alpha, beta)),
              start(m + t_x),
              log_start(std::log(start)) {}

        struct Logs {
            double from_alpha, from_beta;  // ln(alpha + t), ln(beta + t)
            double y;                      // m + t
        };
        Logs logs_at(double w) const {
            const double y = start * std::exp(w);
            const double nearer = log_start + w;
            if (alpha == beta) return {nearer, nearer, y};
            if (alpha < beta) return {nearer, std::log(y + (beta - m)), y};
            return {std::log(y + (alpha - m)), nearer, y};
        }
        // f without ln s
        double of(const Logs& logs, double w) const {
            return -exponent * logs.from_alpha - (s + 1) * logs.from_beta + log_start + w;
        }
        double at(double w) const { return of(logs_at(w), w); }

        template <bool with_hessian>
        void add_to(Mixture& mixture, double weight, const Logs& logs) const {
            const double ia = 1 / (logs.y + (alpha - m));
            const double ib = 1 / (logs.y + (beta - m));
            mixture.add<with_hessian>({weight,
                                       {-logs.from_alpha, -exponent * ia, 1 / s - logs.from_beta, -(s + 1) * ib},
                                       0,
                                       -ia,
                                       exponent * ia * ia,
                                       -1 / (s * s),
                                       -ib,
                                       (s + 1) * ib * ib});
        }
    };

    static constexpr double negligible = 45;  // e-foldings

    // Where the integrand has become negligible, at most `end`.
    static double cut(const Integrand& integrand, double top, double end) {
        double low = 0;
        double f = integrand.at(end);
        while (f < top - 1.5 * negligible) {
            const double middle = low + (end - low) / 2;
            const double f_middle = integrand.at(middle);
            if (f_middle > top - negligible) {
                low = middle;
            } else {
                end = middle;
                f = f_middle;
            }
        }
        return end;
    }

    template <bool with_hessian, unsigned points>
    static void integrate(Mixture& mixture, const Integrand& integrand, double log_factor, double from, double to) {
        using Rule = boost::math::quadrature::gauss<double, points>;
        const double half = (to - from) / 2;
        const double middle = from + half;
        const auto add = [&](double w, double weight) {
            const Integrand::Logs logs = integrand.logs_at(w);
            integrand.add_to<with_hessian>(mixture, weight * std::exp(integrand.of(logs, w) - log_factor), logs);
        };
        for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
            const double weight = Rule::weights()[i] * half * integrand.s;
            add(middle - half * Rule::abscissa()[i], weight);
            if (Rule::abscissa()[i] != 0) add(middle + half * Rule::abscissa()[i], weight);
        }
    }

    template <bool with_hessian>
    void add_group(Derivatives& d, const GroupedHistories::Group& group, const Parameters& parameters) const {
        const auto [r, alpha, s, beta] = parameters;
        const double t_x = h.last_ages[group.t_x];
        const double age = h.ages[group.age];
        const Integrand integrand(r + h.purchases[group.x], alpha, s, beta, t_x);
        const double from_alpha = std::log(alpha + age), from_beta = std::log(beta + age);
        const double alive = -integrand.exponent * from_alpha - s * from_beta;
        const double top = integrand.at(0);
        const double log_factor = std::max(alive, top);

        Mixture mixture;
        const double ia = 1 / (alpha + age), ib = 1 / (beta + age);
        mixture.add<with_hessian>({std::exp(alive - log_factor),
                                   {-from_alpha, -integrand.exponent * ia, -from_beta, -s * ib},
                                   0,
                                   -ia,
                                   integrand.exponent * ia * ia,
                                   0,
                                   -ib,
                                   s * ib * ib});
        if (age > t_x) {
            const double end = cut(integrand, top, std::log1p((age - t_x) / integrand.start));
            add_panels<with_hessian>(mixture, integrand, log_factor, top, end);
        }
        mixture.add_to<with_hessian>(d, group.customers, log_factor);
    }

    // As many panels, and points in them, as the range and the fall of the integrand within it ask for.
    template <bool with_hessian>
    static void add_panels(Mixture& mixture, const Integrand& integrand, double log_factor, double top, double end) {
        const double fall = std::abs(top - integrand.at(end));
        if (fall < 8 && end < 3) return integrate<with_hessian, 15>(mixture, integrand, log_factor, 0, end);
        const double panels = std::ceil(std::max(fall / 40, end / 6));
        for (double i = 0; i < panels; ++i) {
            integrate<with_hessian, 30>(mixture, integrand, log_factor, end * i / panels, end * (i + 1) / panels);
        }
    }

    const GroupedHistories& h;
    const Poll poll;
};

}  // namespace

DistinctHistories distinct(std::span<const PurchaseHistory> histories) {
    DistinctHistories result{{histories.begin(), histories.end()}, {}, 0};
    auto& rows = result.rows;
    std::sort(rows.begin(), rows.end(), [](const auto& one, const auto& other) { return key(one) < key(other); });
    result.exponent = age_exponent(rows);
    std::size_t kept = 0;
    for (const PurchaseHistory& row : rows) {
        const auto [x, t_x, age] = row;
        const PurchaseHistory scaled{x, std::ldexp(t_x, -result.exponent), std::ldexp(age, -result.exponent)};
        if (kept > 0 && key(rows[kept - 1]) == key(scaled)) {
            ++result.customers[kept - 1];
        } else {
            rows[kept++] = scaled;
            result.customers.push_back(1);
        }
    }
    rows.resize(kept);
    return result;
}

DistinctHistories thinned(const DistinctHistories& histories, std::size_t n) {
    DistinctHistories sample{{}, {}, histories.exponent};
    const auto step = static_cast<double>(n);
    double seen = 0;
    for (std::size_t i = 0; i < histories.rows.size(); ++i) {
        const double before = std::floor(seen / step);
        seen += histories.customers[i];
        const double customers = std::floor(seen / step) - before;
        if (customers == 0) continue;
        sample.rows.push_back(histories.rows[i]);
        sample.customers.push_back(customers);
    }
    return sample;
}

GroupedHistories::GroupedHistories(const DistinctHistories& histories) {
    const auto& rows = histories.rows;
    std::vector<std::uint32_t> x, t_x, age;
    std::tie(purchases, x) = index_values(rows, &PurchaseHistory::repeat_purchases);
    std::tie(last_ages, t_x) = index_values(rows, &PurchaseHistory::last_purchase_age);
    std::tie(ages, age) = index_values(rows, &PurchaseHistory::age);
    customers_by_x.resize(purchases.size());
    customers_by_age.resize(ages.size());
    purchases_by_age.resize(ages.size());
    groups.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double count = histories.customers[i];
        groups[i] = {x[i], t_x[i], age[i], count};
        customers += count;
        customers_by_x[x[i]] += count;
        customers_by_age[age[i]] += count;
        purchases_by_age[age[i]] += count * rows[i].repeat_purchases;
        total_age += count * rows[i].age;
    }
    total_purchases = std::accumulate(purchases_by_age.begin(), purchases_by_age.end(), 0.0);
}

std::unique_ptr<LogLikelihood> purchase_likelihood(PurchaseKind kind, const GroupedHistories& histories, Poll poll) {
    if (kind == PurchaseKind::pareto_nbd) return std::make_unique<ParetoLikelihood>(histories, poll);
    return std::make_unique<BetaGeometricLikelihood>(kind == PurchaseKind::mbgnbd ? 1 : 0, histories, poll);
}

}  // namespace clientele
