// The one place where C++ exceptions and PostgreSQL's errors meet.
//
// An SQL-callable function reads its arguments (backend calls, no object with a destructor alive), thinks
// (core code inside think(), no backend call), and builds its result from plain data.
#pragma once

#include <type_traits>

namespace clientele {

namespace detail {
// Runs body(context); true when it returned. Otherwise what it threw is kept for raise_failure().
bool run_caught(void (*body)(void*), void* context) noexcept;
// Reports what run_caught() kept, as an ERROR with the SQLSTATE that fits. No exception is alive any more.
[[noreturn]] void raise_failure();
}  // namespace detail

// The firewall: whatever the core throws becomes a PostgreSQL error after the handler was left.
template <class Body>
void think(Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    static_assert(std::is_trivially_destructible_v<Plain>, "capture by reference, and plain data only");
    if (!detail::run_caught([](void* context) { (*static_cast<Plain*>(context))(); }, &body)) {
        detail::raise_failure();
    }
}

}  // namespace clientele
