#include "core/basket/baskets.hpp"

#include <limits>

#include "core/base/error.hpp"

namespace clientele {

void Baskets::add_line(std::string_view product) {
    const std::uint32_t number = number_of(product);
    if (seen_in_[number] == order_) return;
    seen_in_[number] = order_;
    if (basket_.size() <= most_) basket_.push_back(number);
}

void Baskets::end_order() {
    if (basket_.size() > most_) {
        ++left_out_;
    } else if (!basket_.empty()) {
        count();
    }
    basket_.clear();
    ++order_;
}

void Baskets::count() {
    ++counted_;
    for (const std::uint32_t product : basket_) {
        ++totals_[product].baskets;
        totals_[product].partners += basket_.size() - 1;
    }
    if (basket_.size() < 2) return;
    written_.push_back(static_cast<std::uint32_t>(basket_.size()));
    written_.insert(written_.end(), basket_.begin(), basket_.end());
}

std::uint32_t Baskets::number_of(std::string_view product) {
    if (const auto known = numbers_.find(product); known != numbers_.end()) return known->second;
    if (names_.size() == std::numeric_limits<std::uint32_t>::max()) {
        throw Error(ErrorKind::numeric_range, "too many products");
    }
    const auto number = static_cast<std::uint32_t>(names_.size());
    names_.push_back(numbers_.emplace(product, number).first->first);
    totals_.emplace_back();
    seen_in_.push_back(0);
    return number;
}

}  // namespace clientele
