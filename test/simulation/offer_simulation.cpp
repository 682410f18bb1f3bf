#include "offer_simulation.hpp"

#include <algorithm>
#include <cmath>

namespace clientele {
namespace {

constexpr double stretches[] = {1.3, 1.9, 2.8};
constexpr double rates[] = {0.02, 0.06};
constexpr int combinations = std::size(stretches) * std::size(rates);
const std::vector<double> rates_to_choose = {0.02, 0.03, 0.04, 0.05, 0.06};
const std::vector<double> oracle_rates = {0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10, 0.12, 0.15, 0.20};
constexpr int oracle_rungs = 14;
constexpr double oracle_from = 0.75;  // times the reference value
constexpr std::int64_t least_redemptions = 400;
constexpr double least_reach_p = 0.01;
constexpr int interval_draws = 100;

OfferTerms explored_terms(const Shopper& shopper, int arm) {
    return stretched_terms(shopper, stretches[arm / 2], rates[arm % 2]);
}

// ---- The truth ----

double best_by_truth(const SimulatedShop& shop, const Shopper& shopper) {
    double best = 0, rung = rung_above_or_at(std::max(oracle_from * shopper.reference, 0.5));
    for (int i = 0; i < oracle_rungs; ++i, rung = rung_above_or_at(rung + 1)) {
        std::vector<double> rewards;
        for (const double rate : oracle_rates) rewards.push_back(reward_at(rate, rung));
        for (const double profit : shop.true_profits(shopper, rung, rewards)) best = std::max(best, profit);
    }
    return best;
}

double explored_profit(const SimulatedShop& shop, const Shopper& shopper) {
    double sum = 0;
    for (int arm = 0; arm < combinations; ++arm) sum += shop.true_profit(shopper, explored_terms(shopper, arm));
    return sum / combinations;
}

// ---- The log ----

Exposure draw_exposure(const SimulatedShop& shop, const OfferTrial& trial, Random& random) {
    Exposure exposure;
    exposure.shopper = static_cast<std::size_t>(random.uniform() * static_cast<double>(shop.shoppers().size()));
    const Shopper& shopper = shop.shoppers()[exposure.shopper];
    const bool held_out = random.uniform() < trial.holdout, explores = random.uniform() < trial.explored;
    const auto arm = static_cast<int>(random.uniform() * combinations);
    if (held_out) return exposure;
    exposure.terms = explores ? explored_terms(shopper, arm) : spread_terms(shopper);
    if (explores) exposure.arm = arm;
    return exposure;
}

// What a log is, as it grows.
struct Log {
    std::vector<ResponseOrder> orders;
    std::int64_t redemptions = 0;
    std::vector<ExposureOrders> counts;
    int exposures = 0;

    void grow(const SimulatedShop& shop, const OfferTrial& trial, int until, Random& random) {
        for (; exposures < until; ++exposures) {
            const Exposure exposure = draw_exposure(shop, trial, random);
            const std::size_t before = orders.size();
            shop.append_orders(exposure, random, orders);
            const Shopper& shopper = shop.shoppers()[exposure.shopper];
            counts.push_back({static_cast<std::int64_t>(exposure.shopper), 0, exposure.offered() ? exposure.arm : -2,
                              exposure.terms.reward / std::exp(shopper.known.value.mu),
                              static_cast<double>(orders.size() - before), static_cast<double>(shopper.orders)});
            for (std::size_t i = before; i < orders.size(); ++i) {
                redemptions += orders[i].redeemed && orders[i].arm >= 0;
            }
        }
    }
};

// ---- What is learned from it ----

struct Evidence {
    std::vector<ResponseOrder> orders;
    OrdersByReward measured;
    Economics economics;
    ResponseWithExtra found;
};

Evidence evidence_of(const Log& log, double displaced) {
    Evidence evidence;
    evidence.orders = log.orders;
    evidence.measured = orders_by_reward(log.counts);
    const ExtraOrders extra = extra_orders(evidence.measured.difference(), evidence.measured.difference_error());
    evidence.economics = economics_of(evidence.measured, extra, displaced);
    evidence.found = fit_with_extra(evidence.orders, 3, false, evidence.measured, std::nan(""));
    return evidence;
}

std::vector<OfferTerms> candidates(const Shopper& shopper) {
    std::vector<OfferTerms> terms;
    const double most = rung_above_or_at(stretches[2] * shopper.reference);
    for (const double rung : rungs_between(stretches[0] * shopper.reference, most)) {
        for (const double rate : rates_to_choose) terms.push_back({rung, reward_at(rate, rung)});
    }
    return terms;
}

Learned learn(const SimulatedShop& shop, const OfferTrial& trial, const Log& log, const OfferOutcome& outcome) {
    Learned learned;
    learned.exposures = log.exposures;
    learned.redemptions = log.redemptions;
    const Evidence evidence = evidence_of(log, trial.displaced);
    const Economics& economics = evidence.economics;
    learned.fit = evidence.found.fit;
    learned.extra = evidence.found.rate;
    learned.mean_reward = evidence.measured.mean_reward;
    learned.measured_extra = {evidence.measured.difference(), evidence.measured.difference_error()};
    learned.converged = learned.fit.converged;
    learned.reach_p = reach_check(evidence.orders, learned.fit.response(), evidence.found.fitted).p_value;
    const ResponseBelief belief(learned.fit, economics);
    const ResponseBelief sure(learned.fit, economics, interval_draws, 11, ExtraDraws::measured);
    TotalProfit predicted(sure);
    for (int i = 0; i < trial.judged; ++i) {
        const Shopper& shopper = shop.shoppers()[static_cast<std::size_t>(i)];
        const auto terms = candidates(shopper);
        const auto choice = choose(belief, shopper.known, terms);
        if (!choice) continue;
        learned.offered += 1.0 / trial.judged;
        learned.profit += shop.true_profit(shopper, terms[choice->index]) / trial.judged;
        predicted.add(shopper.known, terms[choice->index]);
    }
    learned.alone = (1 - trial.explored) * learned.profit + trial.explored * outcome.explored;
    learned.predicted = predicted.per_customer(trial.judged);
    learned.passes_gate =
        learned.redemptions >= least_redemptions && learned.reach_p > least_reach_p && learned.predicted.low > 0;
    return learned;
}

// A customer's part of a round; the orders are those of the offer, if any.
void take_part(SimulatedShop& shop, std::size_t which, const ResponseBelief* belief, Random& random, Round& round) {
    const Shopper shopper = shop.shoppers()[which];
    Exposure exposure{which, {}, -1};
    const auto terms = candidates(shopper);
    if (const auto choice = belief ? choose(*belief, shopper.known, terms) : std::nullopt) {
        exposure.terms = terms[choice->index];
        round.offered += 1;
        round.asked += exposure.terms.min_spend;
        round.profit += shop.true_profit(shopper, exposure.terms);
    }
    round.expected += shopper.known.value.mu;
    std::vector<ResponseOrder> orders;
    shop.append_orders(exposure, random, orders);
    shop.remember(which, orders);
}

}  // namespace

std::vector<Round> recur(const ShopKind& kind, const OfferTrial& trial, int rounds, bool with_offers,
                         std::uint64_t seed) {
    SimulatedShop shop(kind, trial.customers, seed);
    Random random(seed, 2);
    Log log;
    log.grow(shop, trial, trial.exposures.back(), random);
    const Evidence evidence = evidence_of(log, trial.displaced);
    const ResponseBelief belief(evidence.found.fit, evidence.economics);
    std::vector<Round> result(static_cast<std::size_t>(rounds));
    for (Round& round : result) {
        for (int i = 0; i < trial.judged; ++i) {
            take_part(shop, static_cast<std::size_t>(i), with_offers ? &belief : nullptr, random, round);
        }
        round.asked /= std::max(round.offered, 1.0);
        for (double* mean : {&round.expected, &round.offered, &round.profit}) *mean /= trial.judged;
    }
    return result;
}

OfferOutcome try_offers(const ShopKind& kind, const OfferTrial& trial, std::uint64_t seed) {
    const SimulatedShop shop(kind, trial.customers, seed);
    OfferOutcome outcome;
    for (int i = 0; i < trial.judged; ++i) {
        const Shopper& shopper = shop.shoppers()[static_cast<std::size_t>(i)];
        outcome.contribution += shop.contribution(shopper) / trial.judged;
        outcome.oracle += best_by_truth(shop, shopper) / trial.judged;
        outcome.stretch += shop.true_profit(shopper, default_terms(shopper)) / trial.judged;
        outcome.spread += shop.true_profit(shopper, spread_terms(shopper)) / trial.judged;
        outcome.explored += explored_profit(shop, shopper) / trial.judged;
    }
    Random random(seed, 2);
    Log log;
    for (const int until : trial.exposures) {
        log.grow(shop, trial, until, random);
        outcome.learned.push_back(learn(shop, trial, log, outcome));
    }
    return outcome;
}

}  // namespace clientele
