"""The fit of BG/NBD that a careful analyst writes with numpy and scipy: fit_bgnbd.py FILE

FILE has three columns of doubles in binary, one after the other: x, t_x, T. Prints the seconds of the fit alone, with its
standard errors but without reading the file, then the log-likelihood and the parameters r, alpha, a, b.
"""
import sys
import time

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln


def log_likelihood(logs, x, t_x, age, repeats):
    """Fader, Hardie and Lee (2005), in the numerically stable form of Hardie's note 027."""
    r, alpha, a, b = np.exp(logs)
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    left = np.where(repeats, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
    return np.sum(shared + np.logaddexp(alive, left))


def hessian(f, at, step=1e-4):
    """By central differences."""
    n = len(at)
    steps = np.diag(step * np.maximum(np.abs(at), 1e-2))
    result = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            value = (f(at + steps[i] + steps[j]) - f(at + steps[i] - steps[j])
                     - f(at - steps[i] + steps[j]) + f(at - steps[i] - steps[j]))
            result[i, j] = result[j, i] = value / (4 * steps[i, i] * steps[j, j])
    return result


def fit(x, t_x, age, method):
    scale = 10 / age.max()  # as lifetimes does, so that the start suits any unit of time
    t_x, age = t_x * scale, age * scale
    repeats = x > 0
    options = {"maxiter": 2000}
    found = minimize(lambda logs: -log_likelihood(logs, x, t_x, age, repeats) / len(x), np.full(4, 0.1),
                     method=method, options=options)
    parameters = np.exp(found.x)
    information = -hessian(lambda p: log_likelihood(np.log(p), x, t_x, age, repeats), parameters)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    parameters[1] /= scale
    errors[1] /= scale
    return found.success, -found.fun * len(x) + x.sum() * np.log(scale), parameters, errors


def main():
    x, t_x, age = np.fromfile(sys.argv[1]).reshape(3, -1)
    method = sys.argv[2] if len(sys.argv) > 2 else "L-BFGS-B"
    started = time.perf_counter()
    success, value, parameters, errors = fit(x, t_x, age, method)
    print(f"{time.perf_counter() - started:.3f} {success} {value:.3f}", *(f"{p:.6g}" for p in [*parameters, *errors]))


main()
