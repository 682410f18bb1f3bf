#include "core/basket/suggestion.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/text.hpp"

namespace clientele {
namespace {

constexpr double own_weight = 1;
constexpr double popularity_weight = 0.001;
constexpr std::size_t rhythm_days = 3;  // purchase days from which on there is one
constexpr std::size_t paired = 100;     // of the most relevant candidates, and as many of the dearest
constexpr std::size_t pairs_at_a_time = 1'000;

// Rounding depends on the order in which numbers are added up.
double sum_of_affinities(const Candidate& candidate) {
    std::vector<double> sorted;
    for (const Candidate::Companion& companion : candidate.companions) sorted.push_back(companion.affinity);
    std::sort(sorted.begin(), sorted.end());
    return std::accumulate(sorted.begin(), sorted.end(), 0.0);
}

std::vector<std::int32_t> different_days(const Candidate& candidate) {
    std::vector<std::int32_t> days(candidate.days.begin(), candidate.days.end());
    std::sort(days.begin(), days.end());
    days.erase(std::unique(days.begin(), days.end()), days.end());
    return days;
}

// The median of the days between purchases; 0 where there are too few.
double rhythm(std::span<const std::int32_t> days) {
    if (days.size() < rhythm_days) return 0;
    std::vector<std::int32_t> gaps(days.size());
    std::adjacent_difference(days.begin(), days.end(), gaps.begin());
    std::sort(gaps.begin() + 1, gaps.end());
    const auto from = gaps.begin() + 1;
    const std::size_t count = gaps.size() - 1;
    return (from[(count - 1) / 2] + from[count / 2]) / 2.0;
}

double own_share(const Candidate& candidate, const SuggestionQuestion& question) {
    const std::vector<std::int32_t> days = different_days(candidate);
    if (days.empty()) return 0;
    // Two purchases that nobody saw: of a customer's few, one that had it says little.
    const double share = static_cast<double>(days.size()) / static_cast<double>(question.purchase_days + 2);
    const double usual = rhythm(days);
    const double since = std::max(0, question.today - days.back());
    return usual > since ? share * since / usual : share;
}

bool closes(std::int64_t price, const SuggestionQuestion& question) { return !question.gap || price >= *question.gap; }

// Squared, so that a product at twice the gap must be four times as relevant.
double closeness(std::int64_t price, const SuggestionQuestion& question) {
    if (!question.gap) return 1;
    const double share = static_cast<double>(*question.gap) / static_cast<double>(price);
    return share * share;
}

struct Scored {
    std::size_t candidate;
    double relevance;
};

// In equal cases the cheaper one, then by the key.
void sort_suggestions(std::vector<Suggestion>& list, std::span<const Candidate> candidates) {
    const auto keys_before = [&](const Suggestion& a, const Suggestion& b) {
        return std::lexicographical_compare(
            a.candidates.begin(), a.candidates.end(), b.candidates.begin(), b.candidates.end(),
            [&](std::size_t x, std::size_t y) { return candidates[x].product < candidates[y].product; });
    };
    std::sort(list.begin(), list.end(), [&](const Suggestion& a, const Suggestion& b) {
        if (a.score != b.score) return a.score > b.score;
        if (a.price != b.price) return a.price < b.price;
        return keys_before(a, b);
    });
}

void keep_best(std::vector<Suggestion>& list, std::span<const Candidate> candidates, std::size_t most) {
    sort_suggestions(list, candidates);
    if (list.size() > most) list.resize(most);
}

auto more_relevant(std::span<const Candidate> candidates) {
    return [candidates](const Scored& a, const Scored& b) {
        if (a.relevance != b.relevance) return a.relevance > b.relevance;
        return candidates[a.candidate].product < candidates[b.candidate].product;
    };
}

std::vector<Scored> scored(std::span<const Candidate> candidates, const SuggestionQuestion& question) {
    std::vector<Scored> list;
    for (std::size_t i = 0; i < candidates.size(); ++i) list.push_back({i, relevance(candidates[i], question)});
    std::sort(list.begin(), list.end(), more_relevant(candidates));
    return list;
}

// Those that close the gap alone, of which something speaks for themselves, or for their price alone.
std::vector<Suggestion> singles(std::span<const Scored> list, std::span<const Candidate> candidates,
                                const SuggestionQuestion& question, bool by_price) {
    std::vector<Suggestion> found;
    for (const Scored& s : list) {
        const Candidate& candidate = candidates[s.candidate];
        if (candidate.by_price != by_price || !closes(candidate.price, question)) continue;
        found.push_back({{s.candidate}, candidate.price, s.relevance * closeness(candidate.price, question)});
    }
    return found;
}

// Returns how many come first, of those that are sorted by relevance: the most relevant, then the dearest.
std::size_t put_leaders_first(std::vector<Scored>& list, std::span<const Candidate> candidates) {
    const std::size_t relevant = std::min(paired, list.size()), leaders = std::min(2 * paired, list.size());
    std::partial_sort(list.begin() + relevant, list.begin() + leaders, list.end(),
                      [&](const Scored& a, const Scored& b) {
                          const Candidate &x = candidates[a.candidate], &y = candidates[b.candidate];
                          return x.price != y.price ? x.price > y.price : x.product < y.product;
                      });
    return leaders;
}

// Of those that do not close the gap alone, one of which is among the most relevant or the dearest; what a pair is
// worth is the mean of both.
std::vector<Suggestion> pairs(std::span<const Scored> list, std::span<const Candidate> candidates,
                              const SuggestionQuestion& question, std::size_t most) {
    std::vector<Scored> cheap;
    for (const Scored& s : list) {
        if (!closes(candidates[s.candidate].price, question)) cheap.push_back(s);
    }
    const std::size_t leaders = put_leaders_first(cheap, candidates);
    std::vector<Suggestion> found;
    double least = 0;  // that is worth keeping
    for (std::size_t a = 0; a < leaders; ++a) {
        for (std::size_t b = a + 1; b < cheap.size(); ++b) {
            const std::int64_t price = candidates[cheap[a].candidate].price + candidates[cheap[b].candidate].price;
            if (!closes(price, question)) continue;
            const double score = (cheap[a].relevance + cheap[b].relevance) / 2 * closeness(price, question);
            if (score < least) continue;
            const auto [first, second] = std::minmax(cheap[a], cheap[b], more_relevant(candidates));
            found.push_back({{first.candidate, second.candidate}, price, score});
            if (found.size() < most + pairs_at_a_time) continue;
            keep_best(found, candidates, most);
            least = found.back().score;
        }
    }
    keep_best(found, candidates, most);
    return found;
}

void append(std::vector<Suggestion>& list, std::vector<Suggestion> more) {
    list.insert(list.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// ---- In words ----

std::string written(auto write) {
    char buffer[128];
    Text text(buffer);
    write(text);
    return {buffer, std::min(text.size(), sizeof buffer)};
}

void add_unique(std::vector<std::string>& list, std::string text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

// The one that it goes with best; in equal cases by name.
std::string_view closest_companion(const Candidate& candidate) {
    return std::min_element(candidate.companions.begin(), candidate.companions.end(),
                            [](const Candidate::Companion& a, const Candidate::Companion& b) {
                                if (a.affinity != b.affinity) return a.affinity > b.affinity;
                                return a.name < b.name;
                            })
        ->name;
}

std::string habit(double usual) {
    if (usual == 0) return "bought before";
    return written([&](Text& text) {
        text.add("bought before, usually every ");
        if (usual == 1) {
            text.add("day");
        } else {
            text.add_fixed(usual, usual == std::floor(usual) ? 0 : 1).add(" days");
        }
    });
}

void add_reasons(std::vector<std::string>& list, const Candidate& candidate) {
    const std::vector<std::int32_t> days = different_days(candidate);
    if (!candidate.companions.empty()) add_unique(list, "goes with " + std::string(closest_companion(candidate)));
    if (!days.empty()) add_unique(list, habit(rhythm(days)));
    if (!candidate.companions.empty() || !days.empty()) return;
    add_unique(list, candidate.by_price ? "bought most often at such a price" : "often bought");
}

std::string what_is_left(std::int64_t overshoot, int decimals) {
    if (overshoot == 0) return "fills the gap exactly";
    return written([&](Text& text) {
        int shown = price_decimals;
        for (; shown > decimals && overshoot % 10 == 0; --shown) overshoot /= 10;
        text.add("fills the gap with ").add_decimal(overshoot, shown).add(" to spare");
    });
}

}  // namespace

std::vector<Candidate> candidates_among(std::span<const Reason> reasons, std::span<const std::string_view> basket) {
    const std::unordered_set<std::string_view> had(basket.begin(), basket.end());
    std::unordered_map<std::string_view, std::string_view> names;  // of what is in the basket
    for (const Reason& r : reasons) {
        if (!r.name.empty() && had.contains(r.product)) names.emplace(r.product, r.name);
    }
    std::unordered_map<std::string_view, std::size_t> places;
    std::vector<Candidate> list;
    for (const Reason& r : reasons) {
        if (!r.available || r.price <= 0 || had.contains(r.product)) continue;
        const auto [place, is_new] = places.emplace(r.product, list.size());
        if (is_new) list.push_back({r.product, r.name.empty() ? r.product : r.name, r.price, {}, {}, 0, true});
        Candidate& candidate = list[place->second];
        candidate.by_price = candidate.by_price && r.by_price;
        if (!r.companion.empty()) {
            const auto name = names.find(r.companion);
            candidate.companions.push_back({name == names.end() ? r.companion : name->second, r.affinity});
        }
        if (r.day) candidate.days.push_back(*r.day);
        candidate.orders = std::max(candidate.orders, r.orders);
    }
    return list;
}

double relevance(const Candidate& candidate, const SuggestionQuestion& question) {
    const double popularity = question.counted_orders > 0
                                  ? static_cast<double>(candidate.orders) / static_cast<double>(question.counted_orders)
                                  : 0;
    return sum_of_affinities(candidate) + own_weight * own_share(candidate, question) + popularity_weight * popularity;
}

std::vector<Suggestion> suggest(std::span<const Candidate> candidates, const SuggestionQuestion& question) {
    const std::vector<Scored> list = scored(candidates, question);
    std::vector<Suggestion> found = singles(list, candidates, question, false);
    keep_best(found, candidates, question.most);
    if (!question.gap || found.size() == question.most) return found;
    append(found, pairs(list, candidates, question, question.most - found.size()));
    std::vector<Suggestion> others = singles(list, candidates, question, true);
    keep_best(others, candidates, question.most - found.size());
    append(found, std::move(others));
    return found;
}

std::vector<std::string> reasons(const Suggestion& suggestion, std::span<const Candidate> candidates,
                                 const SuggestionQuestion& question) {
    std::vector<std::string> list;
    for (const std::size_t candidate : suggestion.candidates) add_reasons(list, candidates[candidate]);
    if (question.gap) list.push_back(what_is_left(suggestion.price - *question.gap, question.decimals));
    return list;
}

}  // namespace clientele
