#include "core/offer/offer_study.hpp"

#include <algorithm>
#include <cmath>

#include "core/offer/ladder.hpp"

namespace clientele {
namespace {

constexpr int interval_draws = 100;
constexpr std::uint64_t interval_seed = 11;
constexpr int most_rates = 6;
constexpr std::size_t customers_between_checks = 16;

// The terms that a program of its own would set.
OfferTerms terms_by(const Program& program, const StudiedCustomer& customer, int decimals) {
    Book book;
    book.decimals = decimals;
    const auto margin = std::llround(customer.prospect.margin * static_cast<double>(rate_unit));
    const Terms terms = terms_of(book, program, program.arm(0), customer.reference, margin);
    return {static_cast<double>(terms.min_spend),
            static_cast<double>(terms.reward) / static_cast<double>(power_of_ten(decimals))};
}

Program spreading() {
    Program program;
    program.terms = TermsRule::spread;
    program.reward_rate = 20'000;
    return program;
}

Program stretching(std::int64_t stretch, std::int64_t rate) {
    Program program;
    program.stretch = stretch;
    program.reward_rate = rate;
    return program;
}

// As they are drawn: without the bound of half the margin.
OfferTerms drawn_terms(std::int64_t stretch, std::int64_t rate, const StudiedCustomer& customer, int decimals) {
    StudiedCustomer unbounded = customer;
    unbounded.prospect.margin = 1'000;
    return terms_by(stretching(stretch, rate), unbounded, decimals);
}

std::vector<std::int64_t> rates_within(const TriedTerms& tried) {
    const std::int64_t least = tried.rates.front(), greatest = tried.rates.back();
    std::vector<std::int64_t> rates;
    for (int i = 0; i < most_rates; ++i) {
        const std::int64_t rate = least + (greatest - least) * i / (most_rates - 1);
        if (rates.empty() || rate != rates.back()) rates.push_back(rate);
    }
    return rates;
}

// Pairs by number: those of one stretch follow one another.
std::int64_t stretch_of(const TriedTerms& tried, std::size_t pair) {
    return tried.stretches[pair / tried.rates.size()];
}
std::int64_t rate_of(const TriedTerms& tried, std::size_t pair) { return tried.rates[pair % tried.rates.size()]; }

// The pair that earns most at the mode.
std::size_t best_pair(const ResponseBelief& belief, std::span<const StudiedCustomer> customers, const TriedTerms& tried,
                      int decimals, Poll poll) {
    std::size_t best = 0;
    double most = 0;
    for (std::size_t pair = 0; pair < tried.stretches.size() * tried.rates.size(); ++pair) {
        poll();
        const Program program = stretching(stretch_of(tried, pair), rate_of(tried, pair));
        double profit = 0;
        for (const StudiedCustomer& customer : customers) {
            const OfferTerms terms = terms_by(program, customer, decimals);
            if (terms.reward > 0) profit += belief.profit(customer.prospect, terms);
        }
        if (pair == 0 || profit > most) {
            best = pair;
            most = profit;
        }
    }
    return best;
}

}  // namespace

std::vector<OfferTerms> terms_within(const TriedTerms& tried, const StudiedCustomer& customer, int decimals) {
    const std::int64_t any_rate = tried.rates.front();
    const double from = drawn_terms(tried.stretches.front(), any_rate, customer, decimals).min_spend;
    const double to = drawn_terms(tried.stretches.back(), any_rate, customer, decimals).min_spend;
    const std::int64_t units = power_of_ten(decimals);
    std::vector<OfferTerms> terms;
    for (auto rung = static_cast<std::int64_t>(from); static_cast<double>(rung) <= to; rung = rung_above(rung)) {
        for (const std::int64_t rate : rates_within(tried)) {
            const auto reward = static_cast<std::int64_t>(static_cast<__int128>(rung) * rate * units / rate_unit);
            if (reward == 0) continue;
            terms.push_back({static_cast<double>(rung), static_cast<double>(reward) / static_cast<double>(units)});
        }
        if (rung == highest_rung) break;
    }
    return terms;
}

OfferStudy study_offers(const ResponseFit& fit, const Economics& economics, std::span<const StudiedCustomer> customers,
                        const TriedTerms& tried, int decimals, Poll poll) {
    const ResponseBelief belief(fit, economics);
    const ResponseBelief sure(fit, economics, interval_draws, interval_seed, ExtraDraws::measured);
    TotalProfit in_use(sure), spread(sure), uniform(sure), learned(sure), exploring(sure);
    OfferStudy study;
    const std::size_t pairs = tried.stretches.size() * tried.rates.size();
    const std::size_t best = best_pair(belief, customers, tried, decimals, poll);
    study.uniform_stretch = stretch_of(tried, best);
    study.uniform_rate = rate_of(tried, best);
    const Program pair = stretching(study.uniform_stretch, study.uniform_rate), by_spread = spreading();
    double offered = 0;
    for (std::size_t i = 0; i < customers.size(); ++i) {
        if (i % customers_between_checks == 0) poll();
        const StudiedCustomer& customer = customers[i];
        const Prospect& prospect = customer.prospect;
        in_use.add(prospect, customer.in_use);
        if (customer.reference.knows_spread()) spread.add(prospect, terms_by(by_spread, customer, decimals));
        uniform.add(prospect, terms_by(pair, customer, decimals));
        const auto terms = terms_within(tried, customer, decimals);
        if (const auto choice = choose(belief, prospect, terms)) {
            learned.add(prospect, terms[choice->index]);
            exploring.add(prospect, terms[choice->index]);
            offered += 1;
        }
        // One pair a customer, since all of them for each would take the longest of all.
        exploring.add(prospect,
                      drawn_terms(stretch_of(tried, i % pairs), rate_of(tried, i % pairs), customer, decimals), -1);
    }
    const auto n = static_cast<double>(std::max<std::size_t>(customers.size(), 1));
    study.in_use = in_use.per_customer(n);
    study.spread = spread.per_customer(n);
    study.uniform = uniform.per_customer(n);
    study.learned = learned.per_customer(n);
    study.exploring_cost = exploring.per_customer(n);
    study.offered = offered / n;
    return study;
}

}  // namespace clientele
