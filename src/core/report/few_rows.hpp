// What is too much to be drawn: the rest of many rows becomes one.
#pragma once

#include "core/report/figure.hpp"

namespace clientele {

// The figure with at most most_drawn_rows rows, of a heat map at most so many names of rows and most_drawn_columns of
// columns. Of what is put together, numbers of people and counts, and their shares, add up; nothing else is known of
// it.
Figure with_few_rows(const Figure& figure);

}  // namespace clientele
