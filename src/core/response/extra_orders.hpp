// Orders that come only because of an offer: measured, and believed no more than their measurement is worth.
#pragma once

namespace clientele {

struct ExtraOrders {
    double mean = 0, error = 0;
};

// From the orders per customer of those offered less those of the held out, and its standard error: shrunk towards 0,
// since most offers bring next to none (prior: normal, mean 0, standard deviation 0.005), and never below it.
ExtraOrders extra_orders(double difference, double standard_error);

}  // namespace clientele
