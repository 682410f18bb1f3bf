"""Customers as BG/NBD has them, observed day by day: simulate.py CUSTOMERS FILE

Writes x, t_x, T (in days) as CSV to the standard output, and to FILE as three columns of doubles in binary, one after the
other. The same numbers every time.
"""
import sys

import numpy as np


def simulate(customers, r=0.5, alpha=60, a=0.8, b=2.4, longest=730):
    random = np.random.default_rng(1)
    age = np.floor(longest * random.uniform(0.3, 1, customers))
    rate = random.gamma(r, 1 / alpha, customers)
    leaves = random.beta(a, b, customers)
    x, t_x, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    there = np.arange(customers)
    while len(there) > 0:
        now[there] = np.ceil(now[there] + random.exponential(1, len(there)) / rate[there])
        there = there[now[there] <= age[there]]
        x[there] += 1
        t_x[there] = now[there]
        there = there[random.uniform(size=len(there)) >= leaves[there]]
    return x, t_x, age


def main():
    columns = np.array(simulate(int(sys.argv[1])))
    columns.tofile(sys.argv[2])
    np.savetxt(sys.stdout, columns.T, fmt="%d", delimiter=",")


main()
