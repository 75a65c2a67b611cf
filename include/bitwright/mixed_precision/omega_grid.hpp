// SPDX-License-Identifier: MIT
/// \file
/// The grid of omegas: sensitivities as exact integers, so that sums compare without rounding.
#pragma once

#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace bitwright {

/// omega is taken as floor(omega / unit) units, where unit is the least power of two with which the layers' largest
/// omegas add up to at most 2^53 units; and, where all omegas are integers, to 2^62, but no less than 1. So integers
/// are exact as long as they add up to at most 2^62, and an omega loses at most 2^-52 of that sum.
class omega_grid {
 public:
  explicit omega_grid(const allocation_problem& problem) {
    double sum = 0;
    bool integers = true;
    for (const allocation_layer& layer : problem.layers) {
      double largest = 0;
      for (const candidate& choice : layer.candidates) {
        largest = std::max(largest, choice.omega);
        integers = integers && choice.omega == std::floor(choice.omega);
      }
      sum += largest;
    }
    int above = 0;
    const double fraction = std::frexp(sum, &above);
    if (fraction > 1 - 1e-9) ++above;  // sum < 2^above, also where it was rounded on its way.
    exponent_ =
        integers ? std::max(0, above - 62) : std::max(above - 53, std::numeric_limits<double>::min_exponent - 53);
  }

  double unit() const { return std::ldexp(1.0, exponent_); }
  std::int64_t units(double omega) const {
    return static_cast<std::int64_t>(std::floor(std::ldexp(omega, -exponent_)));
  }
  double value(std::int64_t units) const { return std::ldexp(static_cast<double>(units), exponent_); }

 private:
  int exponent_ = 0;
};

}  // namespace bitwright
