// SPDX-License-Identifier: MIT
/// \file
/// The clipped range that would make the least mean squared error if the samples were Gaussian or Laplacian: two moments
/// are all it needs, so that few samples do.
///
///     E(a) = 2 integral_a^inf (x - a)^2 f(x) dx + a^2 / (3 * 4^bits)       range = mean -+ argmin E
///
/// the error of what is clipped and that of 2^bits even steps within. With the spread s, E'(a) = 0 reads
///
///     Gaussian, s = sigma, u = a / s:      phi(u) - u (1 - Phi(u)) = u / (6 * 4^bits)
///     Laplacian, s = mean |x - mean|:      u e^u = 3 * 4^bits
///
/// Source: "Post-training 4-bit quantization of convolution networks" (Banner et al., NeurIPS 2019), section 3. For
/// weights and for activations of few bits; where there are samples enough, mse knows their true distribution.
#pragma once

#include <bitwright/calibration/clip.hpp>
#include <bitwright/calibration/histogram.hpp>
#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/breakpoints.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

namespace bitwright {

/// integral_clip^inf (x - clip) f(x) dx, for clip >= 0.
inline double mean_excess(gaussian values, double clip) {
  const double beyond = 0.5 * std::erfc(clip / (values.sigma * std::numbers::sqrt2));
  return values.sigma * values.sigma * values.density(clip) - clip * beyond;
}
inline double mean_excess(laplacian values, double clip) {
  const double spread = values.sigma / std::numbers::sqrt2;
  return 0.5 * spread * std::exp(-clip / spread);
}

/// integral_clip^inf (x - clip)^2 f(x) dx, for clip >= 0.
inline double mean_squared_excess(gaussian values, double clip) {
  const double variance = values.sigma * values.sigma;
  const double beyond = 0.5 * std::erfc(clip / (values.sigma * std::numbers::sqrt2));
  return (variance + clip * clip) * beyond - variance * clip * values.density(clip);
}
inline double mean_squared_excess(laplacian values, double clip) {
  return 2 * values.sigma / std::numbers::sqrt2 * mean_excess(values, clip);
}

/// A distribution whose expected error has a closed form.
template <class Distribution>
concept clippable_distribution = requires(const Distribution& d, double clip) {
  { mean_excess(d, clip) } -> std::convertible_to<double>;
  { mean_squared_excess(d, clip) } -> std::convertible_to<double>;
  { d.sigma } -> std::convertible_to<double>;
};

/// E(clip): the mean squared error, in squared units of the value, of 2^bits codes over [-clip, clip].
template <clippable_distribution Distribution>
double clipped_mse(Distribution values, double clip, int bits) {
  return 2 * mean_squared_excess(values, clip) + clip * clip / 3 * std::exp2(-2 * bits);
}

/// The clip with the least clipped_mse, by bisection of its derivative to the last bit of a double.
/// Throws invalid_argument unless bits is in [1, 16].
template <clippable_distribution Distribution>
double best_clip(Distribution values, int bits) {
  require(bits >= 1 && bits <= 16, "best_clip: bits", bits, "[1, 16]");
  double low = 0, high = 32 * values.sigma;  // Beyond, even a Laplacian has less than 4^-16 of its mass.
  for (double middle = high / 2; low < middle && middle < high; middle = low + (high - low) / 2)
    (2 * mean_excess(values, middle) > middle / 3 * std::exp2(-2 * bits) ? low : high) = middle;
  return high;
}

/// Proposes the range for codes of a given width from the mean and the spread of all samples, which it takes from a
/// histogram: two halves merged equal one pass, exactly. Samples of one sign are one half of a distribution around 0 with
/// all codes to itself, as behind a ReLU, whose zeros then tell nothing.
template <clippable_distribution Distribution = gaussian>
requires std::same_as<Distribution, gaussian> || std::same_as<Distribution, laplacian>
class aciq {
 public:
  /// Throws invalid_argument unless bits is in [1, 15], and for bins that histogram refuses.
  explicit aciq(int bits, std::size_t bins = histogram::default_bins) : bits_(bits), samples_(bins) {
    require(bits >= 1 && bits <= 15, "aciq: bits", bits, "[1, 15]");
  }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  void observe(std::span<const float> samples) { samples_.observe(samples); }

  /// Throws invalid_argument unless both have the same bits and bins.
  void merge(const aciq& other) {
    require(other.bits_ == bits_, "aciq::merge: other.bits()", other.bits_, "this one's, ", bits_);
    samples_.merge(other.samples_);
  }

  /// The range of the clipped samples. Throws invalid_argument before the first sample.
  range values() const {
    const range seen = samples_.values();
    const bool one_sided = seen.min >= 0 || seen.max <= 0;
    std::vector<histogram_piece> pieces = samples_.pieces();
    if (one_sided)
      std::erase_if(pieces, [](const histogram_piece& each) { return each.low == each.high && each.low == 0; });
    if (pieces.empty()) return seen;
    const double centre = one_sided ? 0 : mean_of(pieces, [](const histogram_piece& each) { return middle(each); });
    const double unit = best_clip(Distribution{1}, one_sided ? bits_ + 1 : bits_);
    const double limit = unit * spread(pieces, centre);
    return clip(seen, centre - limit, centre + limit);
  }

  int bits() const { return bits_; }

 private:
  static double middle(const histogram_piece& each) { return each.low + (each.high - each.low) / 2; }

  static double mean_of(std::span<const histogram_piece> pieces, auto of_piece) {
    double sum = 0, count = 0;
    for (const histogram_piece& each : pieces) {
      sum += of_piece(each) * static_cast<double>(each.count);
      count += static_cast<double>(each.count);
    }
    return sum / count;
  }

  // The standard deviation that the distribution has, were the samples drawn from it.
  static double spread(std::span<const histogram_piece> pieces, double centre) {
    if constexpr (std::same_as<Distribution, gaussian>) {
      return std::sqrt(mean_of(pieces, [centre](const histogram_piece& each) {
        const double low = each.low - centre, high = each.high - centre;
        return (low * low + low * high + high * high) / 3;
      }));
    } else {
      return std::numbers::sqrt2 * mean_of(pieces, [centre](const histogram_piece& each) {
               const double low = each.low - centre, high = each.high - centre;
               const bool around = low < 0 && high > 0;
               return around ? (low * low + high * high) / (2 * (high - low)) : std::abs(middle(each) - centre);
             });
    }
  }

  int bits_;
  histogram samples_;
};

static_assert(observer<aciq<gaussian>> && observer<aciq<laplacian>>);

}  // namespace bitwright
