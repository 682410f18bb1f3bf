// BG/NBD: Fader, Hardie and Lee (2005), Marketing Science 24(2). MBG/NBD: Batislam, Denizel and Filiztekin (2007).
// Pareto/NBD: Schmittlein, Morrison and Colombo (1987); Fader and Hardie (2005), "A note on deriving the Pareto/NBD
// model". Gamma-Gamma: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value".
//
// All three purchase models have one shape. The history decides between a customer who was lost at the last purchase
// or since and one who is alive; their odds give P(alive). Who is alive at T has purchase and dropout rates of the
// same families as the population's, with updated parameters, and so a rate g(t) of purchases a time t later, which
// the expected and the discounted expected purchases integrate.
#include "core/score/prediction.hpp"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cfloat>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "core/base/error.hpp"
#include "core/score/hypergeometric.hpp"

namespace clientele {
namespace {

constexpr double days_a_year = 365;
constexpr double negligible = 1e-20;  // of an integrand that starts at 1
constexpr double tolerance = 1e-9;    // of the embedded Gauss rule; Kronrod's is exact to rounding then
constexpr std::size_t most_panels = 16;
constexpr int most_fruitless = 3;  // halvings that hardly lessen the error: what is left is rounding
constexpr double largest_amount = 1e15;

// A part of the range of an integral.
struct Panel {
    double from, to, value, error;
};

// (T + offset) / (t_x + offset), as a logarithm.
double log_ratio(const PurchaseHistory& history, double offset) {
    return std::log1p((history.age - history.last_purchase_age) / (offset + history.last_purchase_age));
}

// Odds of having been lost: eq. (8) of Fader, Hardie and Lee's note "Computing P(alive) using the BG/NBD model" (2008).
double bgnbd_lost_odds(const std::array<double, 4>& parameters, const PurchaseHistory& history) {
    const auto [r, alpha, a, b] = parameters;
    const double x = history.repeat_purchases;
    if (x == 0) return 0;
    return a / (b + x - 1) * std::exp((r + x) * log_ratio(history, alpha));
}

// As with the BG/NBD, where a customer may be lost after the first purchase, too.
double mbgnbd_lost_odds(const std::array<double, 4>& parameters, const PurchaseHistory& history) {
    const auto [r, alpha, a, b] = parameters;
    const double x = history.repeat_purchases;
    return a / (b + x) * std::exp((r + x) * log_ratio(history, alpha));
}

// Schmittlein et al.'s (A1), (A2), as s/(r+s+x) (Q H(t_x) - H(T)): Euler's transformation makes one form of the two
// for alpha above and below beta, and takes the powers, which would overflow, out of H.
double pareto_nbd_lost_odds(const std::array<double, 4>& parameters, const PurchaseHistory& history) {
    const auto [r, alpha, s, beta] = parameters;
    const double x = history.repeat_purchases;
    const auto h = [&, alpha = alpha, beta = beta, c = r + s + x + 1, rx = r + x](double t) {
        return hypergeometric_2f1(1, rx, c, (alpha - beta) / (alpha + t), (beta + t) / (alpha + t));
    };
    const double q = std::exp((r + x) * log_ratio(history, alpha) + s * log_ratio(history, beta));
    const double odds = s / (r + s + x) * (q * h(history.last_purchase_age) - h(history.age));
    return std::max(odds, 0.0);
}

double lost_odds(const PurchaseModel& model, const PurchaseHistory& history) {
    switch (model.kind) {
        case PurchaseKind::bgnbd:
            return bgnbd_lost_odds(model.parameters, history);
        case PurchaseKind::mbgnbd:
            return mbgnbd_lost_odds(model.parameters, history);
        case PurchaseKind::pareto_nbd:
            return pareto_nbd_lost_odds(model.parameters, history);
    }
    return std::numeric_limits<double>::quiet_NaN();
}

// A customer who is alive at T: the purchase rate is Gamma(r + x, alpha + T); the dropout probability is Beta(a, b'),
// b' = b + x (MBG/NBD: + 1), or the dropout rate Gamma(s, beta + T).
class Alive {
  public:
    Alive(const PurchaseModel& model, double x, double age) : kind_(model.kind) {
        const auto [r, alpha, a, b] = model.parameters;
        a_ = a;
        shape_ = r + x;
        mean_rate_ = shape_ / (alpha + age);
        if (kind_ == PurchaseKind::pareto_nbd) {
            scale_ = b + age;
            return;
        }
        const double first = kind_ == PurchaseKind::mbgnbd ? 1 : 0;
        scale_ = alpha + age;
        c_ = a + b + x + first;
    }

    // The integral of e^-(discount t) g(t) from 0 to h, over y = ln(1 + t / scale), in which g is smooth.
    double orders(const Outlook& outlook) const {
        const auto integrand = [&](double y) {
            return std::exp(y - outlook.discount_rate * scale_ * std::expm1(y)) * relative_rate(y);
        };
        double end = std::log1p(std::min(outlook.horizon / scale_, DBL_MAX));
        while (end > 0 && integrand(end / 2) < negligible) end /= 2;
        return mean_rate_ * scale_ * integral(integrand, end);
    }

  private:
    // g(t) / g(0): what is left of the mean rate after t. With a dropout probability p it is the mean of
    // (1 + p t / (alpha + T))^-(r + x + 1).
    double relative_rate(double y) const {
        if (kind_ == PurchaseKind::pareto_nbd) return std::exp(-a_ * y);
        return hypergeometric_2f1(shape_ + 1, a_, c_, -std::expm1(y), std::exp(y));
    }

    // Halves the worst panel until the sum is exact, or as exact as the integrand is computed.
    template <class Integrand>
    static double integral(const Integrand& integrand, double end) {
        if (end == 0) return 0;
        std::array<Panel, most_panels> panels{panel(integrand, 0, end)};
        Panel sum = panels[0];
        int fruitless = 0;
        for (std::size_t count = 1;
             sum.error > tolerance * sum.value && count < most_panels && fruitless < most_fruitless; ++count) {
            Panel& left = *std::max_element(panels.begin(), panels.begin() + count, has_less_error);
            Panel& right = panels[count];
            const Panel whole = left;
            const double middle = whole.from + (whole.to - whole.from) / 2;
            left = panel(integrand, whole.from, middle);
            right = panel(integrand, middle, whole.to);
            if (left.error + right.error > whole.error / 2) ++fruitless;
            sum = total(std::span(panels).first(count + 1));
        }
        return sum.value;
    }

    template <class Integrand>
    static Panel panel(const Integrand& integrand, double from, double to) {
        Panel result{from, to, 0, 0};
        using Rule = boost::math::quadrature::gauss_kronrod<double, 15>;
        result.value = Rule::integrate(integrand, from, to, 0, 0, &result.error);
        return result;
    }

    static Panel total(std::span<const Panel> panels) {
        Panel sum{};
        for (const Panel& panel : panels) {
            sum.value += panel.value;
            sum.error += panel.error;
        }
        return sum;
    }

    static bool has_less_error(const Panel& one, const Panel& other) { return one.error < other.error; }

    PurchaseKind kind_;
    double a_ = 0;  // or s
    double mean_rate_ = 0;
    double scale_ = 0;
    double shape_ = 0;  // r + x
    double c_ = 0;      // a + b'
};

void require(bool accepted, const char* what, double value, const char* hint) {
    if (accepted) return;
    throw Error(ErrorKind::invalid_parameter, std::string(what) + " is out of range", "It is " + shown(value) + ".",
                hint);
}

}  // namespace

double p_alive(const PurchaseModel& model, const PurchaseHistory& history) {
    return 1 / (1 + lost_odds(model, history));
}

double orders_while_alive(const PurchaseModel& model, double repeat_purchases, double age, const Outlook& outlook) {
    return Alive(model, repeat_purchases, age).orders(outlook);
}

double expected_orders(const PurchaseModel& model, const PurchaseHistory& history, const Outlook& outlook) {
    return p_alive(model, history) * orders_while_alive(model, history.repeat_purchases, history.age, outlook);
}

// Fader and Hardie (2013), eq. (5): E(M | x, m) = p (v + m x) / (p x + q - 1).
double expected_order_value(const ValueModel& model, double repeat_purchases, double mean_value) {
    const auto [p, q, v] = model;
    const double x = repeat_purchases;
    if (!(p * x + q > 1)) return std::numeric_limits<double>::quiet_NaN();
    const double spent = x == 0 ? 0 : mean_value * x;
    return p * (v + spent) / (p * x + q - 1);
}

double daily_discount_rate(double annual_discount) { return std::log1p(annual_discount) / days_a_year; }

int days_held_out(int history_days) {
    const int third = history_days / 3;
    return third < 7 ? 0 : std::clamp(third, 14, 180);
}

std::vector<double> spread_over_periods(double total, std::span<const double> by_then) {
    std::vector<double> periods(by_then.size(), 0);
    const double most = by_then.empty() ? 0 : std::ranges::max(by_then);
    if (most == 0) return periods;
    double before = 0;
    for (std::size_t i = 0; i < by_then.size(); ++i) {
        periods[i] = (by_then[i] - before) / most * total;
        before = by_then[i];
    }
    return periods;
}

void check_horizon(double horizon) {
    require(horizon >= 0 && horizon <= largest_age, "horizon", horizon,
            "A horizon is from 0 to 1e15, in the unit of time that the model was fitted in.");
}

void check_mean_value(double mean_value) {
    require(mean_value >= 0 && mean_value <= largest_amount, "mean_value", mean_value,
            "A mean value is from 0 to 1e15.");
}

void check_margin(double margin) {
    require(margin >= 0 && margin <= 1, "margin", margin, "A margin is a share from 0 to 1.");
}

void check_annual_discount(double annual_discount) {
    require(std::isfinite(annual_discount) && annual_discount >= 0, "annual_discount", annual_discount,
            "An annual discount is finite and not negative; 0.10 is a tenth a year.");
}

}  // namespace clientele
