// SPDX-License-Identifier: MIT
#include <bitwright/kernels/kept_sums.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {
namespace {

/// Two rows of three columns, and one that no output has.
struct small_tile {
  std::array<std::int32_t, 8> sums{1, INT32_MIN, 3, 99, 4, INT32_MAX, 6, 99};
  std::array<std::int32_t, 4> multipliers{1 << 30, 1 << 30, 1 << 30, 12345}, shifts{30, 30, 30, 40};
  std::array<std::int32_t, 10> memory{};
  std::array<std::byte*, 2> rows{reinterpret_cast<std::byte*>(memory.data()),
                                 reinterpret_cast<std::byte*>(memory.data() + 5)};
  std::int32_t zero_point = 0;
  code_range codes = code_range::all_of<std::int32_t>();

  tile_codes task() const {
    return {.sums = sums.data(),
            .rows = 2,
            .columns = 3,
            .padded_columns = 4,
            .multipliers = multipliers.data(),
            .shifts = shifts.data(),
            .may_tie = true,
            .window = code_window::of(zero_point, codes),
            .zero_point = zero_point,
            .output_codes = codes,
            .outputs = rows.data(),
            .first_output = 1};
  }
};

TEST(kept_sums, are_copied_to_the_columns_that_outputs_have) {
  small_tile tile;
  ASSERT_TRUE(keeps_sums(tile.task()));
  copy_sums(tile.task());
  EXPECT_EQ(tile.memory, (std::array<std::int32_t, 10>{0, 1, INT32_MIN, 3, 0, 0, 4, INT32_MAX, 6, 0}));
}

TEST(kept_sums, have_the_factor_1_and_no_clamp) {
  small_tile factor, shift, shifted_zero, clamped;
  factor.multipliers[2] += 1, shift.shifts[0] = 31, shifted_zero.zero_point = 1, clamped.codes.min += 1;
  for (const small_tile* tile : {&factor, &shift, &shifted_zero, &clamped}) EXPECT_FALSE(keeps_sums(tile->task()));
}

}  // namespace
}  // namespace bitwright::kernels
