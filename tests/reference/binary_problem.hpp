// SPDX-License-Identifier: MIT
/// \file
/// Binary gemms and convolutions for tests: signs as whole numbers for the oracle, and packed, with random bits beyond
/// each row's last, for kernels.
#pragma once

#include "naive_convolution.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/binary_convolution_arguments.hpp>
#include <bitwright/kernels/binary_gemm_arguments.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright::reference {

/// -1 or +1 each.
inline std::vector<std::int64_t> random_signs(std::int64_t count, random_codes& random) {
  std::vector<std::int64_t> signs = random.many(count, 0, 1);
  for (std::int64_t& sign : signs) sign = 2 * sign - 1;
  return signs;
}

/// Rows of `length` signs as bits, each row from a byte on, with `gap` bytes behind it; all that is no sign is random.
inline std::vector<std::byte> packed_signs(const std::vector<std::int64_t>& signs, std::size_t length,
                                           random_codes& random, std::size_t gap = 0) {
  const std::size_t stride = (length + 7) / 8 + gap, rows = length == 0 ? 0 : signs.size() / length;
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < rows * stride; ++i) bytes.push_back(static_cast<std::byte>(random.between(0, 255)));
  for (std::size_t i = 0; i < signs.size(); ++i) {
    std::byte& byte = bytes[i / length * stride + i % length / 8];
    const auto place = std::byte{1} << i % length % 8;
    byte = signs[i] > 0 ? byte | place : byte & ~place;
  }
  return bytes;
}

/// The oracle's part of a problem: activations and weights of -1 and +1, with padding of 0, which zero points of 0 are.
struct binary_problem : naive_convolution {
  std::vector<float> scales = {}, pixel_scales = {};

  void fill(random_codes& random) {
    const std::int64_t taps = down.kernel * across.kernel;
    activations = random_signs(images * down.image * across.image * group_channels, random);
    weights = random_signs(outputs * taps * group_channels, random);
    weight_zero_points.assign(static_cast<std::size_t>(outputs), 0);
    bias = random.many(outputs, -20, 20);
    // A sum of 100 signs has about 4 bits.
    for (std::int64_t n = 0; n < outputs; ++n) {
      factors.push_back(random.factor(26, 36));
      scales.push_back(static_cast<float>(random.between(1, 1 << 24)) * 0x1p-24f);
    }
    for (std::int64_t i = 0; i < pixels(); ++i)
      pixel_scales.push_back(static_cast<float>(random.between(1, 1 << 24)) * 0x1p-20f);
  }

  /// Codes of a type, and a zero point.
  template <class Output>
  void fill_outputs(random_codes& random) {
    using output = std::numeric_limits<Output>;
    least = random.between(output::min(), 0), most = random.between(least, output::max());
    output_zero_point = random.between(least, most);
  }

  std::int64_t pixels() const { return images * down.windows() * across.windows(); }
  std::vector<std::int64_t> sums() const {
    std::vector<std::int64_t> all;
    for (std::int64_t image = 0; image < images; ++image)
      for (std::int64_t y = 0; y < down.windows(); ++y)
        for (std::int64_t x = 0; x < across.windows(); ++x)
          for (std::int64_t n = 0; n < outputs; ++n) all.push_back(accumulator(image, y, x, n));
    return all;
  }

  /// The outputs as they lie in memory, with `gap` elements of `filler` behind each pixel's.
  template <class Output, class Rounding>
  std::vector<kernels::stored_output<Output>> expected(kernels::stored_output<Output> filler, std::size_t gap) const {
    const auto size = static_cast<std::size_t>(outputs), stride = kernels::stored_outputs<Output>(size) + gap;
    std::vector<kernels::stored_output<Output>> stored(static_cast<std::size_t>(pixels()) * stride, filler);
    const std::vector<std::int64_t> all = sums();
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto* const row = stored.data() + i / size * stride;
      const std::size_t n = i % size;
      if constexpr (std::same_as<Output, bool>) {
        if (n % 8 == 0) row[n / 8] = std::byte{0};
        if (all[i] >= 0) row[n / 8] |= std::byte{1} << n % 8;
      } else if constexpr (std::same_as<Output, float>) {
        // Products of two floats are exact in double: these conversions are the only roundings.
        row[n] = static_cast<float>(static_cast<double>(all[i]) * double{scales[n]});
        if (!pixel_scales.empty()) row[n] = static_cast<float>(double{row[n]} * double{pixel_scales[i / size]});
      } else {
        row[n] = static_cast<Output>(code_of<Rounding>(all[i], factors[n], output_zero_point, least, most));
      }
    }
    return stored;
  }
};

/// The rest of a problem, as kernels take it.
struct binary_constants {
  std::vector<std::byte> weights;
  std::vector<std::int32_t> bias;
  kernels::binary_sum sums;

  binary_constants(const binary_problem& p, random_codes& random)
      : weights(packed_signs(p.weights, static_cast<std::size_t>(p.group_channels), random)),
        bias(narrowed<std::int32_t>(p.bias)),
        sums{.outputs = static_cast<std::size_t>(p.outputs),
             .taps = static_cast<std::size_t>(p.down.kernel * p.across.kernel),
             .channels = static_cast<std::size_t>(p.group_channels),
             .weights = weights.data(),
             .bias = bias.data(),
             .factors = p.factors.data(),
             .output_zero_point = static_cast<std::int32_t>(p.output_zero_point),
             .output_codes = {static_cast<std::int32_t>(p.least), static_cast<std::int32_t>(p.most)},
             .scales = p.scales.data()} {}
};

}  // namespace bitwright::reference
