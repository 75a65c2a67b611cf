// SPDX-License-Identifier: MIT
// Every path of group-wise gemm against scalar, and scalar against whole numbers.
#include "group_problem.hpp"
#include "guarded_memory.hpp"
#include <bitwright/kernels/group_gemm.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace bitwright {
namespace {

using kernels::eight_bit_groups;
using kernels::four_bit_groups;
using kernels::four_bit_groups_with_zero_points;
using reference::bits_of;
using reference::group_problem;
using reference::random_codes;

/// The outputs of `p` that lie in rows, without the gaps.
template <class Format>
std::vector<float> without_gaps(const group_problem<Format>& p, const std::vector<float>& strided) {
  std::vector<float> rows;
  for (std::size_t m = 0; m < p.rows; ++m) {
    const auto row = strided.begin() + static_cast<std::ptrdiff_t>(m * (p.outputs + reference::row_gap));
    rows.insert(rows.end(), row, row + static_cast<std::ptrdiff_t>(p.outputs));
  }
  return rows;
}

template <class Format>
std::vector<float> scalar_outputs(const group_problem<Format>& p) {
  return without_gaps(p, outputs_of(kernels::group_gemm_paths<Format>.back(), p));
}

template <class Format>
void expect_every_path_equals_scalar(const group_problem<Format>& p) {
  const auto expected = bits_of(outputs_of(kernels::group_gemm_paths<Format>.back(), p));
  for (const auto& path : kernels::group_gemm_paths<Format>) {
    if (!path.available()) continue;
    ASSERT_EQ(bits_of(outputs_of(path, p)), expected)
        << path.name << ": " << p.rows << " x " << p.inputs << " x " << p.outputs;
  }
}

template <class Format>
class group_gemm : public testing::Test {
 protected:
  random_codes any{1};

  group_problem<Format> random(std::size_t rows, std::size_t outputs, std::size_t inputs) {
    return group_problem<Format>::random(rows, outputs, inputs, any);
  }
};

using formats = testing::Types<four_bit_groups, four_bit_groups_with_zero_points, eight_bit_groups>;
struct format_names {
  template <class Format>
  static std::string GetName(int) {
    return std::to_string(Format::bits) + (Format::has_zero_points ? "_bits_with_zero_points" : "_bits");
  }
};
TYPED_TEST_SUITE(group_gemm, formats, format_names);

TYPED_TEST(group_gemm, ends_its_list_of_paths_with_scalar) {
  EXPECT_EQ(kernels::group_gemm_paths<TypeParam>.back().name, "scalar");
}

TYPED_TEST(group_gemm, of_a_row_worked_out_by_hand_is_its_sum) {
  // max is 127, the scale 1. Weights 3 and -2, all others 0: 127 * 3 - (-1) * 2 = 383, halved, and 1/4 more.
  auto p = this->random(1, 1, 32);
  const auto zero = static_cast<std::int8_t>(TypeParam::has_zero_points ? 5 : TypeParam::zero_point);
  p.activations.assign(32, 0);
  p.activations[0] = 127, p.activations[1] = -1;
  p.codes.assign(32, zero);
  p.codes[0] = static_cast<std::int8_t>(zero + 3), p.codes[1] = static_cast<std::int8_t>(zero - 2);
  p.scales = {0x3800};
  if constexpr (TypeParam::has_zero_points) p.zero_points = {5};
  p.bias = {0.25f};
  EXPECT_EQ(scalar_outputs(p), std::vector<float>{191.75f});
  p.bias.clear();
  EXPECT_EQ(scalar_outputs(p), std::vector<float>{191.5f});
}

TYPED_TEST(group_gemm, equals_sums_in_whole_numbers_that_are_rounded_once_each) {
  for (const std::size_t inputs : std::initializer_list<std::size_t>{32, 64, 256, 1024}) {
    auto p = this->random(18, 5, inputs);
    EXPECT_EQ(bits_of(scalar_outputs(p)), bits_of(p.result()));
    p.bias.clear();
    EXPECT_EQ(bits_of(scalar_outputs(p)), bits_of(p.result()));
  }
}

TYPED_TEST(group_gemm, rounds_activations_half_to_even) {
  // 127 / max is 1: values are codes, and halves are ties.
  auto p = this->random(1, 9, 32);
  for (std::size_t k = 0; k < 32; ++k) p.activations[k] = static_cast<float>(k) - 15.5f;
  p.activations[7] = -127;
  EXPECT_EQ(p.row(0).codes[1], -14);
  EXPECT_EQ(p.row(0).codes[2], -14);
  EXPECT_EQ(bits_of(scalar_outputs(p)), bits_of(p.result()));
  expect_every_path_equals_scalar(p);
}

/// Up to twice the greatest tile and one more: 16 rows, 64 columns.
TYPED_TEST(group_gemm, is_the_same_on_every_path_for_every_number_of_outputs) {
  for (std::size_t outputs = 0; outputs <= 129; ++outputs) {
    expect_every_path_equals_scalar(this->random(1, outputs, 64));
    expect_every_path_equals_scalar(this->random(3, outputs, 32));
  }
}

TYPED_TEST(group_gemm, is_the_same_on_every_path_for_every_number_of_rows) {
  for (std::size_t rows = 0; rows <= 33; ++rows)
    for (const std::size_t outputs : std::initializer_list<std::size_t>{7, 40})
      expect_every_path_equals_scalar(this->random(rows, outputs, 64));
}

TYPED_TEST(group_gemm, is_the_same_on_every_path_for_every_number_of_groups) {
  for (std::size_t groups = 0; groups <= 17; ++groups) {
    expect_every_path_equals_scalar(this->random(1, 70, groups * 32));
    expect_every_path_equals_scalar(this->random(5, 37, groups * 32));
  }
}

TYPED_TEST(group_gemm, is_exact_for_extreme_codes_zero_points_and_scales) {
  for (const std::int32_t code : {TypeParam::codes.min, TypeParam::codes.max})
    for (const std::uint8_t zero_point : std::initializer_list<std::uint8_t>{0, 16})
      for (const int activation : {-1, 1})
        for (const std::uint16_t scale : std::initializer_list<std::uint16_t>{
                 0x7bff, 0xfbff, 0x0001, 0x8001, 0x0000})  // 65504, -65504, 2^-24, -2^-24, 0.
          for (const std::size_t rows : std::initializer_list<std::size_t>{1, 4}) {
            auto p = this->random(rows, 33, 96);
            std::ranges::fill(p.activations, static_cast<float>(activation) * 1.5f);
            std::ranges::fill(p.codes, static_cast<std::int8_t>(code));
            std::ranges::fill(p.scales, scale);
            std::ranges::fill(p.zero_points, zero_point);
            expect_every_path_equals_scalar(p);
            EXPECT_EQ(bits_of(scalar_outputs(p)), bits_of(p.result()));
          }
}

TYPED_TEST(group_gemm, does_not_saturate_where_pairs_of_products_are_greatest) {
  // -128 * -127 * 2 and 15 * 127 * 32, with both signs side by side.
  for (const int period : {1, 2, 4, 8, 16}) {
    auto p = this->random(6, 65, 128);
    for (std::size_t i = 0; i < p.activations.size(); ++i)
      p.activations[i] = i / static_cast<std::size_t>(period) % 2 == 0 ? -1.0f : 1.0f;
    for (std::size_t i = 0; i < p.codes.size(); ++i)
      p.codes[i] = static_cast<std::int8_t>(i / static_cast<std::size_t>(period) % 2 == 0 ? TypeParam::codes.min
                                                                                          : TypeParam::codes.max);
    expect_every_path_equals_scalar(p);
    EXPECT_EQ(bits_of(scalar_outputs(p)), bits_of(p.result()));
  }
}

TYPED_TEST(group_gemm, of_a_row_of_zeros_is_the_bias) {
  auto p = this->random(2, 20, 64);
  std::fill_n(p.activations.begin(), 64, -0.0f);
  const std::vector<float> outputs = scalar_outputs(p);
  EXPECT_EQ(bits_of(std::vector<float>(outputs.begin(), outputs.begin() + 20)), bits_of(p.bias));
  expect_every_path_equals_scalar(p);
  p.bias.clear();
  EXPECT_EQ(bits_of(scalar_outputs(p))[0], 0u) << "not -0";
  expect_every_path_equals_scalar(p);
}

TYPED_TEST(group_gemm, of_a_row_of_tiny_values_counts_them_as_zeros_where_no_float_is_their_inverse) {
  using limits = std::numeric_limits<float>;
  for (const float value : {limits::denorm_min(), limits::min(), 0x1p-122f, 0x1p-121f, 0x1p-120f, limits::max()}) {
    auto p = this->random(1, 20, 64);
    for (float& activation : p.activations) activation = std::copysign(value, activation);
    std::ranges::fill(p.scales, std::uint16_t{0x3c00});
    std::ranges::fill(p.bias, 1.0f);
    EXPECT_EQ(scalar_outputs(p) == p.bias, value < 0x1p-80f) << value;
    expect_every_path_equals_scalar(p);
  }
}

TYPED_TEST(group_gemm, of_a_row_with_a_nan_or_an_infinity_is_nan_and_other_rows_are_as_without_it) {
  using limits = std::numeric_limits<float>;
  for (const float value : {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN()})
    for (const std::size_t rows : std::initializer_list<std::size_t>{1, 2, 17}) {
      auto p = this->random(rows, 33, 64);
      const std::vector<float> before = scalar_outputs(p);
      p.activations[(rows - 1) * 64 + 37] = value;
      const std::vector<float> outputs = scalar_outputs(p);
      for (std::size_t i = 0; i < outputs.size(); ++i)
        EXPECT_TRUE(i / 33 + 1 == rows ? std::isnan(outputs[i]) : outputs[i] == before[i]) << i;
      expect_every_path_equals_scalar(p);
    }
}

/// Whether packed memory gives back every code, scale and zero point.
template <class Tile>
void expect_lossless(const group_problem<typename Tile::format>& p) {
  const auto layout = kernels::group_layout<Tile>(p.weights());
  std::vector<std::byte, aligned_allocator<std::byte>> packed(layout.bytes(), std::byte{99});
  kernels::pack_group_panels<Tile>(p.weights(), packed.data());
  for (std::size_t n = 0; n < p.outputs; ++n)
    for (std::size_t g = 0; g < p.groups(); ++g) {
      const std::size_t from = n * p.groups() + g, panel = n / Tile::lanes, lane = n % Tile::lanes;
      for (std::size_t k = 0; k < 32; ++k) ASSERT_EQ(layout.code(packed.data(), n, g, k), p.codes[from * 32 + k]);
      ASSERT_EQ(*kernels::packed_array<std::uint16_t>(packed.data(), layout.scale(panel, lane, g)), p.scales[from]);
      if constexpr (Tile::format::has_zero_points) {
        ASSERT_EQ(packed[layout.zero_point(panel, lane, g)], std::byte{p.zero_points[from]});
      }
    }
}

TYPED_TEST(group_gemm, packs_without_loss) {
  for (const std::size_t outputs : std::initializer_list<std::size_t>{1, 16, 35}) {
    const auto p = this->random(0, outputs, 96);
    expect_lossless<kernels::scalar::group_tile<TypeParam>>(p);
#if defined(__x86_64__) && defined(__GNUC__)
    expect_lossless<kernels::avx2::group_tile<TypeParam>>(p);
    expect_lossless<kernels::avx_vnni::group_tile<TypeParam>>(p);
    expect_lossless<kernels::avx512_vnni::group_tile<TypeParam>>(p);
#elif defined(__aarch64__)
    expect_lossless<kernels::neon::group_tile<TypeParam>>(p);
    expect_lossless<kernels::neon_dotprod::group_tile<TypeParam>>(p);
#endif
  }
}

TYPED_TEST(group_gemm, packs_4_bit_codes_in_4_bits_and_scales_in_16) {
  const group_problem<TypeParam> p{1, 64, 4096, {}, {}, {}, {}, {}};
  const double bits = TypeParam::bits + 16.0 / 32 + (TypeParam::has_zero_points ? 8.0 / 32 : 0);
  for (const auto& path : kernels::group_gemm_paths<TypeParam>) {
    const auto bytes = static_cast<double>(path.packed_bytes(p.weights()));
    EXPECT_EQ(bytes, 64 * 4096 * bits / 8 + 64 * 4) << path.name << ": and a bias for each output";
  }
}

/// A run whose buffers all lie at a page that nobody may touch.
template <class Format>
void expect_nothing_outside(const group_problem<Format>& p, reference::fence side) {
  using reference::guarded_memory;
  for (const auto& path : kernels::group_gemm_paths<Format>) {
    if (!path.available()) continue;
    reference::fenced_call::is("group_gemm " + std::string(path.name));
    const guarded_memory<float> activations(p.activations, side), outputs(p.rows * p.outputs, side);
    const guarded_memory<std::byte> packed(path.packed_bytes(p.weights()), side, 64),
        workspace(kernels::group_gemm_workspace_bytes(p.weights(), p.rows), side, 64);
    path.pack(p.weights(), packed.data());
    const kernels::group_gemm_arguments call{p.weights(), packed.data(),  p.rows,    activations.data(),
                                             p.inputs,    outputs.data(), p.outputs, workspace.data()};
    path.quantize(call, 0, p.rows);
    path.run(call, 0, p.outputs);
    EXPECT_TRUE(outputs.is_intact_around() && packed.is_intact_around() && workspace.is_intact_around()) << path.name;
  }
}

TYPED_TEST(group_gemm, touches_nothing_outside_of_its_buffers) {
  for (const reference::fence side : {reference::fence::before, reference::fence::after})
    for (const auto& [rows, outputs, inputs] : std::vector<std::tuple<std::size_t, std::size_t, std::size_t>>{
             {1, 1, 32}, {1, 75, 96}, {2, 16, 64}, {5, 39, 32}, {17, 64, 64}})
      expect_nothing_outside(this->random(rows, outputs, inputs), side);
}

}  // namespace
}  // namespace bitwright
