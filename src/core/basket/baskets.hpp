// Order lines as baskets: of each order the different products, as numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace clientele {

// Of the baskets that count.
struct ProductTotals {
    std::uint32_t baskets = 0;   // that have the product
    std::uint64_t partners = 0;  // other products in these, added up
};

// Takes lines, those of an order one after the other, and gives baskets out as numbers that can be written to a file:
// how many products a basket has, then these. Its memory is bounded by the number of different products.
class Baskets {
  public:
    // A basket of more products than `most` says little about what goes with what, and has the square of them in
    // pairs: it is left out.
    explicit Baskets(std::uint32_t most) : most_(most) {}

    void add_line(std::string_view product);
    // The next line is one of another order.
    void end_order();

    // The baskets of two products and more since these were taken; the caller takes them.
    std::span<const std::uint32_t> written() const { return written_; }
    void forget_written() { written_.clear(); }

    // By the product's number: the order in which they came.
    std::span<const ProductTotals> totals() const { return totals_; }
    std::span<const std::string_view> names() const { return names_; }

    std::uint64_t counted() const { return counted_; }
    std::uint64_t left_out() const { return left_out_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    std::uint32_t number_of(std::string_view product);
    void count();

    std::uint32_t most_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
    std::vector<std::string_view> names_;  // of the keys of numbers_, which stay where they are
    std::vector<ProductTotals> totals_;
    std::vector<std::uint64_t> seen_in_;  // the last order with this product, counted from 1
    std::uint64_t order_ = 1;
    std::vector<std::uint32_t> basket_;
    std::vector<std::uint32_t> written_;
    std::uint64_t counted_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace clientele
