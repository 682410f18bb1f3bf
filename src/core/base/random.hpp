// Random numbers that are the same everywhere and always for one seed: splitmix64, by Steele, Lea and Flood (2014),
// "Fast splittable pseudorandom number generators", OOPSLA.
#pragma once

#include <cstdint>

namespace clientele {

// The generator's finaliser: a bijection whose output bits each depend on all input bits.
inline std::uint64_t mix_bits(std::uint64_t bits) {
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    return bits ^ (bits >> 31);
}

inline constexpr std::uint64_t golden_gamma = 0x9E3779B97F4A7C15;

class Random {
  public:
    // The streams of one seed have nothing to do with each other.
    Random(std::uint64_t seed, std::uint64_t stream) : state_(mix_bits(mix_bits(seed) + golden_gamma * (stream + 1))) {}

    std::uint64_t bits() { return mix_bits(state_ += golden_gamma); }
    // Uniform on [0, 1) in steps of 2^-53.
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  private:
    std::uint64_t state_;
};

}  // namespace clientele
