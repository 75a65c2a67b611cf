// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

TEST(error, names_the_argument_its_value_and_what_was_expected) {
  EXPECT_EQ(refusal([] { require(false, "gemm: depth", 3, "at most ", std::size_t{2}, " for ", 0.5f); }),
            "gemm: depth is 3, expected at most 2 for 0.5");
  EXPECT_EQ(refusal([] { fail("file: name", std::string("x.npy"), std::string("a path")); }),
            "file: name is \"x.npy\", expected a path");
}

TEST(error, is_a_standard_invalid_argument) {
  EXPECT_THROW(fail("stop"), std::invalid_argument);
  EXPECT_EQ(refusal([] { fail("stop"); }), "stop");
}

TEST(error, is_not_raised_when_the_requirement_holds) {
  EXPECT_NO_THROW(require(true, "f: x", 1, "anything"));
  static_assert((require(true, "f: x", 1, "anything"), true), "constant expressions can be checked");
}

TEST(describe, shows_numbers_in_the_fewest_digits_that_read_back_the_same) {
  EXPECT_EQ(describe(0.1f), "0.1");
  EXPECT_EQ(describe(0.1), "0.1");
  EXPECT_EQ(describe(double{0.1f}), "0.10000000149011612");
  EXPECT_EQ(describe(std::numeric_limits<float>::max()), "3.4028235e+38");
  EXPECT_EQ(describe(-std::numeric_limits<double>::denorm_min()), "-5e-324");
  EXPECT_EQ(describe(-2.2250738585072014e-308), "-2.2250738585072014e-308");  // As long as a double gets.
  EXPECT_EQ(describe(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(describe(-std::numeric_limits<float>::infinity()), "-inf");
}

TEST(describe, shows_integers_of_every_width_as_numbers) {
  EXPECT_EQ(describe(std::int8_t{-128}), "-128");
  EXPECT_EQ(describe(std::uint8_t{65}), "65");  // Not the letter A.
  EXPECT_EQ(describe(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(describe(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(describe(true), "true");
}

TEST(describe, shows_text_in_quotes_and_ranges_in_brackets) {
  EXPECT_EQ(describe("avx2"), "\"avx2\"");
  EXPECT_EQ(describe(std::vector<int>{}), "[]");
  EXPECT_EQ(describe(std::array{1.5f, -2.0f}), "[1.5, -2]");
  EXPECT_EQ(describe(std::vector<std::string>{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(describe(std::vector<std::vector<int>>{{1}, {}}), "[[1], []]");
}

}  // namespace
}  // namespace bitwright
