// SPDX-License-Identifier: MIT
/// \file
/// Which of some fitted quantizers, of one type or of several, loses least on given values, by measurement.
///
///     argmin over q of sum (dequantize(quantize(v)) - v)^2
#pragma once

#include <bitwright/core/distortion.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <cmath>
#include <cstddef>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// What `q` does to `values`, to codes and back. Throws what the quantizer throws.
template <quantizer Q>
distortion measure_distortion(std::span<const float> values, const Q& q) {
  std::vector<typename Q::code_type> codes(values.size());
  std::vector<float> approximation(values.size());
  q.quantize(values, std::span(codes));
  q.dequantize(std::span<const typename Q::code_type>(codes), std::span(approximation));
  return measure_distortion(values, approximation);
}

/// The choice among candidates, with what each of them costs.
struct measured_choice {
  std::size_t index;                    ///< Of the least mse; of equal ones, the first.
  std::vector<distortion> distortions;  ///< One for each candidate, in their order.

  /// Throws invalid_argument for no candidates, and where every mse is NaN.
  static measured_choice among(std::vector<distortion> distortions) {
    require(!distortions.empty(), "best_of: candidates", distortions.size(), "at least one");
    std::size_t best = 0;
    for (std::size_t i = 1; i < distortions.size(); ++i)
      if (distortions[i].mse < distortions[best].mse || std::isnan(distortions[best].mse)) best = i;
    require(!std::isnan(distortions[best].mse), "best_of: least mse", distortions[best].mse, "a number");
    return {best, std::move(distortions)};
  }
};

/// The best of quantizers of any types. For no values all are equal, so that it is the first.
///
///     const auto choice = best_of(weights, uniform<4>::symmetric(seen), uniform<4>::affine(seen));
template <quantizer... Qs>
requires(sizeof...(Qs) > 0) measured_choice best_of(std::span<const float> values, const Qs&... candidates) {
  return measured_choice::among({measure_distortion(values, candidates)...});
}

/// The best of a range of quantizers, such as one made from each observer's range.
/// Throws invalid_argument for none.
template <std::ranges::input_range Candidates>
requires quantizer<std::ranges::range_value_t<Candidates>> measured_choice best_of(std::span<const float> values,
                                                                                   const Candidates& candidates) {
  std::vector<distortion> distortions;
  for (const auto& candidate : candidates) distortions.push_back(measure_distortion(values, candidate));
  return measured_choice::among(std::move(distortions));
}

}  // namespace bitwright
