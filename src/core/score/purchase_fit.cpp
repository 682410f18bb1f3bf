#include "core/score/purchase_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/score/purchase_likelihood.hpp"

namespace clientele {
namespace {

// Where to begin, from the mean purchase rate. Customers who left make it lower than that of those who buy.
std::vector<Parameters> starts_of(PurchaseKind kind, const GroupedHistories& h) {
    const double rate = std::max(h.total_purchases, 0.5) / std::max(h.total_age, 1e-3 * h.customers);
    const auto drop_outs = kind == PurchaseKind::pareto_nbd
                               ? std::array<std::array<double, 2>, 4>{{{0.5, 0.4}, {0.5, 4}, {2, 4}, {0.05, 1}}}
                               : std::array<std::array<double, 2>, 4>{{{0.8, 2}, {0.3, 0.4}, {1, 10}, {0.05, 1}}};
    std::vector<Parameters> starts;
    for (const double r : {0.3, 2.0}) {
        for (const double leavers : {1.5, 4.0}) {
            for (const auto& [shape, other] : drop_outs) starts.push_back({r, r / (rate * leavers), shape, other});
        }
    }
    return starts;
}

// Scale parameters, which are times, in the customers' own unit.
void rescale(PurchaseKind kind, Parameters& parameters, int exponent) {
    parameters[1] = std::ldexp(parameters[1], exponent);
    if (kind == PurchaseKind::pareto_nbd) parameters[3] = std::ldexp(parameters[3], exponent);
}

// The density is one of x points in time, so in another unit its logarithm is another.
double in_own_unit(double log_likelihood, const GroupedHistories& h, int exponent) {
    return log_likelihood - h.total_purchases * exponent * std::log(2.0);
}

// Many customers are climbed for with a sample of them. With many different histories nothing in it is due to chance.
constexpr std::size_t sample_size = 20'000;
constexpr std::size_t many_histories = 5 * sample_size;

Maximum maximise(PurchaseKind kind, const DistinctHistories& histories, const GroupedHistories& grouped, Poll poll) {
    const auto likelihood = purchase_likelihood(kind, grouped, poll);
    const auto every = static_cast<std::size_t>(grouped.customers) / sample_size;
    if (every < 2) return maximise(*likelihood, starts_of(kind, grouped));
    const GroupedHistories sample(thinned(histories, every));
    const auto rough = purchase_likelihood(kind, sample, poll);
    return maximise(*likelihood, starts_of(kind, grouped), rough.get(), histories.rows.size() > many_histories);
}

}  // namespace

PurchaseFit fit_purchases(PurchaseKind kind, std::span<const PurchaseHistory> histories, Poll poll) {
    for (const PurchaseHistory& history : histories) check(history);
    const DistinctHistories rows = distinct(histories);
    poll();
    const GroupedHistories grouped(rows);
    poll();
    Maximum maximum = maximise(kind, rows, grouped, poll);
    rescale(kind, maximum.parameters, rows.exponent);
    if (maximum.standard_errors) rescale(kind, *maximum.standard_errors, rows.exponent);
    return {{kind, maximum.parameters},
            {in_own_unit(maximum.log_likelihood, grouped, rows.exponent), maximum.standard_errors,
             static_cast<std::int64_t>(histories.size()), maximum.iterations, maximum.converged}};
}

double log_likelihood(const PurchaseModel& model, std::span<const PurchaseHistory> histories, Poll poll) {
    check(model);
    for (const PurchaseHistory& history : histories) check(history);
    const DistinctHistories rows = distinct(histories);
    const GroupedHistories grouped(rows);
    Parameters parameters = model.parameters;
    rescale(model.kind, parameters, -rows.exponent);
    const double value = purchase_likelihood(model.kind, grouped, poll)->at(parameters, false).value;
    return in_own_unit(value, grouped, rows.exponent);
}

}  // namespace clientele
