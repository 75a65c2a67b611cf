// SPDX-License-Identifier: MIT
#include <bitwright/layers/pieces.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace bitwright {
namespace {

TEST(pieces, hold_every_row_once_and_number_at_most_64) {
  for (std::size_t rows = 0; rows <= 1000; ++rows) {
    std::vector<std::size_t> seen(rows), numbers;
    const serial_executor serial;
    run_in_pieces(serial, rows, [&](std::size_t piece, std::size_t first, std::size_t last) {
      numbers.push_back(piece);
      ASSERT_LT(first, last);
      for (std::size_t row = first; row < last; ++row) ++seen.at(row);
    });
    EXPECT_EQ(seen, std::vector<std::size_t>(rows, 1));
    ASSERT_LE(numbers.size(), maximum_pieces);
    for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], i);
  }
}

}  // namespace
}  // namespace bitwright
