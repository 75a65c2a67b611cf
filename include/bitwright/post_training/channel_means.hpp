// SPDX-License-Identifier: MIT
/// \file
/// The mean of each channel over calibration data, such as the mean inputs of a layer that bias correction asks for.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/granularity.hpp>
#include <bitwright/core/tensor_view.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitwright {

/// The mean of each channel over all batches seen, such as E[x] of a layer's inputs. Sums are in double: two halves
/// merged equal one pass but for 2^-53 of the sum of magnitudes a sample.
class channel_means {
 public:
  /// `channels` in the dimension `axis` of every batch: 1 for images (batch x channels x rows x columns) and for
  /// vectors (batch x inputs).
  explicit channel_means(std::size_t channels, std::size_t axis = 1) : axis_(axis), sums_(channels) {}

  /// Throws invalid_argument unless the batch has the channels, and for a NaN or an infinity; then nothing of it counts.
  void observe(tensor_view<const float> batch) {
    const per_channel channels{axis_};
    require(channels.count(batch.shape()) == sums_.size(), "channel_means::observe: channels",
            channels.count(batch.shape()), "the number given, ", sums_.size());
    for (std::size_t i = 0; i < batch.values().size(); ++i)
      if (!std::isfinite(batch.values()[i]))
        fail("channel_means::observe: batch[" + std::to_string(i) + "]", batch.values()[i], "a finite number");
    for (std::size_t c = 0; c < sums_.size(); ++c) {
      const slice part = channels.at(batch.shape(), c);
      for (std::size_t block = 0; block < part.blocks; ++block)
        for (const float value : batch.values().subspan(part.offset + block * part.stride, part.length))
          sums_[c] += value;
    }
    if (!sums_.empty()) count_ += batch.values().size() / sums_.size();
  }

  /// Throws invalid_argument unless both have the same number of channels in the same dimension.
  void merge(const channel_means& other) {
    require(other.sums_.size() == sums_.size() && other.axis_ == axis_, "channel_means::merge: other's channels",
            other.sums_.size(), "this one's, ", sums_.size(), ", in the same dimension");
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
  std::size_t axis_;
  std::vector<double> sums_;
  std::uint64_t count_ = 0;  // Of samples in each channel.
};

}  // namespace bitwright
