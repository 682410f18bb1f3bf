// Which products go together: of each product those with the highest affinity, from exact counts of pairs.
//
// The affinity of two products, of which n_a and n_b baskets have the one and the other, and n both:
//
//     n / sqrt(n_a n_b) * n / (n + shrinkage)
//
// The first factor is the cosine of Linden, Smith and York, "Amazon.com recommendations: item-to-item collaborative
// filtering", IEEE Internet Computing 7 (2003). The second takes back what few baskets say, by their number: Koren,
// "Factorization meets the neighborhood", KDD 2008, equation 2.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/basket/baskets.hpp"

namespace clientele {

inline double affinity(std::uint32_t together, std::uint32_t baskets_a, std::uint32_t baskets_b, double shrinkage) {
    const double n = together;
    return n / std::sqrt(static_cast<double>(baskets_a) * baskets_b) * (n / (n + shrinkage));
}

struct Neighbour {
    std::uint32_t product;
    std::uint32_t together;  // baskets with both
    double affinity;
};

// Counts block by block of products, so that its memory is bounded: it is given all baskets again for each block.
class NeighbourSearch {
  public:
    struct Options {
        double shrinkage;
        std::size_t most;   // neighbours of a product
        std::size_t cells;  // how many counts of 4 bytes a block may have; one product's always fit
    };
    NeighbourSearch(std::span<const ProductTotals> totals, std::span<const std::string_view> names, Options options);

    // Goes on to the next products; false where there are none.
    bool next_block();
    // As Baskets wrote them.
    void add_baskets(std::span<const std::uint32_t> written);

    std::uint32_t block_begin() const { return begin_; }
    std::uint32_t block_end() const { return end_; }
    // Of a product of the block, when all baskets were added: the highest affinity first, equal ones by name. Valid
    // until the next call.
    std::span<const Neighbour> neighbours_of(std::uint32_t product);

    // Different pairs among the products that were asked for, each pair from both sides.
    std::uint64_t pairs() const { return pairs_; }

  private:
    // The products that were with one: a list of them, or, where there would be more than products, a count of each.
    struct Row {
        std::size_t place;
        std::uint32_t length;
        bool counts;
    };

    struct Before {
        const NeighbourSearch& search;
        bool operator()(const Neighbour& a, const Neighbour& b) const;
    };

    std::size_t row_length(std::uint32_t product) const;
    void add_basket(std::span<const std::uint32_t> basket);
    void count_list(const Row& row);
    void count_cells(const Row& row, std::uint32_t product);
    void keep(const Neighbour& found);

    std::span<const ProductTotals> totals_;
    Options options_;
    std::vector<std::uint32_t> rank_;  // by name
    std::uint32_t begin_ = 0;
    std::uint32_t end_ = 0;
    std::vector<Row> rows_;
    std::vector<std::uint32_t> cells_;
    std::vector<std::uint32_t> counts_;  // of the product that is asked for; all zero in between
    std::vector<Neighbour> found_;
    std::vector<Neighbour> best_;
    std::uint64_t pairs_ = 0;
};

}  // namespace clientele
