#include "lift_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/base/random.hpp"
#include "core/experiment/lift.hpp"
#include "core/experiment/sequential.hpp"

namespace clientele {
namespace {

struct Customer {
    double outcome, covariate;
};

// Standard normals by Marsaglia's polar method, in pairs: the same on every platform.
struct Normals {
    double first, second;
};

Normals normals(Random& random) {
    for (;;) {
        const double u = 2 * random.uniform() - 1, v = 2 * random.uniform() - 1, square = u * u + v * v;
        if (square >= 1 || square == 0) continue;
        const double scale = std::sqrt(-2 * std::log(square) / square);
        return {u * scale, v * scale};
    }
}

constexpr double normal_mean = 50;

Customer normal_customer(Random& random, double lift) {
    const Normals z = normals(random);
    return {normal_mean * (1 + lift) + 6 * z.first + 8 * z.second, normal_mean + 10 * z.first};
}

// Three in ten customers are regulars, and order in most periods; the others seldom do. How much they order varies
// between customers (first) and between a customer's periods.
constexpr double share_regular = 0.3, order_by_regular = 0.7, order_by_other = 0.1;
constexpr double log_value = 3.5, sd_between = 0.6, sd_within = 0.5;

double spent(Random& random, double log_usual, double chance) {
    if (random.uniform() >= chance) return 0;
    return std::exp(log_usual + sd_within * normals(random).first);
}

constexpr double order_rarely = 0.03;

double chance_of(Random& random, Outcomes outcomes) {
    if (outcomes == Outcomes::rare) return order_rarely;
    return random.uniform() < share_regular ? order_by_regular : order_by_other;
}

Customer skewed_customer(Random& random, Outcomes outcomes, double lift) {
    const double chance = chance_of(random, outcomes);
    const double log_usual = log_value + sd_between * normals(random).first;
    const double before = spent(random, log_usual, chance);
    return {(1 + lift) * spent(random, log_usual, chance), before};
}

double true_effect(const Experiment& experiment) {
    if (experiment.outcomes == Outcomes::normal) return normal_mean * experiment.lift;
    const double often = share_regular * order_by_regular + (1 - share_regular) * order_by_other;
    return (experiment.outcomes == Outcomes::rare ? order_rarely : often) *
           std::exp(log_value + 0.5 * (sd_between * sd_between + sd_within * sd_within)) * experiment.lift;
}

bool holds(double low, double high, double effect) { return low <= effect && effect <= high; }

// The same rows without their covariate.
Comparison without_covariate(const Comparison& comparison) {
    Comparison plain = comparison;
    plain.rows = Rows::outcomes;
    return plain;
}

// One run: customers arrive one by one, and both lifts are looked at again and again.
class Run {
  public:
    Run(const Experiment& experiment, std::uint64_t seed) : experiment_(experiment), random_(seed, 0) {
        comparison_.rows = Rows::adjusted;
    }

    void count_into(Tallies& tallies) {
        Looks plain, adjusted;
        int arrived = 0;
        for (const int until : looks_of(experiment_.n)) {
            for (; arrived < until; ++arrived) add_customer();
            look_at(plain, lift_of(without_covariate(comparison_)));
            look_at(adjusted, lift_of(comparison_));
        }
        count(tallies.plain, plain);
        count(tallies.adjusted, adjusted);
    }

  private:
    void add_customer() {
        const bool is_treated = random_.uniform() < experiment_.share_treated;
        const double lift = is_treated ? experiment_.lift : 0;
        const Customer customer = experiment_.outcomes == Outcomes::normal
                                      ? normal_customer(random_, lift)
                                      : skewed_customer(random_, experiment_.outcomes, lift);
        if (!is_treated && customer.outcome != 0) ++nonzero_control_;
        comparison_.add_adjusted(customer.outcome, customer.covariate, is_treated);
    }

    struct Looks {
        Lift last;
        bool looked = false, missed = false;
    };

    void look_at(Looks& looks, const Lift& lift) const {
        looks.last = lift;
        const SequentialInterval interval = sequential_interval(lift, 0.05, 5'000, nonzero_control_);
        if (std::isnan(interval.low)) return;
        looks.looked = true;
        looks.missed |= !holds(interval.low, interval.high, true_effect(experiment_));
    }

    void count(Tally& tally, const Looks& looks) const {
        const Lift& lift = looks.last;
        ++tally.runs;
        tally.covered += holds(lift.ci_low, lift.ci_high, true_effect(experiment_));
        tally.rejected += lift.p_value < 0.05;
        tally.looked += looks.looked;
        tally.sequential_missed += looks.missed;
        if (!std::isnan(lift.variance_reduction)) tally.variance_reduction += lift.variance_reduction;
    }

    const Experiment& experiment_;
    Random random_;
    Comparison comparison_;
    std::int64_t nonzero_control_ = 0;
};

}  // namespace

std::vector<int> looks_of(int n) {
    std::vector<int> looks;
    for (int at = 40; at < n; at += std::max(7, at / 20)) looks.push_back(at);
    looks.push_back(n);
    return looks;
}

Tallies simulate(const Experiment& experiment, int runs) {
    Tallies tallies;
    for (int seed = 1; seed <= runs; ++seed) {
        Run(experiment, static_cast<std::uint64_t>(seed)).count_into(tallies);
    }
    tallies.adjusted.variance_reduction /= runs;
    return tallies;
}

}  // namespace clientele
