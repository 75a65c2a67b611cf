// SPDX-License-Identifier: MIT
/// \file
/// Distortion: how far an approximation, such as a dequantized tensor, is from its reference.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace bitwright {

/// Four readings of the error e = approximation - reference. All sums are in double; NaN in the input shows as NaN.
struct distortion {
  double squared_error = 0;  ///< sum e^2, in squared units of the value.
  double mse = 0;            ///< mean of e^2; 0 for empty spans.
  double sqnr = 0;           ///< 10 log10(sum reference^2 / sum e^2), in dB; infinite where nothing is lost, -infinite
                             ///< where the reference is zero and the approximation is not.
  double maximum_error = 0;  ///< max |e|, in units of the value.
  double cosine = 1;         ///< of the angle between both, in [-1, 1]; 1 for two zero vectors, 0 for one.
};

/// Throws invalid_argument unless both spans have the same size.
inline distortion measure_distortion(std::span<const float> reference, std::span<const float> approximation) {
  require(reference.size() == approximation.size(), "measure_distortion: approximation.size()", approximation.size(),
          "that of the reference, ", reference.size());
  double reference_energy = 0, approximation_energy = 0, product = 0;
  distortion result;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double r = reference[i], a = approximation[i], error = a - r;
    reference_energy += r * r;
    approximation_energy += a * a;
    product += r * a;
    result.squared_error += error * error;
    result.maximum_error = std::max(result.maximum_error, std::abs(error));
  }
  if (std::isnan(result.squared_error)) result.maximum_error = result.squared_error;  // std::max drops a NaN.
  if (!reference.empty()) result.mse = result.squared_error / static_cast<double>(reference.size());
  result.sqnr = result.squared_error == 0 ? std::numeric_limits<double>::infinity()
                                          : 10 * std::log10(reference_energy / result.squared_error);
  const double lengths = std::sqrt(reference_energy) * std::sqrt(approximation_energy);
  result.cosine = lengths == 0 ? reference_energy == approximation_energy : std::clamp(product / lengths, -1.0, 1.0);
  return result;
}

}  // namespace bitwright
