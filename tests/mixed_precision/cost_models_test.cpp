// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/cost_models.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace bitwright {
namespace {

/// 10 rows of 27 weights at 4 places.
constexpr layer_work small{.rows = 10, .row_weights = 27, .operations = 1080, .inputs = 48, .outputs = 40};

TEST(weight_bytes, count_codes_padding_scales_and_zero_points) {
  EXPECT_EQ(weight_bytes(small, 8), 10 * (27 + 4));
  EXPECT_EQ(weight_bytes(small, 4), 10 * (14 + 4));  // 108 bits are 13.5 bytes.
  EXPECT_EQ(weight_bytes(small, 3), 10 * (11 + 4));  // 81 bits are 10.125 bytes.
  EXPECT_EQ(weight_bytes(small, 4, {.row_alignment = 16}), 10 * (16 + 4));
  EXPECT_EQ(weight_bytes(small, 4, {.group = 8, .scale_bytes = 2, .zero_point_bytes = 1}), 10 * (14 + 4 * 3));
  EXPECT_EQ(weight_bytes(small, 0), 0);
  EXPECT_EQ(weight_bytes({}, 8), 0);
}

TEST(weight_bytes, of_a_residual_network_of_50_layers_are_what_is_published) {
  // 97.8 MB in 32 bits are 6.11 MB in 2 and 9.17 MB in 3 bits (scales aside): 97.8 b / 32.
  const layer_work all{.rows = 1, .row_weights = 97'800'000 / 4};
  EXPECT_EQ(weight_bytes(all, 2, {.scale_bytes = 0}), 6'112'500);
  EXPECT_EQ(weight_bytes(all, 3, {.scale_bytes = 0}), 9'168'750);
}

TEST(bit_operations, multiply_both_widths) {
  EXPECT_EQ(bit_operations(small, 4, 8), 1080 * 32);
  EXPECT_EQ(bit_operations(small, 0, 8), 0);
  EXPECT_THROW(bit_operations({.operations = std::int64_t{1} << 53}, 64, 64), invalid_argument);
}

TEST(energy, adds_up_arithmetic_and_memory) {
  // An 8-bit multiply-accumulate takes 0.3 pJ: 1000 of them 300 pJ.
  EXPECT_EQ(energy({.operations = 1000}, 8, 8), 300'000);
  // At 4 x 4 bits a quarter of 0.2, and 0.1.
  EXPECT_EQ(energy({.operations = 1000}, 4, 4), 150'000);
  // 4 weights of 8 bits are 32 bits from memory: 640 pJ. 8 activations of 4 bits from the buffer: 5 pJ.
  EXPECT_EQ(energy({.rows = 1, .row_weights = 4, .inputs = 5, .outputs = 3}, 8, 4), 645'000);
  EXPECT_EQ(energy(small, 0, 8), 0);
}

TEST(roofline_latency, is_the_longer_of_computing_and_moving) {
  const roofline machine{.operations_per_second = 1e9, .bytes_per_second = 1e9, .overhead_seconds = 1e-6};
  // 1080 ns to compute against 270 + 40 + 88 bytes.
  EXPECT_EQ(roofline_latency(small, 8, 8, machine), 1080 + 1000);
  EXPECT_EQ(roofline_latency(small, 4, 4, machine), 1080 + 1000);  // No arithmetic below 8 bits.
  const layer_work wide{.rows = 1, .row_weights = 10'000, .operations = 10'000};
  EXPECT_EQ(roofline_latency(wide, 8, 8, {.operations_per_second = 1e12, .bytes_per_second = 1e9}, {.scale_bytes = 0}),
            10'000);
  EXPECT_EQ(roofline_latency(wide, 2, 8, {.operations_per_second = 1e12, .bytes_per_second = 1e9}, {.scale_bytes = 0}),
            2'500);
  EXPECT_EQ(roofline_latency(wide, 4, 4,
                             {.operations_per_second = 1e9, .bytes_per_second = 1e12, .least_arithmetic_bits = 4}),
            5'000);
}

TEST(cost_models, refuse_counts_and_bits_out_of_range) {
  EXPECT_THROW(weight_bytes({.rows = -1}, 8), invalid_argument);
  EXPECT_THROW(weight_bytes({.rows = std::int64_t{1} << 40, .row_weights = std::int64_t{1} << 40}, 8),
               invalid_argument);
  EXPECT_THROW(weight_bytes(small, 65), invalid_argument);
  EXPECT_THROW(weight_bytes(small, 8, {.row_alignment = 0}), invalid_argument);
  EXPECT_THROW(weight_bytes({.rows = std::int64_t{1} << 53, .row_weights = 1}, 8, {.row_alignment = 4096}),
               invalid_argument);
  EXPECT_THROW(roofline_latency(small, 8, 8, {.bytes_per_second = 0}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
