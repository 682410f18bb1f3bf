// Experiments with a known true effect, and how often the intervals of lift() hold it.
#pragma once

#include <vector>

namespace clientele {

// normal: an outcome and a covariate that correlate by 0.6. skewed: zero-inflated log-normal, as what customers spend:
// many order nothing, and some much. rare: the same where 3 in 100 order at all.
enum class Outcomes { normal, skewed, rare };

struct Experiment {
    Outcomes outcomes = Outcomes::normal;
    int n = 2'000;  // both arms
    double share_treated = 0.9;
    double lift = 0;  // of the mean, as a share of it
};

// What happened in all runs; of the effect with or without the covariate.
struct Tally {
    int runs = 0;
    int covered = 0;            // by the 95 % interval, at the last look
    int rejected = 0;           // at the 5 % level, at the last look
    int sequential_missed = 0;  // the sequential interval missed at any look
    int looked = 0;             // there was a sequential interval at all
    double variance_reduction = 0;

    double share(int count) const { return static_cast<double>(count) / runs; }
};

struct Tallies {
    Tally plain, adjusted;
};

// The numbers of customers at which a run looks: from 40 on, at first every seventh, then at steps of a twentieth, and
// at the end.
std::vector<int> looks_of(int n);

// Runs the experiment with seeds 1 to `runs`.
Tallies simulate(const Experiment& experiment, int runs);

}  // namespace clientele
