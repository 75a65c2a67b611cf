// SPDX-License-Identifier: MIT
/// \file
/// Samples of a distribution without chance: its quantiles at (i + 1/2) / count. By Koksma's inequality the mean of g over
/// them is off the expectation by at most the variation of g, as a function of the probability, over 2 count.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace bitwright::reference {

/// The unit Gaussian: each quantile by bisection of the distribution function.
inline std::vector<float> gaussian_quantiles(std::size_t count) {
  std::vector<float> values(count);
  double low = -9;
  for (std::size_t i = 0; i < count; ++i) {
    const double probability = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    double high = 9;
    for (double width = high - low; width > 1e-9; width /= 2) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / std::sqrt(2.0)) < probability ? low : high) = middle;
    }
    values[i] = static_cast<float>(low);
  }
  return values;
}

/// The uniform distribution on [-1, 1].
inline std::vector<float> uniform_quantiles(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>((2 * static_cast<double>(i) + 1) / static_cast<double>(count) - 1);
  return values;
}

}  // namespace bitwright::reference
