// Contribution margins: what stays of an order's value, where it is not the same for all that a shop sells or for all
// customers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace clientele {

// The margin of a category, or of the customers of a segment, in millionths.
struct NamedMargin {
    std::string_view name;
    std::int64_t margin;
};

enum class MarginSource : std::uint8_t { store, segment, categories };

struct CustomerMargin {
    std::int64_t value = 0;  // millionths
    MarginSource source = MarginSource::store;
};

struct Margins {
    std::int64_t store = 0;                    // millionths
    std::span<const NamedMargin> by_category;  // ascending by name, as are those of segments
    std::span<const NamedMargin> by_segment;

    std::int64_t of_category(std::string_view category) const;
    // Of a customer of whose basket nothing is known.
    CustomerMargin of_segment(std::string_view segment) const;
    bool differ() const { return !by_category.empty() || !by_segment.empty(); }
};

// The margin of what a customer buys: that of each category, weighted with what was spent in it.
class BasketMargin {
  public:
    explicit BasketMargin(const Margins& margins) : margins_(margins) {}

    // An amount of 1/10,000 of the currency, below 10^17; where more came back than was spent it is nothing.
    void add(std::string_view category, std::int64_t amount);
    // Whether anything was spent.
    bool known() const { return spent_ > 0; }
    // Rounded half up; needs to be known.
    CustomerMargin margin() const;

  private:
    const Margins& margins_;
    __int128 spent_ = 0;
    __int128 earned_ = 0;  // in millionths of the unit of the amounts
};

}  // namespace clientele
