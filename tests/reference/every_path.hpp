// SPDX-License-Identifier: MIT
/// \file
/// Whether every path of a quantizer that this processor can run gives the bits of scalar.
#pragma once

#include <bitwright/quantizers/paths.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace bitwright::reference {

/// NaN, infinities, zeros, denormals, the greatest floats, multiples of 1/16 and their neighbours (with a scale that is
/// a power of two: every tie), and floats of every exponent.
inline std::vector<float> awkward_values() {
  using limits = std::numeric_limits<float>;
  std::vector<float> values{limits::quiet_NaN(), -limits::quiet_NaN(), limits::infinity(), limits::max(),
                            limits::min(),       limits::denorm_min(), 0x1p-140f,          0.0f};
  for (int sixteenths = 1; sixteenths <= 200; ++sixteenths) {
    const float value = static_cast<float>(sixteenths) / 16;
    for (const float near : {std::nextafter(value, 0.0f), value, std::nextafter(value, limits::infinity())})
      values.push_back(near);
  }
  std::mt19937 generator(1);
  for (int i = 0; i < 2000; ++i) values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(generator())));
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  return values;
}

/// `path` on `values`, beside an element that it must not touch.
template <class Q>
void expect_equals_scalar(const span_path<Q>& path, const Q& q, std::span<const float> values) {
  using code = typename Q::code_type;
  const std::size_t count = values.size();
  std::vector<code> expected(count + 1, code{42}), codes(count + 1, code{42});
  paths::scalar::quantize(q, values.data(), expected.data(), count);
  path.quantize(q, values.data(), codes.data(), count);
  for (std::size_t i = 0; i <= count; ++i)
    ASSERT_EQ(codes[i], expected[i]) << path.name << " of " << (i < count ? values[i] : 0) << ", element " << i
                                     << " of " << count;
  std::vector<float> restored_expected(count + 1, 42), restored(count + 1, 42);
  paths::scalar::dequantize(q, expected.data(), restored_expected.data(), count);
  path.dequantize(q, expected.data(), restored.data(), count);
  for (std::size_t i = 0; i <= count; ++i)
    ASSERT_EQ(std::bit_cast<std::uint32_t>(restored[i]), std::bit_cast<std::uint32_t>(restored_expected[i]))
        << path.name << " of code " << +expected[i] << ", element " << i << " of " << count;
}

/// All values at once, and every size up to two blocks and one element more, at odd addresses too.
template <class Q>
void expect_every_path_equals_scalar(const Q& q, const std::vector<float>& values = awkward_values()) {
  for (const span_path<Q>& path : span_paths<Q>) {
    if (!path.available()) continue;
    expect_equals_scalar(path, q, values);
    for (std::size_t size = 0; size <= 2 * paths::block_size + 1; ++size)
      expect_equals_scalar(path, q, std::span(values).subspan(size % 7, size));
  }
}

/// Every number that a code can hold, in order: some may be codes that no value has.
template <class Q>
void expect_every_path_restores_every_code(const Q& q) {
  using code = typename Q::code_type;
  constexpr std::size_t count = std::size_t{1} << (8 * sizeof(code));
  std::vector<code> codes(count);
  for (std::size_t i = 0; i < count; ++i) codes[i] = static_cast<code>(i);
  std::vector<float> expected(count), restored(count);
  paths::scalar::dequantize(q, codes.data(), expected.data(), count);
  for (const span_path<Q>& path : span_paths<Q>) {
    if (!path.available()) continue;
    path.dequantize(q, codes.data(), restored.data(), count);
    for (std::size_t i = 0; i < count; ++i)
      if (std::bit_cast<std::uint32_t>(restored[i]) != std::bit_cast<std::uint32_t>(expected[i]))
        FAIL() << path.name << " of code " << +codes[i] << ": " << restored[i] << " instead of " << expected[i];
  }
}

}  // namespace bitwright::reference
