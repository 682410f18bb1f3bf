// A shop whose customers are known: what they would spend, and what an offer does to that.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/response/order_rate.hpp"
#include "core/response/order_value.hpp"
#include "core/response/response.hpp"
#include "core/response/response_fit.hpp"
#include "core/response/response_profit.hpp"

namespace clientele {

inline constexpr double horizon_days = 14;
inline constexpr double history_days = 365;
inline constexpr double shop_margin = 0.30;

// How an order below the threshold answers, x being what it would have been, g the gap and r the reward.
enum class Answer {
    gap_ratio,   // log odds fall with ln(g / x) and rise with ln(r / g)
    model,       // as the response model has it
    linear_gap,  // the probability itself is linear in g / x and r / g
};

struct ShopKind {
    std::string name;
    Answer answer = Answer::gap_ratio;
    std::array<double, 3> chance{};  // to raise at a gap of 40 % and a reward of 15 % of it, by segment
    std::array<double, 3> b{}, c{};
    std::array<double, 3> more_orders{};  // at a reward of 7 % of the median order; fewer for high thresholds
    double q = 0.9;                       // who reaches the threshold redeems
    double attentive = 1;                 // the share that pays attention at all
    double even_more_orders = 0;          // in proportion to the reward, whatever the threshold
    double displaced = 0;                 // of what is added, missing from the next order
    bool two_kinds = false;               // one order in five is of another, larger kind
    double cv_from = 0.10, cv_to = 0.80, cv_shape = 1.6, cv_other_shape = 1.6;
};

// The shops that the model is held against: the five first, then those that it is wrong about, and one that it is
// right about.
const std::vector<ShopKind>& shop_kinds();

struct Shopper {
    OrderValue truth;  // of one order, where there is one kind of it
    double rate = 0;   // orders a day
    std::int32_t segment = 0;
    std::int64_t orders = 0;          // in the history
    std::vector<double> last_values;  // of the last 8, the newest first
    double reference = 0, cv = 0;     // as offers see them; no cv below two orders
    Prospect known;                   // what the history says
};

// What an exposure was given; nothing where it was held out.
struct Exposure {
    std::size_t shopper = 0;
    OfferTerms terms;
    std::int32_t arm = -1;

    bool offered() const { return terms.reward > 0; }
};

class SimulatedShop {
  public:
    SimulatedShop(const ShopKind& kind, int customers, std::uint64_t seed);

    const ShopKind& kind() const { return kind_; }
    const std::vector<Shopper>& shoppers() const { return shoppers_; }

    // The true profit of an offer over the horizon beyond none, for each reward.
    std::vector<double> true_profits(const Shopper& shopper, double min_spend,
                                     const std::vector<double>& rewards) const;
    double true_profit(const Shopper& shopper, const OfferTerms& terms) const;
    // Of a customer's orders in the horizon without an offer.
    double contribution(const Shopper& shopper) const;

    // Orders that were placed become part of what is known of a shopper.
    void remember(std::size_t shopper, const std::vector<ResponseOrder>& orders);

    // The orders of the horizon of an exposure, in order.
    void append_orders(const Exposure& exposure, Random& random, std::vector<ResponseOrder>& orders) const;

  private:
    struct Part {
        double weight;
        OrderValue value;
    };
    std::vector<Part> parts_of(const Shopper& shopper) const;
    double draw_value(const Shopper& shopper, Random& random) const;
    double raise_chance(const Shopper& shopper, double x, const OfferTerms& terms) const;
    double extra_orders(const Shopper& shopper, const OfferTerms& terms) const;
    Shopper draw_shopper(Random& random) const;
    void add_knowledge();
    void know(Shopper& shopper) const;

    const ShopKind& kind_;
    std::vector<Shopper> shoppers_;
    // Of all of them, at first.
    ValuePrior prior_;
    OrderRate rate_;
    double median_ = 0;
};

// Thresholds and rewards of the ways to set terms.
OfferTerms stretched_terms(const Shopper& shopper, double stretch, double rate);
OfferTerms default_terms(const Shopper& shopper);
OfferTerms spread_terms(const Shopper& shopper);
std::vector<double> rungs_between(double from, double to);
double rung_above_or_at(double amount);
double reward_at(double rate, double min_spend);

}  // namespace clientele
