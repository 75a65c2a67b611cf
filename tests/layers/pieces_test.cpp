// SPDX-License-Identifier: MIT
#include <bitwright/layers/pieces.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace bitwright {
namespace {

void expect_pieces(std::size_t rows, std::size_t least) {
  std::vector<std::size_t> seen(rows), numbers;
  const serial_executor serial;
  const auto check = [&](std::size_t piece, std::size_t first, std::size_t last) {
    numbers.push_back(piece);
    ASSERT_LT(first, last);
    ASSERT_TRUE(last - first >= least || last == rows) << least;
    for (std::size_t row = first; row < last; ++row) ++seen.at(row);
  };
  run_in_pieces(serial, rows, check, least);
  EXPECT_EQ(seen, std::vector<std::size_t>(rows, 1));
  ASSERT_LE(numbers.size(), maximum_pieces);
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], i);
}

TEST(pieces, hold_every_row_once_and_number_at_most_64) {
  for (const std::size_t least : {1u, 3u, 48u})
    for (std::size_t rows = 0; rows <= 1000; ++rows) expect_pieces(rows, least);
}

TEST(pieces, of_pixels_have_the_fewest_rows_that_hold_enough) {
  EXPECT_EQ(rows_of(48, 7), 7u);
  EXPECT_EQ(rows_of(48, 48), 1u);
  EXPECT_EQ(rows_of(48, 49), 1u);
}

}  // namespace
}  // namespace bitwright
