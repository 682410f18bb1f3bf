#include "core/offer/budget_slots.hpp"

#include "core/base/error.hpp"

namespace clientele {

std::int64_t slot_share(std::int64_t units, int slots, int slot) {
    if (slots < 1 || slot < 0 || slot >= slots) {
        throw Error(ErrorKind::invalid_parameter, "there is no such slot", "", "Slots are counted from 0.");
    }
    const std::int64_t over = units % slots;
    return units / slots + (slot >= slots - over ? 1 : 0);  // the last slots have what is over
}

bool is_nearly_spent(double remaining, double budget) {
    constexpr double little = 0.1;
    return remaining < little * budget;
}

}  // namespace clientele
