// SPDX-License-Identifier: MIT
/// \file
/// A histogram whose range grows with the samples: the shared piece of all observers that weigh clipping against
/// precision.
///
///     bin k of a sign: k * width <= |sample| < (k + 1) * width      width = 2^e / bins, the least that holds every sample
///
/// When a sample does not fit, the range doubles until it does: bins 2k and 2k + 1 become bin k, and no sample is lost.
/// As all edges are multiples of a power of two, the counts depend on the samples alone, not on their order: two halves
/// merged equal one pass, exactly. The largest magnitude lies in the upper half of the bins, so that the width is at most
/// 2 / bins of it. Zeros are counted apart: every quantizer represents them exactly, and a ReLU makes many.
#pragma once

#include <bitwright/calibration/observer.hpp>
#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bitwright {

/// `count` samples, taken to lie evenly between `low` and `high`, both in units of the value; for low = high they are
/// that value.
struct histogram_piece {
  double low;
  double high;
  std::uint64_t count;

  friend constexpr bool operator==(const histogram_piece&, const histogram_piece&) = default;
};

/// Counts of positive and of negative samples by magnitude, of zeros, and the exact range. 16 bytes of memory for each
/// of the `bins`, whatever the number of samples.
class histogram {
 public:
  static constexpr std::size_t default_bins = 4096;

  /// `bins` for each sign. Throws invalid_argument unless that is a power of two from 2 to 2^20.
  explicit histogram(std::size_t bins = default_bins) {
    require(std::has_single_bit(bins) && bins >= 2 && bins <= std::size_t{1} << 20, "histogram: bins", bins,
            "a power of two from 2 to 2^20");
    negative_.resize(bins);
    positive_.resize(bins);
  }

  /// Throws invalid_argument for a NaN or an infinity, naming its index; then nothing of `samples` counts.
  /// An empty span changes nothing.
  void observe(std::span<const float> samples) {
    if (samples.empty()) return;
    include(range_of(samples));
    count_ += samples.size();
    const double inverse_width = 1 / width();
    const std::array<std::uint64_t*, 2> counts = {positive_.data(), negative_.data()};
    std::uint64_t zeros = 0;
    for (const float sample : samples) {  // Without a branch: signs come in no order.
      ++counts[sample < 0][static_cast<std::size_t>(std::abs(sample) * inverse_width)];
      zeros += sample == 0;
    }
    positive_[0] -= zeros;
    zeros_ += zeros;
  }

  /// Throws invalid_argument unless both have the same number of bins.
  void merge(const histogram& other) {
    require(other.bins() == bins(), "histogram::merge: other.bins()", other.bins(), "that of this histogram, ", bins());
    if (other.count_ == 0) return;
    include(*other.seen_);
    const int doublings = exponent_ - other.exponent_;
    for (std::size_t bin = 0; bin < bins(); ++bin) {
      positive_[shifted(bin, doublings)] += other.positive_[bin];
      negative_[shifted(bin, doublings)] += other.negative_[bin];
    }
    zeros_ += other.zeros_;
    count_ += other.count_;
  }

  /// From the least to the greatest sample, exactly. Throws invalid_argument before the first sample.
  range values() const {
    require(seen_.has_value(), "histogram::values: samples observed", 0, "at least one");
    return *seen_;
  }

  std::size_t bins() const { return positive_.size(); }
  double width() const { return std::ldexp(1.0, exponent_) / static_cast<double>(bins()); }
  std::uint64_t count() const { return count_; }
  std::uint64_t zeros() const { return zeros_; }

  /// Positive samples, by bin.
  std::span<const std::uint64_t> positive() const { return positive_; }

  /// Negative samples, by the bin of their magnitude.
  std::span<const std::uint64_t> negative() const { return negative_; }

  /// The bins that hold samples, from the least to the greatest; the outermost end where the samples do.
  std::vector<histogram_piece> pieces() const {
    std::vector<histogram_piece> held;
    const auto append = [&](double low, double high, std::uint64_t count) {
      if (count > 0) held.push_back({std::max<double>(low, seen_->min), std::min<double>(high, seen_->max), count});
    };
    const auto edge = [this](std::size_t bin) { return static_cast<double>(bin) * width(); };
    for (std::size_t bin = bins(); bin-- > 0;) append(-edge(bin + 1), -edge(bin), negative_[bin]);
    append(0, 0, zeros_);
    for (std::size_t bin = 0; bin < bins(); ++bin) append(edge(bin), edge(bin + 1), positive_[bin]);
    return held;
  }

  /// Samples of either sign, by the bin of their magnitude; without the zeros.
  std::vector<std::uint64_t> magnitudes() const {
    std::vector<std::uint64_t> sums = positive_;
    for (std::size_t bin = 0; bin < bins(); ++bin) sums[bin] += negative_[bin];
    return sums;
  }

 private:
  static std::size_t shifted(std::size_t bin, int doublings) { return bin >> std::min(doublings, 63); }

  void include(range samples) {
    seen_ = seen_ ? join(*seen_, samples) : samples;
    if (samples.limit() == 0) return;
    int exponent;
    std::frexp(samples.limit(), &exponent);  // limit < 2^exponent, for denormals too.
    if (exponent <= exponent_) return;
    fold(positive_, exponent - exponent_);
    fold(negative_, exponent - exponent_);
    exponent_ = exponent;
  }

  static void fold(std::vector<std::uint64_t>& counts, int doublings) {
    for (std::size_t bin = 1; bin < counts.size(); ++bin) {
      const std::uint64_t moved = counts[bin];
      counts[bin] = 0;
      counts[shifted(bin, doublings)] += moved;  // A lower bin, whose own samples have moved already.
    }
  }

  std::vector<std::uint64_t> negative_, positive_;
  std::uint64_t zeros_ = 0, count_ = 0;
  std::optional<range> seen_;
  int exponent_ = -148;  // The range ends at 2^exponent_; this one holds the least of all floats, 2^-149.
};

static_assert(observer<histogram>);

}  // namespace bitwright
