// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/rademacher_probe.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bitwright {
namespace {

TEST(rademacher_probe, mixes_as_the_published_generator_does) {
  // The first outputs of SplitMix64 from the state 0, as its authors list them.
  EXPECT_EQ(mix_bits(0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(mix_bits(0x9e3779b97f4a7c15), 0x6e789e6aa1b965f4u);
}

TEST(rademacher_probe, has_the_same_entries_from_wherever_it_is_filled) {
  const rademacher_probe probe(3, 5);
  std::vector<float> whole(200), part(77);
  probe.fill(std::span(whole));
  probe.fill(std::span(part), 100);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(whole[i], static_cast<float>(probe[i])) << i;
  for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], whole[100 + i]) << i;
}

TEST(rademacher_probe, multiplies_another_as_its_entries_do) {
  const rademacher_probe a(1, 2), b(3, 4);
  int product = 0;
  for (std::size_t size = 0; size < 200; product += a[size] * b[size], ++size) EXPECT_EQ(a.product(b, size), product);
}

TEST(rademacher_probe, is_a_fair_coin_independent_of_its_neighbours_in_seed_number_and_index) {
  // A sum of n independent signs has the standard deviation sqrt(n); 5 of them are passed once in 1.7 million.
  constexpr std::size_t size = 100000;
  const double bound = 5 * std::sqrt(size);
  const rademacher_probe probe(0, 0), next_number(0, 1), next_seed(1, 0), crossed(1, 1);
  int sum = 0, numbers = 0, seeds = 0, both = 0, neighbours = 0, words = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += probe[i];
    numbers += probe[i] * next_number[i];
    seeds += probe[i] * next_seed[i];
    both += next_number[i] * next_seed[i] * crossed[i] * probe[i];
    neighbours += probe[i] * probe[i + 1];
    words += probe[i] * probe[i + 64];
  }
  for (const int correlation : {sum, numbers, seeds, both, neighbours, words}) EXPECT_LE(std::abs(correlation), bound);
}

}  // namespace
}  // namespace bitwright
