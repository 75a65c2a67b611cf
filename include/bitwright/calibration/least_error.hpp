// SPDX-License-Identifier: MIT
/// \file
/// The clipped range whose uniform codes make the least error of some power: finer steps for most samples against the
/// error of those that are clipped.
///
///     range = argmin of mean |x - nearest level|^power, over a histogram
///
/// Power 2 is the mean squared error. The largest values often matter most to a network, so that an error should count
/// for more than its square: with few bits, powers between 2.4 and 4 kept more accuracy.
/// Source: "Loss aware post-training quantization" (Nahshan et al., Machine Learning 2021), section 4.
#pragma once

#include <bitwright/calibration/clip.hpp>
#include <bitwright/calibration/expected_error.hpp>
#include <bitwright/calibration/histogram.hpp>
#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers/concept.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitwright {

/// Proposes the range for uniform codes of a given width. Two halves merged equal one pass, exactly. The search tries
/// eight limits an octave down to one bin and refines the best, for symmetric codes one limit on either side, for affine
/// codes each end on its own; of equal ones it keeps the widest.
template <code_placement Codes = symmetric_codes>
class least_error {
 public:
  /// Throws invalid_argument unless 1 <= power <= 16, and for bits and bins that the codes and histogram refuse.
  least_error(double power, int bits, std::size_t bins = histogram::default_bins)
      : power_(power), bits_(bits), samples_(bins) {
    require(power >= 1 && power <= 16, "least_error: power", power, "[1, 16]");
    Codes::levels({0, 0}, bits);  // Refuses the bits by name.
  }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  void observe(std::span<const float> samples) { samples_.observe(samples); }

  /// Throws invalid_argument unless both have the same power, bits and bins.
  void merge(const least_error& other) {
    require(other.power_ == power_ && other.bits_ == bits_, "least_error::merge: other's power and bits",
            std::array<double, 2>{other.power_, static_cast<double>(other.bits_)}, "this one's, ",
            std::array<double, 2>{power_, static_cast<double>(bits_)});
    samples_.merge(other.samples_);
  }

  /// The range of the clipped samples. Throws invalid_argument before the first sample.
  range values() const {
    const range seen = samples_.values();
    const std::vector<histogram_piece> pieces = samples_.pieces();
    const auto error = [&](double low, double high) {
      return expected_error(pieces, Codes::levels(clip(seen, low, high), bits_), power_);
    };
    const double limit = seen.limit();
    const double both = best_factor([&](double factor) { return error(-limit * factor, limit * factor); });
    double low = -limit * both, high = limit * both;
    if constexpr (!Codes::only_limit_matters) {
      const double lowest = std::min(seen.min, 0.0f), highest = std::max(seen.max, 0.0f);
      for (int round = 0; round < 2; ++round) {
        high = improved(high, highest, [&](double end) { return error(low, end); });
        low = improved(low, lowest, [&](double end) { return error(end, high); });
      }
    }
    return clip(seen, low, high);
  }

  double power() const { return power_; }
  int bits() const { return bits_; }

 private:
  // The factor in (0, 1] with the least error.
  double best_factor(std::invocable<double> auto error) const {
    double best = 1, least = error(1);
    const auto consider = [&](double factor) {
      const double found = error(factor);
      if (found >= least) return;
      best = factor;
      least = found;
    };
    const double ratio = std::exp2(-0.125);
    for (double factor = ratio; factor * static_cast<double>(samples_.bins()) >= 2; factor *= ratio) consider(factor);
    double reach = 1 - ratio;
    for (int round = 0; round < 2; ++round, reach /= 8) {
      const double centre = best;
      for (int step = 8; step >= -8; --step) consider(std::min(centre * (1 + reach * step / 8), 1.0));
    }
    return best;
  }

  // The best end between 0 and `outermost`, or `end` where none is better.
  double improved(double end, double outermost, std::invocable<double> auto error) const {
    const double other = outermost * best_factor([&](double factor) { return error(outermost * factor); });
    return error(other) < error(end) ? other : end;
  }

  double power_;
  int bits_;
  histogram samples_;
};

static_assert(observer<least_error<symmetric_codes>> && observer<least_error<affine_codes>>);

/// The quantizer that makes the least sum of |error|^power on `values` themselves, among those that `fit` makes for the
/// ranges [-limit, limit] with limits of 100, 98, ... 20 % of the largest magnitude. Of equal ones it keeps the widest.
/// Throws invalid_argument for a NaN or an infinity, for no values, unless 1 <= power <= 16, and what `fit` throws.
///
///     fit_least_error(weights, 3, [](range values) { return uniform<4>::symmetric(values); })
template <std::invocable<range> Fit>
requires quantizer<std::invoke_result_t<Fit&, range>>
auto fit_least_error(std::span<const float> values, double power, Fit fit) {
  using fitted = std::invoke_result_t<Fit&, range>;
  require(power >= 1 && power <= 16, "fit_least_error: power", power, "[1, 16]");
  std::vector<typename fitted::code_type> codes(values.size());
  std::vector<float> approximation(values.size());
  const auto error = [&](const fitted& q) {
    q.quantize(values, std::span(codes));
    q.dequantize(std::span<const typename fitted::code_type>(codes), std::span(approximation));
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += raise(std::abs(static_cast<double>(approximation[i]) - values[i]), power);
    return sum;
  };
  const float largest = range_of(values).limit();
  fitted best = std::invoke(fit, range{-largest, largest});
  double least = error(best);
  for (int percent = 98; percent >= 20; percent -= 2) {
    const float limit = largest * static_cast<float>(percent) / 100;
    fitted clipped = std::invoke(fit, range{-limit, limit});
    const double found = error(clipped);
    if (found >= least) continue;
    best = std::move(clipped);
    least = found;
  }
  return best;
}

}  // namespace bitwright
