// SPDX-License-Identifier: MIT
#include <bitwright/quantizers/signed_digits.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace bitwright {
namespace {

/// A number's terms, largest first.
using terms = std::vector<std::int32_t>;

template <signed_digit_encoding Encoding>
terms terms_of(std::int32_t value) {
  const signed_digits digits = Encoding::encode(value);
  terms found;
  for (int exponent = 31; exponent >= 0; --exponent) {
    const std::int64_t power = std::int64_t{1} << exponent;
    if (digits.positive & power) found.push_back(static_cast<std::int32_t>(power));
    if (digits.negative & power) found.push_back(static_cast<std::int32_t>(-power));
  }
  return found;
}

/// The textbook's non-adjacent form, digit by digit: an odd rest gives up the 1 or -1 that leaves a multiple of 4.
terms textbook_non_adjacent(std::int32_t value) {
  terms found;
  for (std::int32_t power = 1; value != 0; value /= 2, power *= 2) {
    if (value % 2 == 0) continue;
    const std::int32_t digit = (value - 1) % 4 == 0 ? 1 : -1;
    found.push_back(digit * power);
    value -= digit;
  }
  std::ranges::reverse(found);
  return found;
}

/// The published pass, run by run from the lowest bit.
terms textbook_hese(std::int32_t value) {
  terms found;
  for (std::int32_t power = 1; power <= value; power *= 2) {
    if (value / power % 2 == 0) continue;
    const std::int32_t first = power;
    while (value / power % 2 == 1) power *= 2;
    if (power == 2 * first) {
      found.push_back(first);
    } else {
      found.push_back(-first);
      found.push_back(power);
    }
  }
  std::ranges::reverse(found);
  return found;
}

TEST(signed_digits, of_27_are_those_of_each_encoding) {
  EXPECT_EQ(terms_of<binary_digits>(27), (terms{16, 8, 2, 1}));
  EXPECT_EQ(terms_of<non_adjacent>(27), (terms{32, -4, -1}));
  EXPECT_EQ(terms_of<hese>(27), (terms{32, -8, 4, -1}));
  EXPECT_EQ(terms_of<non_adjacent>(-27), (terms{-32, 4, 1}));
}

TEST(signed_digits, are_those_of_the_textbook) {
  for (std::int32_t value = 0; value <= 5000; ++value) {
    ASSERT_EQ(terms_of<non_adjacent>(value), textbook_non_adjacent(value)) << value;
    ASSERT_EQ(terms_of<hese>(value), textbook_hese(value)) << value;
  }
}

template <signed_digit_encoding Encoding>
void expect_sums_and_opposites() {
  const auto expect = [](std::int32_t value) {
    const signed_digits digits = Encoding::encode(value);
    ASSERT_EQ(digits.value(), value);
    ASSERT_EQ(digits.positive & digits.negative, 0u) << value;
    ASSERT_EQ(Encoding::encode(-value), -digits) << value;
  };
  for (std::int32_t value = 0; value <= 5000; ++value) expect(value);
  for (int exponent = 13; exponent < 30; ++exponent)
    for (std::int32_t step = -3; step <= 3; ++step) expect((std::int32_t{1} << exponent) + step);
  expect(std::int32_t{1} << 30);
  expect((std::int32_t{1} << 30) - 1);
  expect(0x2aaaaaaa);
}

TEST(signed_digits, add_up_to_the_number) {
  expect_sums_and_opposites<binary_digits>();
  expect_sums_and_opposites<non_adjacent>();
  expect_sums_and_opposites<hese>();
}

template <signed_digit_encoding Encoding>
std::int64_t total_terms(int bits) {
  std::int64_t total = 0;
  for (std::int32_t value = 0; value < std::int32_t{1} << bits; ++value) total += Encoding::encode(value).terms();
  return total;
}

TEST(signed_digits, have_the_published_mean_number_of_terms) {
  EXPECT_EQ(total_terms<binary_digits>(8), 4 * 256);
  EXPECT_EQ(total_terms<non_adjacent>(4), 28);      // 1.75 * 2^4
  EXPECT_EQ(total_terms<non_adjacent>(8), 796);     // 3.109375 * 2^8
  EXPECT_EQ(total_terms<non_adjacent>(12), 18204);  // 4.444336 * 2^12
  EXPECT_EQ(total_terms<hese>(8), 832);             // 3.25 * 2^8
}

/// The fewest terms of any signed digits below 2^14, by breadth: numbers reached with one term more each round.
std::vector<int> fewest_terms(std::int32_t below) {
  std::vector<int> fewest(static_cast<std::size_t>(below), 0);
  std::vector<bool> reached(std::size_t{1} << 15);  // Partial sums of |value| < 2^14, at value + 2^14.
  std::vector<std::int32_t> edge{0};
  reached[1 << 14] = true;
  for (int terms_used = 1; !edge.empty(); ++terms_used) {
    std::vector<std::int32_t> next;
    for (const std::int32_t from : edge)
      for (std::int32_t power = 1; power < 1 << 14; power *= 2)
        for (const std::int32_t to : {from - power, from + power}) {
          if (std::abs(to) >= 1 << 14 || reached[static_cast<std::size_t>(to + (1 << 14))]) continue;
          reached[static_cast<std::size_t>(to + (1 << 14))] = true;
          if (to > 0 && to < below) fewest[static_cast<std::size_t>(to)] = terms_used;
          next.push_back(to);
        }
    edge = std::move(next);
  }
  return fewest;
}

TEST(signed_digits, in_non_adjacent_form_are_as_few_as_can_be) {
  const std::vector<int> fewest = fewest_terms(5001);
  int longer = 0;
  for (std::int32_t value = 0; value <= 5000; ++value) {
    const int least = fewest[static_cast<std::size_t>(value)];
    ASSERT_EQ(non_adjacent::encode(value).terms(), least) << value;
    longer += hese::encode(value).terms() > least;
  }
  EXPECT_EQ(longer, 1254);  // HESE is exact, not minimal.
}

template <signed_digit_encoding Encoding>
void expect_every_term_to_help() {
  for (std::int32_t value = 1; value < 4096; ++value) {
    std::int32_t rest = value;
    for (const std::int32_t term : terms_of<Encoding>(value)) {
      ASSERT_LT(std::abs(rest - term), std::abs(rest)) << value;
      rest -= term;
    }
  }
}

TEST(signed_digits, come_closer_to_the_number_with_every_term) {
  expect_every_term_to_help<binary_digits>();
  expect_every_term_to_help<non_adjacent>();
  expect_every_term_to_help<hese>();
}

static_assert(non_adjacent::encode(27).terms() == 3 && hese::encode(-27).value() == -27);

}  // namespace
}  // namespace bitwright
