#include "core/basket/affinity.hpp"

#include <algorithm>
#include <numeric>

namespace clientele {

NeighbourSearch::NeighbourSearch(std::span<const ProductTotals> totals, std::span<const std::string_view> names,
                                 Options options)
    : totals_(totals), options_(options), rank_(totals.size()), counts_(totals.size()) {
    std::vector<std::uint32_t> by_name(totals.size());
    std::iota(by_name.begin(), by_name.end(), 0);
    std::sort(by_name.begin(), by_name.end(), [&](auto a, auto b) { return names[a] < names[b]; });
    for (std::uint32_t rank = 0; rank < by_name.size(); ++rank) rank_[by_name[rank]] = rank;
}

std::size_t NeighbourSearch::row_length(std::uint32_t product) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(totals_[product].partners, totals_.size()));
}

bool NeighbourSearch::next_block() {
    begin_ = end_;
    rows_.clear();
    std::size_t used = 0;
    for (; end_ < totals_.size(); ++end_) {
        const std::size_t length = row_length(end_);
        if (end_ > begin_ && used + length > options_.cells) break;
        rows_.push_back({used, 0, totals_[end_].partners > length});
        used += length;
    }
    cells_.assign(used, 0);
    return begin_ < end_;
}

void NeighbourSearch::add_baskets(std::span<const std::uint32_t> written) {
    for (std::size_t at = 0; at < written.size(); at += 1 + written[at]) {
        add_basket(written.subspan(at + 1, written[at]));
    }
}

void NeighbourSearch::add_basket(std::span<const std::uint32_t> basket) {
    for (const std::uint32_t product : basket) {
        if (product < begin_ || product >= end_) continue;
        Row& row = rows_[product - begin_];
        std::uint32_t* cells = cells_.data() + row.place;
        if (row.counts) {
            for (const std::uint32_t other : basket) ++cells[other];
        } else {
            for (const std::uint32_t other : basket) {
                if (other != product) cells[row.length++] = other;
            }
        }
    }
}

std::span<const Neighbour> NeighbourSearch::neighbours_of(std::uint32_t product) {
    const Row& row = rows_[product - begin_];
    found_.clear();
    if (row.counts) {
        count_cells(row, product);
    } else {
        count_list(row);
    }
    pairs_ += found_.size();
    const std::uint32_t baskets = totals_[product].baskets;
    best_.clear();
    for (Neighbour& n : found_) {
        n.affinity = affinity(n.together, baskets, totals_[n.product].baskets, options_.shrinkage);
        keep(n);
    }
    std::sort_heap(best_.begin(), best_.end(), Before{*this});
    return best_;
}

// best_ is a heap, the last of them at its front.
void NeighbourSearch::keep(const Neighbour& found) {
    if (best_.size() == options_.most) {
        if (!Before{*this}(found, best_.front())) return;
        std::pop_heap(best_.begin(), best_.end(), Before{*this});
        best_.back() = found;
    } else {
        best_.push_back(found);
    }
    std::push_heap(best_.begin(), best_.end(), Before{*this});
}

void NeighbourSearch::count_list(const Row& row) {
    const std::span<const std::uint32_t> list(cells_.data() + row.place, row.length);
    for (const std::uint32_t other : list) {
        if (counts_[other]++ == 0) found_.push_back({other, 0, 0});
    }
    for (Neighbour& n : found_) {
        n.together = counts_[n.product];
        counts_[n.product] = 0;
    }
}

void NeighbourSearch::count_cells(const Row& row, std::uint32_t product) {
    const std::span<const std::uint32_t> cells(cells_.data() + row.place, totals_.size());
    for (std::uint32_t other = 0; other < cells.size(); ++other) {
        if (cells[other] != 0 && other != product) found_.push_back({other, cells[other], 0});
    }
}

bool NeighbourSearch::Before::operator()(const Neighbour& a, const Neighbour& b) const {
    if (a.affinity != b.affinity) return a.affinity > b.affinity;
    return search.rank_[a.product] < search.rank_[b.product];
}

}  // namespace clientele
