// SPDX-License-Identifier: MIT
/// \file
/// The clipped range whose uniform codes keep the distribution of the samples best, by relative entropy.
///
///     limit = argmin of KL(P || Q) = sum_k p_k log(p_k / q_k)
///
/// over the bins of a histogram of magnitudes up to the limit. P is the distribution of the clipped samples: those beyond
/// the limit count in its last bin. Q is what the codes can tell of the samples within: every level takes all bins that
/// round to it, and spreads their mass evenly over those that P occupies. As Q knows nothing of the clipped samples,
/// clipping costs; where clipped samples are all that a level has, the cost is infinite, and the limit is out.
/// Source: Migacz, "8-bit inference with TensorRT" (GTC 2017). That takes levels for cells of whole bins with an edge at
/// 0; here a level's cell lies around it, as rounding has it, so that all widths and both signs are treated alike.
///
/// Good for activations at 8 bits. With fewer it thinks of the distribution's shape, not of the size of errors: use mse.
#pragma once

#include <bitwright/calibration/clip.hpp>
#include <bitwright/calibration/expected_error.hpp>
#include <bitwright/calibration/histogram.hpp>
#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {

/// KL(P || Q) for any limit that is a whole number of bins, in constant time a level.
class clipped_relative_entropy {
 public:
  /// `magnitudes` are the samples in each bin, at least one in all.
  explicit clipped_relative_entropy(std::span<const std::uint64_t> magnitudes) : below_(magnitudes.size() + 1) {
    for (std::size_t bin = 0; bin < magnitudes.size(); ++bin) {
      const auto count = static_cast<double>(magnitudes[bin]);
      const sums& before = below_[bin];
      below_[bin + 1] = {before.samples + count, before.occupied + (count > 0), before.terms + weighted_log(count)};
    }
  }

  /// In nats, for samples clipped to the first `bins` bins, at least one, and levels `step` bins apart. Infinite where Q
  /// has no mass for samples of P.
  double operator()(std::size_t bins, double step) const {
    const double all = below_.back().samples, within = below_[bins].samples, clipped = all - within;
    const double last = within - below_[bins - 1].samples;
    double terms = below_[bins].terms - weighted_log(last) + weighted_log(last + clipped);
    std::size_t first = 0;
    for (double level = 0; first < bins; ++level) {
      const std::size_t end = std::min(first_above(level, step), bins);
      const double kept = below_[end].samples - below_[first].samples;
      const bool holds_clipped = end == bins && clipped > 0;
      const double samples = holds_clipped ? kept + clipped : kept;
      const double occupied = below_[end].occupied - below_[first].occupied + (holds_clipped && last == 0);
      if (samples > 0) terms -= samples * std::log(kept / occupied);
      first = end;
    }
    // p = samples / all and q = kept / (occupied * within), so that both totals come out of the sum.
    return terms < infinity ? terms / all + std::log(within / all) : infinity;
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  /// Of all bins below one.
  struct sums {
    double samples = 0;
    double occupied = 0;  ///< Bins that hold samples.
    double terms = 0;     ///< count * log(count)
  };

  static double weighted_log(double count) { return count > 0 ? count * std::log(count) : 0; }

  // The first bin whose middle is nearer to a higher level; the end where there is none.
  std::size_t first_above(double level, double step) const {
    const double bin = std::ceil((level + 0.5) * step - 0.5);
    return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(below_.size())));
  }

  std::vector<sums> below_;
};

/// Proposes the range for uniform codes of a given width. Two halves merged equal one pass, exactly. Limits whose steps
/// are narrower than a bin are not tried: 16 bins or more for each code make a good choice. Of equal limits it keeps the
/// widest.
template <code_placement Codes = symmetric_codes>
class entropy {
 public:
  /// Throws invalid_argument for bits and bins that the codes and histogram refuse.
  explicit entropy(int bits = 8, std::size_t bins = histogram::default_bins) : bits_(bits), samples_(bins) {
    Codes::levels({0, 0}, bits);  // Refuses the bits by name.
  }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  void observe(std::span<const float> samples) { samples_.observe(samples); }

  /// Throws invalid_argument unless both have the same bits and bins.
  void merge(const entropy& other) {
    require(other.bits_ == bits_, "entropy::merge: other.bits()", other.bits_, "this one's, ", bits_);
    samples_.merge(other.samples_);
  }

  /// The range of the clipped samples. Throws invalid_argument before the first sample.
  range values() const {
    const range seen = samples_.values();
    if (seen.limit() == 0) return seen;
    const std::vector<std::uint64_t> magnitudes = samples_.magnitudes();
    const clipped_relative_entropy divergence(magnitudes);
    const double width = samples_.width();
    const auto step = [&](range clipped) { return Codes::levels(clipped, bits_).scale / width; };
    range best = seen;
    auto bins = static_cast<std::size_t>(seen.limit() / width) + 1;
    double least = divergence(bins, step(seen));
    while (--bins > 0) {
      const double limit = static_cast<double>(bins) * width;
      const range clipped = clip(seen, -limit, limit);
      if (clipped.limit() == 0 || step(clipped) < 1) break;  // Limits below the least float are no limits.
      const double found = divergence(bins, step(clipped));
      if (found >= least - rounding) continue;
      best = clipped;
      least = found;
    }
    return best;
  }

  int bits() const { return bits_; }

 private:
  static constexpr double rounding = 1e-12;  // Nats by which equal divergences can differ.

  int bits_;
  histogram samples_;
};

static_assert(observer<entropy<symmetric_codes>> && observer<entropy<affine_codes>>);

}  // namespace bitwright
