#include "core/offer/margin.hpp"

#include <algorithm>

namespace clientele {
namespace {

const NamedMargin* find(std::span<const NamedMargin> margins, std::string_view name) {
    const auto found = std::lower_bound(margins.begin(), margins.end(), name,
                                        [](const NamedMargin& one, std::string_view key) { return one.name < key; });
    return found != margins.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

std::int64_t Margins::of_category(std::string_view category) const {
    const NamedMargin* found = find(by_category, category);
    return found != nullptr ? found->margin : store;
}

CustomerMargin Margins::of_segment(std::string_view segment) const {
    const NamedMargin* found = find(by_segment, segment);
    if (found == nullptr) return {store, MarginSource::store};
    return {found->margin, MarginSource::segment};
}

void BasketMargin::add(std::string_view category, std::int64_t amount) {
    if (amount <= 0) return;
    spent_ += amount;
    earned_ += static_cast<__int128>(amount) * margins_.of_category(category);
}

CustomerMargin BasketMargin::margin() const {
    return {static_cast<std::int64_t>((2 * earned_ + spent_) / (2 * spent_)), MarginSource::categories};
}

}  // namespace clientele
