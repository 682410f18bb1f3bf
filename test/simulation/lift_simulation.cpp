#include "lift_simulation.hpp"

#include <cmath>

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

Customer skewed_customer(Random& random, double lift) {
    const double chance = random.uniform() < share_regular ? order_by_regular : order_by_other;
    const double log_usual = log_value + sd_between * normals(random).first;
    const double before = spent(random, log_usual, chance);
    return {(1 + lift) * spent(random, log_usual, chance), before};
}

double true_effect(const Experiment& experiment) {
    if (experiment.outcomes == Outcomes::normal) return normal_mean * experiment.lift;
    const double orders = share_regular * order_by_regular + (1 - share_regular) * order_by_other;
    return orders * std::exp(log_value + 0.5 * (sd_between * sd_between + sd_within * sd_within)) * experiment.lift;
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
        bool plain_missed = false, adjusted_missed = false;
        Lift plain, adjusted;
        int arrived = 0;
        for (std::int64_t look = 1; look <= experiment_.looks; ++look) {
            const auto until = static_cast<int>(look * experiment_.n / experiment_.looks);
            for (; arrived < until; ++arrived) add_customer();
            plain = lift_of(without_covariate(comparison_));
            adjusted = lift_of(comparison_);
            plain_missed |= is_missed(plain);
            adjusted_missed |= is_missed(adjusted);
        }
        count(tallies.plain, plain, plain_missed);
        count(tallies.adjusted, adjusted, adjusted_missed);
    }

  private:
    void add_customer() {
        const bool is_treated = random_.uniform() < experiment_.share_treated;
        const double lift = is_treated ? experiment_.lift : 0;
        const Customer customer =
            experiment_.outcomes == Outcomes::normal ? normal_customer(random_, lift) : skewed_customer(random_, lift);
        comparison_.add_adjusted(customer.outcome, customer.covariate, is_treated);
    }

    bool is_missed(const Lift& lift) const {
        const SequentialInterval interval = sequential_interval(lift, 0.05, 5'000);
        return !std::isnan(interval.low) && !holds(interval.low, interval.high, true_effect(experiment_));
    }

    void count(Tally& tally, const Lift& lift, bool sequential_missed) const {
        ++tally.runs;
        tally.covered += holds(lift.ci_low, lift.ci_high, true_effect(experiment_));
        tally.rejected += lift.p_value < 0.05;
        tally.sequential_missed += sequential_missed;
        if (!std::isnan(lift.variance_reduction)) tally.variance_reduction += lift.variance_reduction;
    }

    const Experiment& experiment_;
    Random random_;
    Comparison comparison_;
};

}  // namespace

Tallies simulate(const Experiment& experiment, int runs) {
    Tallies tallies;
    for (int seed = 1; seed <= runs; ++seed) {
        Run(experiment, static_cast<std::uint64_t>(seed)).count_into(tallies);
    }
    tallies.adjusted.variance_reduction /= runs;
    return tallies;
}

}  // namespace clientele
