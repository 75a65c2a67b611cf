// SPDX-License-Identifier: MIT
#include "random_codes.hpp"
#include "refusal.hpp"
#include <bitwright/core/granularity.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/term.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;
using codes = std::vector<std::int16_t>;

/// Values that are integers, so that codes can be written by hand.
template <class Encoding>
term<Encoding> whole(int bits, term_budget budget) {
  const int limit = (1 << (bits - 1)) - 1;
  return {uniform<dynamic_bits, std::int16_t>({1, 0}, {-limit, limit}), budget};
}

codes quantized(const quantizer auto& q, const std::vector<float>& values) {
  codes result(values.size());
  q.quantize(values, result);
  return result;
}

template <class Encoding>
codes kept(std::size_t terms, const std::vector<float>& values = {21, 6, 17, 11}) {
  return quantized(whole<Encoding>(8, {4, terms}), values);
}

TEST(term, keeps_the_published_terms) {
  EXPECT_EQ(kept<binary_digits>(2), (codes{16, 0, 16, 0}));
  EXPECT_EQ(kept<binary_digits>(4), (codes{20, 0, 16, 8}));
  EXPECT_EQ(kept<binary_digits>(6), (codes{20, 6, 16, 8}));
  EXPECT_EQ(kept<binary_digits>(7), (codes{20, 6, 16, 10}));
  EXPECT_EQ(kept<binary_digits>(8), (codes{21, 6, 16, 10}));
  EXPECT_EQ(kept<binary_digits>(9), (codes{21, 6, 17, 10}));
  EXPECT_EQ(kept<binary_digits>(10), (codes{21, 6, 17, 11}));
  EXPECT_EQ(kept<non_adjacent>(8), (codes{21, 6, 16, 12}));
  EXPECT_EQ(kept<hese>(8), (codes{21, 6, 16, 12}));
}

TEST(term, of_equal_size_stays_at_the_lower_index) {
  EXPECT_EQ(kept<binary_digits>(3, {5, -5, 5, 4}), (codes{4, -4, 4, 0}));
  EXPECT_EQ(kept<binary_digits>(5, {5, -5, 5, 4}), (codes{5, -4, 4, 4}));
}

/// The definition: all terms of the group in one list, sorted, cut.
template <class Encoding>
codes by_sorting(const codes& integers, term_budget budget) {
  codes result(integers.size());
  for (std::size_t first = 0; first < integers.size(); first += budget.group_size) {
    std::vector<std::tuple<std::int32_t, std::size_t, std::int32_t>>
        all;  // Of equal size, the lower index comes first.
    for (std::size_t i = first; i < std::min(first + budget.group_size, integers.size()); ++i)
      for (int exponent = 0; exponent < 16; ++exponent) {
        const std::int32_t term = Encoding::encode(integers[i]).only(std::uint32_t{1} << exponent).value();
        if (term != 0) all.emplace_back(-std::abs(term), i, term);
      }
    std::ranges::sort(all);
    all.resize(std::min(all.size(), budget.terms));
    for (const auto& [order, i, term] : all) result[i] = static_cast<std::int16_t>(result[i] + term);
  }
  return result;
}

template <class Encoding>
void expect_the_definition() {
  reference::random_codes random(1);
  for (const int bits : {2, 5, 8, 15})
    for (const std::size_t group_size : {1u, 2u, 7u, 8u, 16u, 100u})
      for (const std::size_t terms : {0u, 1u, 2u, 3u, 8u, 15u, 16u, 17u, 300u}) {
        const std::int64_t limit = (1 << (bits - 1)) - 1;
        const codes integers = reference::narrowed<std::int16_t>(random.many(53, -limit, limit));
        const term_budget budget{group_size, terms};
        const std::vector<float> values(integers.begin(), integers.end());
        const term<Encoding> q = whole<Encoding>(bits, budget);
        const codes found = quantized(q, values);
        ASSERT_EQ(found, by_sorting<Encoding>(integers, budget)) << bits << ' ' << group_size << ' ' << terms;
        for (const std::int16_t code : found) ASSERT_TRUE(q.codes().contains(code));
      }
}

TEST(term, keeps_the_largest_terms_of_each_group) {
  expect_the_definition<binary_digits>();
  expect_the_definition<non_adjacent>();
  expect_the_definition<hese>();
}

template <class Encoding>
void expect_an_error_that_falls() {
  reference::random_codes random(2);
  const codes integers = reference::narrowed<std::int16_t>(random.many(40, -2047, 2047));
  const std::vector<float> values(integers.begin(), integers.end());
  std::vector<int> errors(integers.size(), std::numeric_limits<int>::max());
  int terms = 0;
  for (const std::int16_t integer : integers) terms += Encoding::encode(integer).terms();
  for (std::size_t budget = 0; budget <= static_cast<std::size_t>(terms); ++budget) {
    const codes found = quantized(whole<Encoding>(12, {40, budget}), values);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const int error = std::abs(found[i] - integers[i]);
      ASSERT_LE(error, errors[i]);
      errors[i] = error;
    }
  }
  EXPECT_EQ(errors, std::vector<int>(integers.size(), 0));  // As many terms as there are: nothing is lost.
}

TEST(term, error_never_grows_with_the_budget) {
  expect_an_error_that_falls<binary_digits>();
  expect_an_error_that_falls<non_adjacent>();
  expect_an_error_that_falls<hese>();
}

/// Beside an element that no path may touch.
template <class Encoding>
void expect_every_path_equals_scalar(const codes& integers, term_budget budget) {
  codes expected = integers;
  paths::scalar::keep_terms<Encoding>(expected.data(), expected.size() - 1, budget);
  for (const term_path& path : term_paths<Encoding>) {
    if (!path.available()) continue;
    codes kept = integers;
    path.keep(kept.data(), kept.size() - 1, budget);
    ASSERT_EQ(kept, expected) << path.name << ", " << integers.size() - 1 << " in groups of " << budget.group_size
                              << " with " << budget.terms << " terms";
  }
}

/// `limit` and its opposite first.
codes integers_up_to(int limit, std::size_t count) {
  reference::random_codes random(1);
  codes integers(count);
  for (std::int16_t& integer : integers) integer = static_cast<std::int16_t>(random.between(-limit, limit));
  if (count > 0) integers[0] = static_cast<std::int16_t>(limit);
  if (count > 1) integers[1] = static_cast<std::int16_t>(-limit);
  return integers;
}

template <class Encoding>
void expect_paths_of_encoding() {
  for (const int limit : {1, 127, 170, 171, 255, 1 << 14}) {
    for (std::size_t size = 0; size <= 2 * paths::term_block + 1; ++size)
      expect_every_path_equals_scalar<Encoding>(integers_up_to(limit, size + 1), {8, 13});
    for (std::size_t terms = 0; terms <= 130; ++terms)
      expect_every_path_equals_scalar<Encoding>(integers_up_to(limit, paths::term_block + 1), {8, terms});
  }
  expect_every_path_equals_scalar<Encoding>(integers_up_to(100, 200), {5, 9});
  expect_every_path_equals_scalar<Encoding>(codes(paths::term_block + 1, 0x3fff), {8, 111});  // Of 112 binary terms.
}

TEST(term, keeps_the_same_terms_on_every_path) {
  expect_paths_of_encoding<binary_digits>();
  expect_paths_of_encoding<non_adjacent>();
  expect_paths_of_encoding<hese>();
}

TEST(term, alone_in_its_group_is_the_most_significant_bit) {
  const auto q = whole<binary_digits>(8, {1, 1});
  EXPECT_EQ(quantized(q, {21, 6, 17, 11}), (codes{16, 4, 16, 8}));
  for (int integer = 1; integer <= 127; ++integer) {
    const float value = static_cast<float>(integer);
    const auto power = static_cast<std::int16_t>(std::exp2(std::floor(std::log2(value))));
    EXPECT_EQ(quantized(q, {value, -value, 0}), (codes{power, static_cast<std::int16_t>(-power), 0}));
  }
}

/// Walks the list as a shift-add kernel would.
template <class Encoding>
void expect_a_list_that_multiplies() {
  reference::random_codes random(3);
  const std::size_t count = 53, group_size = 8;
  const auto integers = random.many(count, -127, 127), factors = random.many(count, -1000, 1000);
  for (const std::size_t budget : {0u, 1u, 5u, 16u, 64u}) {
    const auto q = whole<Encoding>(8, {group_size, budget});
    const codes found = quantized(q, std::vector<float>(integers.begin(), integers.end()));
    const std::vector<signed_term> list = q.terms(found);
    std::int64_t sum = 0;
    std::vector<std::size_t> used((count + group_size - 1) / group_size);
    std::vector<std::int16_t> rebuilt(count);
    for (const signed_term& each : list) {
      const std::int64_t product = factors[each.element] * (std::int64_t{1} << each.exponent);
      sum += each.negative ? -product : product;
      rebuilt[each.element] =
          static_cast<std::int16_t>(rebuilt[each.element] + (each.negative ? -1 : 1) * (1 << each.exponent));
      ++used[each.element / group_size];
    }
    EXPECT_EQ(rebuilt, found);
    EXPECT_EQ(sum, std::inner_product(found.begin(), found.end(), factors.begin(), std::int64_t{0}));
    EXPECT_LE(std::ranges::max(used), budget);
    EXPECT_TRUE(std::ranges::is_sorted(list, {}, [](const signed_term& each) {
      return std::tuple(each.element / group_size, -each.exponent, each.element);
    }));
  }
}

TEST(term, list_multiplies_within_the_budget) {
  expect_a_list_that_multiplies<binary_digits>();
  expect_a_list_that_multiplies<non_adjacent>();
  expect_a_list_that_multiplies<hese>();
}

/// Every code that dropping terms can leave: written anew, it takes no more terms than were kept.
template <class Encoding>
void expect_prefixes_to_stay_short() {
  for (std::int32_t integer = 0; integer <= 1 << 14; ++integer) {
    const signed_digits digits = Encoding::encode(integer);
    for (int exponent = 0; exponent < 15; ++exponent) {
      const signed_digits prefix = digits.only(~std::uint32_t{0} << exponent);
      ASSERT_LE(Encoding::encode(prefix.value()).terms(), prefix.terms()) << integer;
    }
  }
}

TEST(term, list_of_a_code_is_no_longer_than_what_was_kept) {
  expect_prefixes_to_stay_short<binary_digits>();
  expect_prefixes_to_stay_short<non_adjacent>();
  expect_prefixes_to_stay_short<hese>();
}

TEST(term, list_names_each_element_exponent_and_sign) {
  const auto q = whole<non_adjacent>(8, {2, 3});
  EXPECT_EQ(q.terms(quantized(q, {27, -28, 1})),  // 32 - 4 - 1, -32 + 4, and 1 in a group of its own.
            (std::vector<signed_term>{{0, 5, false}, {1, 5, true}, {0, 2, true}, {2, 0, false}}));
}

TEST(term, restores_scale_times_code) {
  const auto q = term<binary_digits>::symmetric({-63.5f, 10}, 8, {2, 3});
  EXPECT_EQ(q.scale(), 0.5f);
  EXPECT_EQ(q.bits(), 8);
  const codes found = quantized(q, {10.5f, -4});  // 16 + 4 + 1 and -8
  EXPECT_EQ(found, (codes{20, -8}));
  std::vector<float> restored(2);
  q.dequantize(found, restored);
  EXPECT_EQ(restored, (std::vector<float>{10, -4}));
}

TEST(term, in_signed_digits_takes_a_bit_more_than_its_integers) {
  EXPECT_EQ(whole<non_adjacent>(8, {1, 1}).bits(), 9);
  EXPECT_EQ(quantized(whole<non_adjacent>(8, {1, 1}), {127, -127}), (codes{128, -128}));
  EXPECT_EQ(whole<binary_digits>(8, {1, 1}).bits(), 8);
  EXPECT_EQ(term<non_adjacent>::symmetric({-1, 1}, 15, {}).codes(), (code_range{-16384, 16384}));
}

TEST(term, of_a_channel_stays_in_the_channel) {
  const std::vector<float> values{127, 127, 1, 1, 1, 1};
  const auto q =
      fit_slices(tensor_view<const float>(values, {2, 3}), per_channel{}, [](std::span<const float> channel) {
        return term<binary_digits>::symmetric(range_of(channel), 8, {3, 1});
      });
  EXPECT_EQ(quantized(q, values), (codes{64, 0, 0, 64, 0, 0}));  // The second channel has the scale 1 / 127.
}

TEST(term, of_degenerate_input_is_defined) {
  constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto q = whole<binary_digits>(8, {4, 9});
  EXPECT_EQ(quantized(q, {nan, infinity, -infinity, 1}), (codes{0, 124, -120, 0}));  // 127 and -127 share 9 terms.
  EXPECT_EQ(quantized(q, {}), codes{});
  EXPECT_EQ(quantized(q, {5}), codes{5});
  EXPECT_TRUE(q.terms({}).empty());
  EXPECT_EQ(quantized(term<>::symmetric({0, 0}, 8, {}), {0, 0, 0}), (codes{0, 0, 0}));
}

TEST(term, refuses_what_it_cannot_hold) {
  EXPECT_EQ(refusal([] { term<>::symmetric({-1, 1}, 16, {}); }), "term::symmetric: bits is 16, expected [2, 15]");
  EXPECT_EQ(refusal([] {
              term<>::symmetric({-1, 1}, 8, {0, 1});
            }),
            "term: budget.group_size is 0, expected at least 1");
  EXPECT_EQ(refusal([] {
              term<>(uniform<dynamic_bits, std::int16_t>({1, 1}, {0, 3}), {});
            }),
            "term: integers.zero_point() is 1, expected 0");
  EXPECT_EQ(refusal([] {
              term<>(uniform<dynamic_bits, std::int16_t>({1, 0}, {0, 20000}), {});
            }),
            "term: integers.codes() is [0, 20000], expected codes within [-2^14, 2^14]");
  codes three(3);
  std::vector<float> two(2);
  EXPECT_EQ(refusal([&] { whole<hese>(8, {}).quantize(two, three); }),
            "term::quantize: codes.size() is 3, expected that of the values, 2");
  EXPECT_EQ(refusal([&] { whole<hese>(8, {}).dequantize(three, two); }),
            "term::dequantize: values.size() is 2, expected that of the codes, 3");
}

}  // namespace
}  // namespace bitwright
