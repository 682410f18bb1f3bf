// The maximum of a log-likelihood over a few positive parameters, and how sure it is.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace clientele {

using Parameters = std::array<double, 4>;  // models with fewer leave the rest alone

// A log-likelihood and its derivatives at a point. The Hessian is symmetric: its lower triangle counts.
struct Derivatives {
    double value = 0;
    Parameters gradient{};
    std::array<Parameters, 4> hessian{};
};

class LogLikelihood {
  public:
    virtual ~LogLikelihood() = default;
    virtual std::size_t dimensions() const = 0;
    // How many observations it is the sum of.
    virtual double observations() const = 0;
    // The Hessian may be left out where it is not wanted.
    virtual Derivatives at(const Parameters& parameters, bool with_hessian) const = 0;
};

struct Maximum {
    Parameters parameters{};
    double log_likelihood = 0;
    std::optional<Parameters> standard_errors;  // from the observed information; none where it is not positive definite
    int iterations = 0;                         // evaluations of the likelihood
    bool converged = false;  // an interior maximum: gradient zero, curvature negative in all directions
};

// Climbs from the most likely of the starts, and from more of them where that does not lead to a maximum. Parameters
// are sought from 1e-6 to 1e6, so data should be in units that make them moderate. A rough likelihood, of a sample of
// the observations, saves time: where it has a maximum the search for that of all starts there; where it has none, and
// decides, neither have all.
Maximum maximise(const LogLikelihood& likelihood, std::span<const Parameters> starts,
                 const LogLikelihood* rough = nullptr, bool rough_decides = false);

}  // namespace clientele
