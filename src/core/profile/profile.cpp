#include "core/profile/profile.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

#include "core/base/error.hpp"
#include "core/base/format.hpp"

namespace clientele {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
// 10,000 squares of less than 10^34 fit in 128 bits; then they move to the wide sum.
constexpr int squares_a_batch = 10'000;

void count_day(Profile& profile, Day day, Money amount) {
    if (profile.days.empty() || profile.days.back() != day) profile.days.push_back(day);
    if (day == profile.days.front()) profile.first_day_total += amount;
}

void add_orders(Profile& profile, std::span<const Order> sorted, const Zone& zone) {
    unsigned __int128 squares = 0;
    int batched = 0;
    for (const Order& order : sorted) {
        if (order.amount < 0) {
            ++profile.refunds;
            profile.refunded -= order.amount;
            continue;
        }
        const Instant local = zone.local(order.at);
        const Day day = day_of(local);
        ++profile.orders;
        profile.evening_orders += local - day * microseconds_a_day >= 18 * microseconds_an_hour;
        profile.weekend_orders += is_weekend(day);
        profile.gross += order.amount;
        squares += static_cast<unsigned __int128>(order.amount) * static_cast<unsigned __int128>(order.amount);
        if (++batched == squares_a_batch) {
            profile.squares += squares;
            squares = 0;
            batched = 0;
        }
        count_day(profile, day, order.amount);
    }
    profile.squares += squares;
}

// The last orders of a sorted run that has `orders` orders among its refunds.
void keep_recent(Profile& profile, std::span<const Order> sorted) {
    profile.recent_count = static_cast<int>(std::min<std::int64_t>(profile.orders, recent_capacity));
    int slot = profile.recent_count;
    for (auto order = sorted.rbegin(); slot > 0; ++order) {
        if (order->amount >= 0) profile.recent[--slot] = *order;
    }
}

void close_days(Profile& profile) {
    profile.purchase_days = static_cast<std::int64_t>(profile.days.size());
    if (profile.days.empty()) return;
    profile.first_day = profile.days.front();
    profile.last_day = profile.days.back();
}

void merge_first(Profile& profile, const Profile& other) {
    if (other.first_day < profile.first_day) {
        profile.first_day_total = other.first_day_total;
    } else if (other.first_day == profile.first_day) {
        profile.first_day_total += other.first_day_total;
    }
    profile.first_at = std::min(profile.first_at, other.first_at);
}

void merge_recent(Profile& profile, const Profile& other) {
    Order both[2 * recent_capacity];
    Order* end = std::merge(profile.recent, profile.recent + profile.recent_count, other.recent,
                            other.recent + other.recent_count, both);
    profile.recent_count = static_cast<int>(std::min<std::ptrdiff_t>(end - both, recent_capacity));
    std::copy(end - profile.recent_count, end, profile.recent);
}

void merge_days(Profile& profile, const Profile& other) {
    decltype(profile.days) both;
    both.reserve(profile.days.size() + other.days.size());
    std::set_union(profile.days.begin(), profile.days.end(), other.days.begin(), other.days.end(),
                   std::back_inserter(both));
    profile.days = std::move(both);
    close_days(profile);
}

// sd / mean from n, Σx and Σx²: sqrt(n (n Σx² − (Σx)²) / (n − 1)) / Σx, exact up to the last step.
template <class Wide>
double coefficient_of_variation(std::int64_t n, const Wide& sum, const Wide& squares) {
    if (n < 2 || sum == 0) return unknown;
    const Wide spread = Wide(n) * squares - sum * sum;
    const auto count = static_cast<double>(n);
    return std::sqrt(count * static_cast<double>(spread) / (count - 1)) / static_cast<double>(sum);
}

}  // namespace

Profile profile_of(std::span<Order> orders, int scale, const Zone& zone) {
    if (!std::is_sorted(orders.begin(), orders.end())) std::sort(orders.begin(), orders.end());
    Profile profile;
    profile.scale = scale;
    add_orders(profile, orders, zone);
    keep_recent(profile, orders);
    close_days(profile);
    if (profile.orders > 0) {
        profile.first_at =
            std::find_if(orders.begin(), orders.end(), [](const Order& order) { return order.amount >= 0; })->at;
    }
    return profile;
}

void merge(Profile& profile, const Profile& other) {
    profile.scale = std::max(profile.scale, other.scale);
    profile.refunds += other.refunds;
    profile.refunded += other.refunded;
    if (other.orders > 0 && profile.orders > 0) {
        merge_first(profile, other);
    } else if (other.orders > 0) {
        profile.first_at = other.first_at;
        profile.first_day_total = other.first_day_total;
    }
    profile.orders += other.orders;
    profile.evening_orders += other.evening_orders;
    profile.weekend_orders += other.weekend_orders;
    profile.gross += other.gross;
    profile.squares += other.squares;
    if (profile.orders > max_count || profile.refunds > max_count) {
        throw Error(ErrorKind::numeric_range, "too many orders in one profile",
                    fmt::format("A profile counts at most {} orders.", max_count));
    }
    merge_recent(profile, other);
    merge_days(profile, other);
}

bool Summary::has_ties() const {
    return std::any_of(recent, recent + recent_count, [](const Order& order) { return order.tie != no_tie; });
}

std::int64_t typical_value(const Summary& profile) {
    Money values[recent_capacity];
    const int count = profile.recent_count;
    for (int i = 0; i < count; ++i) values[i] = profile.recent[i].amount;
    std::partial_sort(values, values + count, values + count);
    return 5 * (values[(count - 1) / 2] + values[count / 2]);
}

double typical_cv(const Summary& profile) {
    __int128 sum = 0;
    __int128 squares = 0;
    for (int i = 0; i < profile.recent_count; ++i) {
        const __int128 amount = profile.recent[i].amount;
        sum += amount;
        squares += amount * amount;
    }
    return coefficient_of_variation<__int128>(profile.recent_count, sum, squares);
}

double order_value_cv(const Summary& profile) {
    return coefficient_of_variation<Squares>(profile.orders, Squares(profile.gross), profile.squares);
}

double mean_gap(const Summary& profile) {
    if (profile.purchase_days < 2) return unknown;
    return static_cast<double>(profile.last_day - profile.first_day) / static_cast<double>(profile.purchase_days - 1);
}

double median_gap(const Profile& profile) {
    if (profile.days.size() < 2) return unknown;
    boost::container::small_vector<Day, 64> gaps(profile.days.size());
    std::adjacent_difference(profile.days.begin(), profile.days.end(), gaps.begin());
    const auto first = gaps.begin() + 1;  // the first difference is the first day itself
    const auto count = gaps.end() - first;
    const auto upper = first + count / 2;
    std::nth_element(first, upper, gaps.end());
    if (count % 2 == 1) return *upper;
    return (static_cast<double>(*std::max_element(first, upper)) + *upper) / 2;
}

std::int64_t purchase_days_within(const Profile& profile, std::int64_t days, Day today) {
    if (days < 0) {
        throw Error(ErrorKind::invalid_parameter, "days must not be negative", "It is " + std::to_string(days) + ".",
                    "Name how many calendar days count, that of as_of included: 30 for the last 30 days.");
    }
    const auto end = std::upper_bound(profile.days.begin(), profile.days.end(), today);
    return end - std::upper_bound(profile.days.begin(), end, today - days);
}

}  // namespace clientele
