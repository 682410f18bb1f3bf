#include "simulated_shop.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>

#include "core/offer/ladder.hpp"

namespace clientele {
namespace {

constexpr double omega = 0.03;  // by how much raised orders exceed the threshold, in the mean
constexpr double median_value = 45, sd_between = 0.55;
constexpr double orders_a_day = 10.0 / 365, rate_shape = 0.8;
constexpr double most_rewarding = 2;  // times the usual reward, for more orders

// ---- random numbers, the same on every platform ----

// Marsaglia's polar method.
double normal(Random& random) {
    for (;;) {
        const double u = 2 * random.uniform() - 1, v = 2 * random.uniform() - 1, square = u * u + v * v;
        if (square < 1 && square > 0) return u * std::sqrt(-2 * std::log(square) / square);
    }
}

double exponential(Random& random) { return -std::log1p(-random.uniform()); }

// Marsaglia and Tsang (2000).
double gamma(Random& random, double shape) {
    if (shape < 1) return gamma(random, shape + 1) * std::pow(1 - random.uniform(), 1 / shape);
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal(random), v = std::pow(1 + c * x, 3);
        if (v > 0 && std::log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
}

double beta(Random& random, double one, double other) {
    const double x = gamma(random, one), y = gamma(random, other);
    return x / (x + y);
}

std::int64_t poisson(Random& random, double mean) {
    std::int64_t count = -1;
    for (double time = 0; time <= mean; time += exponential(random)) ++count;
    return count;
}

double cents(double amount) { return std::max(std::round(amount * 100) / 100, 0.01); }

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double cv_of(const std::vector<double>& values) {
    if (values.size() < 2) return std::nan("");
    const auto n = static_cast<double>(values.size());
    double mean = 0, squares = 0;
    for (const double value : values) mean += value / n;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / (n - 1)) / mean;
}

Summary summary_of(const std::vector<double>& values) {
    Summary summary;
    for (const double value : values) {
        summary.recent[summary.recent_count++].amount = std::llround(value * money_units);
    }
    return summary;
}

double logit(double share) { return std::log(share / (1 - share)); }
double logistic(double t) { return 1 / (1 + std::exp(-t)); }

// The shapes of orders beside the usual one, as shifts of mu and scales of sigma.
struct Component {
    double weight, shift, scale;
};
constexpr Component one_kind[] = {{1, 0, 1}};
constexpr Component two_kinds[] = {{0.8, -0.4, 0.8}, {0.2, 1.6, 1}};

std::span<const Component> components(const ShopKind& kind) {
    if (kind.two_kinds) return two_kinds;
    return one_kind;
}

ShopKind medium(const char* name) {
    ShopKind kind;
    kind.name = name;
    kind.chance = {0.12, 0.12, 0.12};
    kind.b = {2, 2, 2};
    kind.c = {0.8, 0.8, 0.8};
    kind.more_orders = {0.002, 0.002, 0.002};
    return kind;
}

ShopKind with_chance(const char* name, double chance, double c, double more_orders) {
    ShopKind kind = medium(name);
    kind.chance.fill(chance);
    kind.c.fill(c);
    kind.more_orders.fill(more_orders);
    return kind;
}

ShopKind subsidy() {
    ShopKind kind = with_chance("subsidy", 0.04, 0.4, 0);
    kind.b.fill(2.5);
    kind.q = 1;
    kind.cv_from = 0.3;
    kind.cv_shape = 2;
    kind.cv_other_shape = 1.4;
    return kind;
}

ShopKind mixed_segments() {
    ShopKind kind = medium("mixed segments");
    kind.chance = {0.01, 0.12, 0.45};
    kind.b = {2.5, 2, 1.7};
    kind.c = {0.3, 0.8, 1};
    kind.more_orders = {0, 0.002, 0.004};
    return kind;
}

std::vector<ShopKind> all_kinds() {
    std::vector<ShopKind> kinds = {with_chance("weak", 0.04, 0.6, 0.001), medium("medium"),
                                   with_chance("strong", 0.30, 1, 0.003), subsidy(), mixed_segments()};
    kinds.push_back(medium("linear in the gap"));
    kinds.back().answer = Answer::linear_gap;
    kinds.push_back(with_chance("40 % attentive", 0.30, 0.8, 0.002));
    kinds.back().attentive = 0.4;
    kinds.push_back(medium("two kinds of orders"));
    kinds.back().two_kinds = true;
    kinds.push_back(medium("half displaced"));
    kinds.back().displaced = 0.5;
    kinds.push_back(medium("one more order in 100"));
    kinds.back().even_more_orders = 0.01;
    kinds.push_back(with_chance("as the model", 0.20, 0.8, 0));
    kinds.back().answer = Answer::model;
    kinds.back().attentive = 0.7;
    return kinds;
}

// Two panels, since the answer is steep near the threshold.
using Rule = boost::math::quadrature::gauss<double, 40>;
constexpr double farthest = 7, steep_from = 0.55;

// Calls f(z, weight) for the nodes of the integral from -farthest to top.
template <class Function>
void for_each_node(double top, Function&& f) {
    const double width = std::max(std::min(top, farthest) + farthest, 0.0);
    const std::pair<double, double> panels[] = {{0, steep_from}, {steep_from, 1}};
    for (const auto& [from, to] : panels) {
        const double half = 0.5 * (to - from) * width, middle = -farthest + 0.5 * (from + to) * width;
        for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
            const double place = half * Rule::abscissa()[i], weight = half * Rule::weights()[i];
            f(middle - place, weight);
            f(middle + place, weight);
        }
    }
}

double density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); }

}  // namespace

const std::vector<ShopKind>& shop_kinds() {
    static const std::vector<ShopKind> kinds = all_kinds();
    return kinds;
}

SimulatedShop::SimulatedShop(const ShopKind& kind, int customers, std::uint64_t seed) : kind_(kind) {
    Random random(seed, 1);
    for (int i = 0; i < customers; ++i) shoppers_.push_back(draw_shopper(random));
    add_knowledge();
}

Shopper SimulatedShop::draw_shopper(Random& random) const {
    Shopper shopper;
    const double place = random.uniform();
    shopper.segment = place < 0.5 ? 0 : place < 0.8 ? 1 : 2;
    const double cv =
        kind_.cv_from + (kind_.cv_to - kind_.cv_from) * beta(random, kind_.cv_shape, kind_.cv_other_shape);
    shopper.truth.sigma = std::sqrt(std::log1p(cv * cv));
    const double mean = median_value * std::exp(sd_between * normal(random));
    shopper.truth.mu = std::log(mean) - shopper.truth.sigma * shopper.truth.sigma / 2;
    shopper.rate = gamma(random, rate_shape) * orders_a_day / rate_shape;
    shopper.orders = poisson(random, shopper.rate * history_days);
    const auto kept = std::min<std::int64_t>(shopper.orders, recent_capacity);
    for (std::int64_t i = 0; i < kept; ++i) shopper.last_values.push_back(draw_value(shopper, random));
    shopper.cv = cv_of(shopper.last_values);
    return shopper;
}

// What a store would know: reference values, and each customer's orders by those of all.
void SimulatedShop::add_knowledge() {
    ValueSums sums;
    std::vector<double> values;
    double mean = 0, squares = 0;
    const auto n = static_cast<double>(shoppers_.size());
    for (const Shopper& shopper : shoppers_) {
        sums.add(log_values(summary_of(shopper.last_values)));
        values.insert(values.end(), shopper.last_values.begin(), shopper.last_values.end());
        mean += static_cast<double>(shopper.orders) / n;
    }
    for (const Shopper& shopper : shoppers_) {
        squares += (static_cast<double>(shopper.orders) - mean) * (static_cast<double>(shopper.orders) - mean);
    }
    prior_ = sums.prior().value();
    rate_ = order_rate(mean, squares / (n - 1), history_days);
    median_ = median_of(std::move(values));
    for (Shopper& shopper : shoppers_) know(shopper);
}

void SimulatedShop::know(Shopper& shopper) const {
    shopper.reference = shopper.orders >= 3  ? median_of(shopper.last_values)
                        : shopper.orders > 0 ? shopper.last_values.front()
                                             : median_;
    shopper.known = {order_value(log_values(summary_of(shopper.last_values)), prior_),
                     rate_.expected(horizon_days, static_cast<double>(shopper.orders)), shopper.segment, shop_margin};
}

void SimulatedShop::remember(std::size_t which, const std::vector<ResponseOrder>& orders) {
    Shopper& shopper = shoppers_[which];
    for (const ResponseOrder& order : orders) {
        shopper.last_values.insert(shopper.last_values.begin(), order.value);
        ++shopper.orders;
    }
    if (shopper.last_values.size() > recent_capacity) shopper.last_values.resize(recent_capacity);
    shopper.cv = cv_of(shopper.last_values);
    know(shopper);
}

std::vector<SimulatedShop::Part> SimulatedShop::parts_of(const Shopper& shopper) const {
    std::vector<Part> parts;
    for (const auto& [weight, shift, scale] : components(kind_)) {
        parts.push_back({weight, {shopper.truth.mu + shift * shopper.truth.sigma, scale * shopper.truth.sigma}});
    }
    return parts;
}

double SimulatedShop::draw_value(const Shopper& shopper, Random& random) const {
    const auto all = components(kind_);
    const Component& part = all.size() > 1 && random.uniform() >= all[0].weight ? all[1] : all[0];
    return cents(std::exp(shopper.truth.mu + shopper.truth.sigma * (part.shift + part.scale * normal(random))));
}

double SimulatedShop::raise_chance(const Shopper& shopper, double x, const OfferTerms& terms) const {
    const auto s = static_cast<std::size_t>(shopper.segment);
    const double gap = std::max(terms.min_spend - x, 1e-12), chance = kind_.chance[s];
    switch (kind_.answer) {
        case Answer::gap_ratio:
            return kind_.attentive * logistic(logit(chance) - kind_.b[s] * std::log(gap / x / 0.4) +
                                              kind_.c[s] * std::log(terms.reward / gap / 0.15));
        case Answer::model:
            return kind_.attentive * logistic(logit(chance) - kind_.b[s] * (gap / x / 0.4 - 1) +
                                              kind_.c[s] * std::log(terms.reward / terms.min_spend / 0.05));
        default:
            return std::clamp(
                chance + 0.6 * (0.4 - gap / x) + 0.25 * kind_.c[s] * (std::min(terms.reward / gap, 1.0) - 0.15), 0.0,
                1.0);
    }
}

double SimulatedShop::extra_orders(const Shopper& shopper, const OfferTerms& terms) const {
    const double median = std::exp(shopper.truth.mu);
    const double reward = std::min(terms.reward / median / 0.07, most_rewarding);
    const double usual = kind_.more_orders[static_cast<std::size_t>(shopper.segment)];
    return reward * (usual * std::min(1.0, std::pow(median / terms.min_spend, 3)) + kind_.even_more_orders);
}

std::vector<double> SimulatedShop::true_profits(const Shopper& shopper, double min_spend,
                                                const std::vector<double>& rewards) const {
    const double raised_to = min_spend * (1 + omega), lasting = shop_margin * (1 - kind_.displaced);
    std::vector<double> redeems(rewards.size()), gains(rewards.size());
    double mean = 0, worth = 0;
    for (const auto& [weight, value] : parts_of(shopper)) {
        const double natural = natural_share(value, min_spend);
        for_each_node((std::log(min_spend) - value.mu) / value.sigma, [&](double z, double node) {
            const double x = std::exp(value.mu + value.sigma * z), part = weight * node * density(z);
            for (std::size_t i = 0; i < rewards.size(); ++i) {
                const double raised = part * raise_chance(shopper, x, {min_spend, rewards[i]});
                redeems[i] += raised;
                gains[i] += raised * (lasting * (raised_to - x) - rewards[i]);
            }
        });
        for (std::size_t i = 0; i < rewards.size(); ++i) {
            redeems[i] += weight * kind_.q * natural;
            gains[i] -= weight * kind_.q * natural * rewards[i];
        }
        const double own = std::exp(value.mu + value.sigma * value.sigma / 2);
        const OrderValue by_amount{value.mu + value.sigma * value.sigma, value.sigma};
        mean += weight * own;
        worth +=
            weight * (raised_to * (1 - natural_share(value, raised_to)) + own * natural_share(by_amount, raised_to));
    }
    std::vector<double> profits(rewards.size());
    for (std::size_t i = 0; i < rewards.size(); ++i) {
        const double more = extra_orders(shopper, {min_spend, rewards[i]}), own = shopper.rate * horizon_days;
        const double total = own + more, share = more / std::max(total, 1e-300);
        const double redeem = (1 - share) * redeems[i] + share;
        const double gain = (1 - share) * gains[i] + share * (shop_margin * (worth - mean) - rewards[i]);
        const double open = redeem > 1e-12 ? -std::expm1(-total * redeem) / redeem : total;
        profits[i] = more * shop_margin * mean + gain * open;
    }
    return profits;
}

double SimulatedShop::true_profit(const Shopper& shopper, const OfferTerms& terms) const {
    return terms.reward > 0 ? true_profits(shopper, terms.min_spend, {terms.reward})[0] : 0;
}

double SimulatedShop::contribution(const Shopper& shopper) const {
    double mean = 0;
    for (const auto& [weight, value] : parts_of(shopper)) {
        mean += weight * std::exp(value.mu + value.sigma * value.sigma / 2);
    }
    return shop_margin * mean * shopper.rate * horizon_days;
}

void SimulatedShop::append_orders(const Exposure& exposure, Random& random, std::vector<ResponseOrder>& orders) const {
    const Shopper& shopper = shoppers_[exposure.shopper];
    const bool offered = exposure.offered();
    const std::int64_t own = poisson(random, shopper.rate * horizon_days);
    std::int64_t more = offered ? poisson(random, extra_orders(shopper, exposure.terms)) : 0, left = own + more;
    bool open = offered;
    double missing = 0;
    for (; left > 0; --left) {
        // Extra orders are anywhere among the others.
        const bool extra = random.uniform() * static_cast<double>(left) < static_cast<double>(more);
        more -= extra;
        ResponseOrder order;
        order.known = shopper.known.value;
        order.terms = exposure.terms;
        order.segment = shopper.segment;
        order.arm = exposure.arm;
        order.customer = static_cast<std::int64_t>(exposure.shopper);
        order.open = open;
        order.value = cents(draw_value(shopper, random) - missing);
        missing = 0;
        const double natural = order.value;
        if (open && natural >= exposure.terms.min_spend) {
            order.redeemed = extra || random.uniform() < kind_.q;
        } else if (open && (extra || random.uniform() < raise_chance(shopper, natural, exposure.terms))) {
            order.redeemed = true;
            order.value =
                std::max(cents(exposure.terms.min_spend * (1 + omega * exponential(random))), exposure.terms.min_spend);
            missing = kind_.displaced * (order.value - natural);
        }
        open = open && !order.redeemed;
        orders.push_back(order);
    }
}

double rung_above_or_at(double amount) {
    return static_cast<double>(ladder_rung(static_cast<std::int64_t>(std::ceil(amount - 1e-9))));
}

double reward_at(double rate, double min_spend) { return std::floor(rate * min_spend * 100 + 1e-7) / 100; }

OfferTerms stretched_terms(const Shopper& shopper, double stretch, double rate) {
    const double min_spend = rung_above_or_at(stretch * shopper.reference);
    return {min_spend, reward_at(rate, min_spend)};
}

namespace {
// Never more than half the margin on what is asked for beyond the reference value.
OfferTerms within_half_margin(const Shopper& shopper, OfferTerms terms) {
    const double most = 0.5 * shop_margin * (terms.min_spend - shopper.reference);
    terms.reward = std::floor(std::min(terms.reward, most) * 100 + 1e-7) / 100;
    return terms.reward > 0 ? terms : OfferTerms{};
}
}  // namespace

OfferTerms default_terms(const Shopper& shopper) {
    if (shopper.orders >= 3 && shopper.cv > 0.45) return {};
    return within_half_margin(shopper, stretched_terms(shopper, 1.4, 0.05));
}

OfferTerms spread_terms(const Shopper& shopper) {
    const auto& [mu, sigma] = shopper.known.value;
    const double least = static_cast<double>(rung_above(static_cast<std::int64_t>(std::floor(shopper.reference))));
    const double min_spend = std::max(rung_above_or_at(std::exp(mu + 2 * sigma)), least);
    return within_half_margin(shopper, {min_spend, reward_at(0.02, min_spend)});
}

std::vector<double> rungs_between(double from, double to) {
    std::vector<double> rungs;
    for (double rung = rung_above_or_at(from); rung <= to; rung = rung_above_or_at(rung + 1)) rungs.push_back(rung);
    return rungs;
}

}  // namespace clientele
