// SPDX-License-Identifier: MIT
/// \file
/// The mean of each channel over calibration data, such as the mean inputs of a layer that bias correction asks for.
#pragma once

#include <bitwright/core/error.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitwright {

/// Channels lie side by side, as in images of rows x columns x channels and in vectors of inputs. Sums are in double: two
/// halves merged equal one pass but for 2^-53 of the sum of magnitudes a sample.
class channel_means {
 public:
  explicit channel_means(std::size_t channels) : sums_(channels) {}

  /// Throws invalid_argument unless the samples are whole sets of channels, and for a NaN or an infinity, naming its
  /// index; then nothing of them counts. An empty span changes nothing.
  void observe(std::span<const float> samples) {
    if (samples.empty()) return;
    require(!sums_.empty() && samples.size() % sums_.size() == 0, "channel_means::observe: samples.size()",
            samples.size(), "a multiple of the channels, ", sums_.size());
    for (std::size_t i = 0; i < samples.size(); ++i)
      if (!std::isfinite(samples[i]))
        fail("channel_means::observe: samples[" + std::to_string(i) + "]", samples[i], "a finite number");
    for (std::size_t i = 0; i < samples.size(); i += sums_.size())
      for (std::size_t c = 0; c < sums_.size(); ++c) sums_[c] += samples[i + c];
    count_ += samples.size() / sums_.size();
  }

  /// Throws invalid_argument unless both have the same number of channels.
  void merge(const channel_means& other) {
    require(other.sums_.size() == sums_.size(), "channel_means::merge: other's channels", other.sums_.size(),
            "this one's, ", sums_.size());
    for (std::size_t c = 0; c < sums_.size(); ++c) sums_[c] += other.sums_[c];
    count_ += other.count_;
  }

  /// One for each channel. Throws invalid_argument before the first sample.
  std::vector<double> values() const {
    require(count_ > 0, "channel_means::values: samples observed", 0, "at least one");
    std::vector<double> means = sums_;
    for (double& mean : means) mean /= static_cast<double>(count_);
    return means;
  }

 private:
  std::vector<double> sums_;
  std::uint64_t count_ = 0;  // Of samples in each channel.
};

}  // namespace bitwright
