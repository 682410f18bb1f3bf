// Fitting purchase models by maximum likelihood.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/poll.hpp"
#include "core/score/maximum_likelihood.hpp"
#include "core/score/purchase_model.hpp"

namespace clientele {

// What every fit says of itself.
struct FitReport {
    double log_likelihood = 0;
    std::optional<Parameters> standard_errors;
    std::int64_t customers = 0;
    int iterations = 0;
    bool converged = false;
};

struct PurchaseFit {
    PurchaseModel model;
    FitReport report;
};

// The fit to these customers, at least one, in any order. Throws Error for a history that cannot be, and what poll
// throws.
PurchaseFit fit_purchases(PurchaseKind kind, std::span<const PurchaseHistory> histories, Poll poll = never_give_up);

// The log-likelihood of a model that need not have been fitted to these customers. Of histories that go on from others,
// less that of the others, it is that of what came after them. Throws Error for a history that cannot be, and what poll
// throws.
double log_likelihood(const PurchaseModel& model, std::span<const PurchaseHistory> histories,
                      Poll poll = never_give_up);

}  // namespace clientele
