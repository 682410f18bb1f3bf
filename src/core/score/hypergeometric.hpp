// Gauss' hypergeometric function 2F1, as the purchase models need it.
#pragma once

namespace clientele {

// 2F1(a, b; c; z) for z < 1 and c > b > 0 or c > a > 0; `complement` is 1 - z, for callers who know it more exactly.
// Its cost is bounded however near to 1 z comes and however large the parameters are.
double hypergeometric_2f1(double a, double b, double c, double z, double complement);
inline double hypergeometric_2f1(double a, double b, double c, double z) {
    return hypergeometric_2f1(a, b, c, z, 1 - z);
}

}  // namespace clientele
