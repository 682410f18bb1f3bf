// What ways of setting terms earn in shops whose truth is known: `make simulate`, or offers_simulation [SEEDS
// [SHOP…]]. Prints a table of shares of the oracle's profit, the mean over the seeds.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "offer_simulation.hpp"

using namespace clientele;

namespace {

// Of the shop that is as the model has it: the parameters that made it.
std::vector<double> true_parameters(const ShopKind& kind) {
    std::vector<double> truth(parameter::first_d + 3);
    const auto logit = [](double share) { return std::log(share / (1 - share)); };
    truth[parameter::a] = logit(kind.chance[0]);
    truth[parameter::lb] = std::log(kind.b[0]);
    truth[parameter::c] = kind.c[0];
    truth[parameter::lomega] = std::log(0.03);
    truth[parameter::lA] = logit(kind.attentive);
    truth[parameter::lq] = logit(kind.q);
    return truth;
}

struct Tally {
    double profit = 0, alone = 0, redemptions = 0, offered = 0, least = HUGE_VAL;
    int runs = 0, gated = 0, covered = 0, reached = 0, parameters = 0, parameters_covered = 0;

    void add(const Learned& learned, double oracle, const ShopKind& kind) {
        const double share = learned.profit / oracle;
        ++runs;
        profit += share;
        alone += learned.alone / oracle;
        least = std::min(least, share);
        redemptions += static_cast<double>(learned.redemptions);
        offered += learned.offered;
        gated += learned.passes_gate;
        reached += learned.reach_p > 0.01;
        covered += learned.predicted.low <= learned.profit && learned.profit <= learned.predicted.high;
        if (kind.answer == Answer::model) add_parameters(learned.fit, true_parameters(kind));
    }
    void add_parameters(const ResponseFit& fit, const std::vector<double>& truth) {
        for (std::size_t i = 0; i < truth.size(); ++i) {
            if (i == parameter::delta || i == parameter::ltau) continue;  // of what is known of customers
            ++parameters;
            parameters_covered += std::abs(fit.mode[i] - truth[i]) <= 1.645 * fit.standard_error(i);
        }
    }
};

void print(const ShopKind& kind, double explored, double displaced, int seeds) {
    OfferTrial trial;
    trial.explored = explored;
    trial.displaced = displaced;
    if (kind.even_more_orders > 0) trial.exposures.push_back(200'000);  // what it takes to see them
    double contribution = 0, oracle = 0, stretch = 0, spread = 0, exploring = 0;
    std::vector<Tally> tallies(trial.exposures.size());
    for (int seed = 1; seed <= seeds; ++seed) {
        const OfferOutcome outcome = try_offers(kind, trial, static_cast<std::uint64_t>(seed));
        contribution += outcome.contribution;
        oracle += outcome.oracle;
        stretch += 100 * outcome.stretch / outcome.oracle / seeds;
        spread += 100 * outcome.spread / outcome.oracle / seeds;
        exploring += 100 * outcome.explored / outcome.oracle / seeds;
        for (std::size_t i = 0; i < tallies.size(); ++i) tallies[i].add(outcome.learned[i], outcome.oracle, kind);
    }
    const std::string name = displaced > 0 ? kind.name + ", given" : kind.name;
    std::printf("%-22s explored %3.0f %%  oracle %5.2f %%  stretch %5.0f  spread %4.0f  exploring %5.0f\n",
                name.c_str(), 100 * explored, 100 * oracle / contribution, stretch, spread, exploring);
    for (std::size_t i = 0; i < tallies.size(); ++i) {
        const Tally& t = tallies[i];
        std::printf(
            "    %6d exposures %5.0f redemptions  learned %4.0f (least %4.0f)  while exploring %5.0f  offered %3.0f %% "
            " "
            "gate %2d  reach %2d  profit covered %2d of %d",
            trial.exposures[i], t.redemptions / t.runs, 100 * t.profit / t.runs, 100 * t.least, 100 * t.alone / t.runs,
            100 * t.offered / t.runs, t.gated, t.reached, t.covered, t.runs);
        if (t.parameters > 0) std::printf("  parameters %d of %d", t.parameters_covered, t.parameters);
        std::puts("");
    }
    std::fflush(stdout);
}

bool is_named(const ShopKind& kind, int count, char** arguments) {
    for (int i = 2; i < count; ++i) {
        if (kind.name == arguments[i]) return true;
    }
    return count <= 2;
}

}  // namespace

int main(int count, char** arguments) {
    const int seeds = count > 1 ? std::atoi(arguments[1]) : 10;
    if (seeds < 1) {
        std::fprintf(stderr, "usage: %s [SEEDS [SHOP...]]\n", arguments[0]);
        return 2;
    }
    std::printf("Shares of the oracle's profit, in %%; means over %d seeds\n", seeds);
    for (const ShopKind& kind : shop_kinds()) {
        if (!is_named(kind, count, arguments)) continue;
        for (const double explored : {1.0, 0.2}) print(kind, explored, 0, seeds);
        if (kind.displaced == 0) continue;
        for (const double explored : {1.0, 0.2}) print(kind, explored, kind.displaced, seeds);
    }
}
