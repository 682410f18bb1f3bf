// Long computations that can be cancelled.
#pragma once

#include "pg/kit/boundary.hpp"

#include "pg/kit/postgres.hpp"

namespace clientele {

namespace detail {
// What an interrupt raised, on its way out of the core.
struct Interrupted {
    ErrorData* error;
};
}  // namespace detail

// Handles what is asked of the backend. Only within think_interruptibly(): where that raises an ERROR, this throws.
void poll_interrupts();

// think() for a body, or for what it calls, that polls for interrupts.
template <class Body>
void think_interruptibly(Body&& body) {
    ErrorData* error = nullptr;
    think([&] {
        try {
            body();
        } catch (const detail::Interrupted& interrupted) {
            error = interrupted.error;
        }
    });
    if (error) ReThrowError(error);
}

}  // namespace clientele
