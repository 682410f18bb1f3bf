// Deterministic buckets: GrowthBook's hash, version 2, so that assignments agree with its SDKs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace clientele {

// Buckets are numbered from 0 to bucket_count - 1; the share of a bucket is its number over bucket_count.
inline constexpr int bucket_count = 10'000;

// FNV-1a of 32 bits over UTF-16 code units, as JavaScript's strings have them.
class Fnv1a {
  public:
    // Feeds a text in UTF-8; one that is not valid UTF-8 throws.
    void add(std::string_view utf8);
    std::uint32_t value() const { return state_; }

  private:
    void add_unit(std::uint32_t unit) { state_ = (state_ ^ unit) * 16'777'619U; }

    std::uint32_t state_ = 2'166'136'261U;
};

// The bucket of a unit, where `seeded` has been fed the seed.
int bucket_number(Fnv1a seeded, std::string_view unit);

// The bucket of a unit under a seed, both in UTF-8.
int bucket_number(std::string_view seed, std::string_view unit);

// A bucket as a number on [0, 1).
inline double bucket_share(int number) { return static_cast<double>(number) / bucket_count; }

// The weight of each of so many variants where none is given.
inline double even_weight(std::int64_t variants) { return 1.0 / static_cast<double>(variants); }

// Refuses weights that are not finite, negative, or more than 1 in sum.
void check_weights(std::span<const double> weights);

// The index of the variant whose range of the cumulated weights holds the share; -1 where none does.
int choose_variant(double share, std::span<const double> weights);

}  // namespace clientele
