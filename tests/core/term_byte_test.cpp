// SPDX-License-Identifier: MIT
#include <bitwright/core/term_byte.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace bitwright {
namespace {

TEST(term_byte, is_each_of_256_bytes_once) {
  std::vector<bool> seen(256);
  for (std::size_t advance = 0; advance <= term_byte::longest_advance; ++advance)
    for (int exponent = 0; exponent <= term_byte::greatest_exponent; ++exponent)
      for (const bool negative : {false, true}) {
        const term_byte byte = term_byte::term(advance, exponent, negative);
        EXPECT_EQ(std::tuple(byte.is_term(), byte.advance(), byte.exponent(), byte.is_negative()),
                  std::tuple(true, advance, exponent, negative));
        EXPECT_FALSE(seen[byte.bits]);
        seen[byte.bits] = true;
      }
  for (std::size_t step = 8; step <= term_byte::longest_step; step += term_byte::shortest_step) {
    const term_byte byte = term_byte::step(step);
    EXPECT_FALSE(byte.is_term());
    EXPECT_EQ(byte.advance(), step);
    EXPECT_FALSE(seen[byte.bits]);
    seen[byte.bits] = true;
  }
  EXPECT_EQ(seen, std::vector<bool>(256, true));
}

TEST(term_byte, walks_through_a_row) {
  // -2^3 and 2^0 at input 5, 2^14 at input 5 + 136 + 2.
  const std::vector<term_byte> row{term_byte::term(5, 3, true), term_byte::term(0, 0, false), term_byte::step(128),
                                   term_byte::step(8), term_byte::term(2, 14, false)};
  std::vector<std::tuple<std::size_t, int, bool>> terms;
  for_each_term(row.data(), row.data() + row.size(),
                [&](std::size_t input, int exponent, bool negative) { terms.emplace_back(input, exponent, negative); });
  EXPECT_EQ(terms, (std::vector<std::tuple<std::size_t, int, bool>>{{5, 3, true}, {5, 0, false}, {143, 14, false}}));
}

}  // namespace
}  // namespace bitwright
