// SPDX-License-Identifier: MIT
// Every path of binarize against one comparison a value, beside pages without access.
#include "guarded_memory.hpp"
#include "random_codes.hpp"
#include <bitwright/kernels/binarize.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::fence;
using reference::fenced_call;
using reference::guarded_memory;
using reference::random_codes;

/// Whether each path gives each value its bit, in rows of any length with gaps, and leaves the gaps alone.
template <class Value>
void expect_exact(const std::vector<Value>& values, std::size_t rows, std::size_t gap, Value threshold) {
  const std::size_t stride = rows == 0 ? 0 : values.size() / rows, length = stride - gap;
  const std::size_t bytes = (length + 7) / 8 + gap;
  std::vector<std::byte> expected(rows * bytes, std::byte{77});
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < (length + 7) / 8 * 8; ++i) {
      std::byte& byte = expected[row * bytes + i / 8];
      if (i % 8 == 0) byte = std::byte{0};
      if (i < length && !(values[row * stride + i] < threshold)) byte |= std::byte{1} << i % 8;
    }
  for (const auto& path : kernels::binarize_paths<Value>) {
    if (!path.available()) continue;
    for (const fence side : {fence::before, fence::after}) {
      fenced_call::is(std::string(path.name) + ", binarize " + std::to_string(length));
      const guarded_memory<Value> from(values, side);
      const guarded_memory<std::byte> to(std::vector<std::byte>(rows * bytes, std::byte{77}), side);
      path.run({.values = from.data(),
                .length = length,
                .value_stride = stride,
                .threshold = threshold,
                .bits = to.data(),
                .byte_stride = bytes},
               0, rows);
      ASSERT_EQ(std::vector<std::byte>(to.elements().begin(), to.elements().end()), expected)
          << path.name << ", " << length << " values";
    }
  }
}

template <class Code>
void expect_exact_for_codes() {
  random_codes random(1);
  for (std::size_t length = 0; length <= 70; ++length)
    for (const int threshold : {-128, -1, 0, 1, 127, 128, 255}) {
      if (threshold < std::numeric_limits<Code>::min() || threshold > std::numeric_limits<Code>::max()) continue;
      const std::size_t gap = length % 2;
      std::vector<Code> codes;
      // Around the threshold as often as anywhere.
      for (std::size_t i = 0; i < 2 * (length + gap); ++i)
        codes.push_back(static_cast<Code>(random.between(0, 1) == 0 ? threshold + random.between(-1, 1)
                                                                    : random.between(-128, 255)));
      expect_exact<Code>(codes, 2, gap, static_cast<Code>(threshold));
    }
}

TEST(binarize, gives_codes_from_the_threshold_on_the_bit_1) {
  expect_exact_for_codes<std::uint8_t>();
  expect_exact_for_codes<std::int8_t>();
}

TEST(binarize, gives_values_from_the_threshold_on_and_both_zeros_and_nan_the_bit_1) {
  using limits = std::numeric_limits<float>;
  const std::vector<float> awkward{0.0f,
                                   -0.0f,
                                   limits::denorm_min(),
                                   -limits::denorm_min(),
                                   limits::min(),
                                   -limits::min(),
                                   limits::infinity(),
                                   -limits::infinity(),
                                   limits::quiet_NaN(),
                                   1.0f,
                                   -1.0f,
                                   limits::max()};
  random_codes random(2);
  for (std::size_t length = 0; length <= 70; ++length)
    for (const float threshold : {0.0f, 1.0f, -limits::infinity()}) {
      std::vector<float> values;
      for (std::size_t i = 0; i < 3 * (length + 2); ++i)
        values.push_back(awkward[static_cast<std::size_t>(random.between(0, 11))]);
      expect_exact<float>(values, 3, 2, threshold);
    }
}

}  // namespace
}  // namespace bitwright
