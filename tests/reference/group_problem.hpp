// SPDX-License-Identifier: MIT
/// \file
/// A group-wise gemm with all it reads, and what it has to give, worked out in whole numbers.
#pragma once

#include "exact_fma.hpp"
#include "random_codes.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/group_gemm.hpp>
#include <bitwright/quantizers/minifloat.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright::reference {

template <kernels::group_format Format>
struct group_problem {
  std::size_t rows, outputs, inputs;
  std::vector<float> activations;  ///< Rows x inputs.
  std::vector<std::int8_t> codes;
  std::vector<std::uint16_t> scales;
  std::vector<std::uint8_t> zero_points;
  std::vector<float> bias;

  std::size_t groups() const { return inputs / kernels::group_size; }

  /// Activations of 2^-6 to 2^6 times one float in [1, 2) and both signs; scales of all normal fp16 numbers up to 2.
  static group_problem random(std::size_t rows, std::size_t outputs, std::size_t inputs, random_codes& any) {
    const auto count = [](std::size_t elements) { return static_cast<std::int64_t>(elements); };
    group_problem p{rows, outputs, inputs, {}, {}, {}, {}, {}};
    for (std::size_t i = 0; i < rows * inputs; ++i) {
      const auto fraction = static_cast<float>(any.between(1 << 23, (1 << 24) - 1));
      p.activations.push_back(
          std::ldexp(any.between(0, 1) == 0 ? fraction : -fraction, static_cast<int>(any.between(-6, 6)) - 23));
    }
    const std::size_t all = outputs * p.groups();
    p.codes = narrowed<std::int8_t>(any.many(count(outputs * inputs), Format::codes.min, Format::codes.max));
    p.scales = narrowed<std::uint16_t>(any.many(count(all), 0x0400, 0x4000));
    for (std::uint16_t& scale : p.scales) scale = static_cast<std::uint16_t>(scale | any.between(0, 1) << 15);
    if constexpr (Format::has_zero_points)
      p.zero_points = narrowed<std::uint8_t>(any.many(count(all), 0, Format::greatest_zero_point));
    for (std::size_t n = 0; n < outputs; ++n) p.bias.push_back(static_cast<float>(any.between(-5000, 5000)) / 16);
    return p;
  }

  kernels::group_weights weights() const {
    return {outputs, inputs, codes.data(), scales.data(), zero_points.data(), bias.empty() ? nullptr : bias.data()};
  }

  struct quantized_row {
    float scale;
    std::vector<std::int64_t> codes;
  };

  /// For finite rows. Quotients and products of floats in double, which is exact enough to be rounded once more.
  quantized_row row(std::size_t m) const {
    const float* const values = activations.data() + m * inputs;
    double greatest = 0;
    for (std::size_t k = 0; k < inputs; ++k) greatest = std::max(greatest, std::abs(double{values[k]}));
    const double quotient = greatest > 0 ? 127 / greatest : 0;
    const float inverse = quotient < 0x1.ffffffp127 ? static_cast<float>(quotient) : 0;
    quantized_row row{static_cast<float>(greatest / 127), {}};
    for (std::size_t k = 0; k < inputs; ++k) {
      const double product = static_cast<float>(double{values[k]} * double{inverse});
      const double below = std::floor(product), rest = product - below;
      const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0);
      row.codes.push_back(static_cast<std::int64_t>(below) + (up ? 1 : 0));
    }
    return row;
  }

  std::int64_t dot(const quantized_row& row, std::size_t n, std::size_t g) const {
    std::int64_t zero_point = Format::zero_point, sum = 0;
    if constexpr (Format::has_zero_points) zero_point = zero_points[n * groups() + g];
    for (std::size_t k = g * kernels::group_size; k < (g + 1) * kernels::group_size; ++k)
      sum += (codes[n * inputs + k] - zero_point) * row.codes[k];
    return sum;
  }

  std::vector<float> result() const {
    std::vector<float> outputs_of_rows;
    for (std::size_t m = 0; m < rows; ++m) {
      const quantized_row quantized = row(m);
      for (std::size_t n = 0; n < outputs; ++n) {
        float sum = 0;
        for (std::size_t g = 0; g < groups(); ++g)
          sum = exact_fma(static_cast<float>(dot(quantized, n, g)), fp16().dequantize(scales[n * groups() + g]), sum);
        outputs_of_rows.push_back(exact_fma(sum, quantized.scale, bias.empty() ? 0 : bias[n]));
      }
    }
    return outputs_of_rows;
  }
};

/// Floats as bits, so that NaN and zeros compare.
inline std::vector<std::uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

/// Rows lie so many elements apart beyond their own, which nobody writes.
inline constexpr std::size_t row_gap = 3;

/// What `path` gives, in several calls, and what it leaves between rows.
template <kernels::group_format Format>
std::vector<float> outputs_of(const kernels::group_gemm_path& path, const group_problem<Format>& p) {
  using memory = std::vector<std::byte, aligned_allocator<std::byte>>;
  memory packed(path.packed_bytes(p.weights())),
      workspace(kernels::group_gemm_workspace_bytes(p.weights(), p.rows), std::byte{99});
  path.pack(p.weights(), packed.data());
  std::vector<float> strided(p.rows * (p.inputs + row_gap), 77), outputs(p.rows * (p.outputs + row_gap), 99);
  for (std::size_t m = 0; m < p.rows; ++m)
    std::copy_n(p.activations.data() + m * p.inputs, p.inputs, strided.data() + m * (p.inputs + row_gap));
  const kernels::group_gemm_arguments call{p.weights(),         packed.data(),      p.rows,
                                           strided.data(),      p.inputs + row_gap, outputs.data(),
                                           p.outputs + row_gap, workspace.data()};
  path.quantize(call, p.rows / 3, p.rows);
  path.quantize(call, 0, p.rows / 3);
  const std::size_t middle = p.outputs / 2 / kernels::group_gemm_columns * kernels::group_gemm_columns;
  path.run(call, middle, p.outputs);
  path.run(call, 0, middle);
  return outputs;
}

}  // namespace bitwright::reference
