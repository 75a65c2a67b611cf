// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/allocation_robustness.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

/// Room for one layer of 8 bits beside one of 4. 8 bits are worth 10 to the first layer, `worth` to the second.
allocation_problem two_layers(double worth, double first_error, double second_error) {
  const auto candidates = [](double gain, double error) {
    return std::vector<candidate>{{.weight_bits = 4, .omega = gain, .standard_error = error, .costs = {4}},
                                  {.weight_bits = 8, .omega = 0, .costs = {8}}};
  };
  return {.budgets = {{"size", 12}},
          .layers = {{"conv1", candidates(10, first_error)}, {"conv2", candidates(worth, second_error)}}};
}

TEST(measure_robustness, is_certain_without_errors) {
  const allocation_problem problem = two_layers(9, 0, 0);
  const allocation_robustness robustness = measure_robustness(problem, allocate(problem));
  EXPECT_EQ(robustness.draws, 200u);
  EXPECT_NEAR(robustness.shares[0][1], 1, 1e-12);  // 200 times 1 / 200: 200 roundings of 2^-53.
  EXPECT_EQ(robustness.shares[0][0], 0);
  EXPECT_TRUE(robustness.close_choices.empty());
  EXPECT_EQ(robustness.mean_regret, 0);
}

TEST(measure_robustness, gives_the_probability_that_one_layer_overtakes_another) {
  // The difference is normal with mean 1 and deviation sqrt(0.6^2 + 0.8^2) = 1: below 0 with probability 0.158655.
  const allocation_problem problem = two_layers(9, 0.6, 0.8);
  const allocation_robustness robustness = measure_robustness(problem, allocate(problem), {.draws = 4000, .seed = 1});
  ASSERT_EQ(robustness.close_choices.size(), 2u);  // Both layers flip together.
  EXPECT_EQ(robustness.close_choices[0].candidate, 0u);
  EXPECT_EQ(robustness.close_choices[1].candidate, 1u);
  // A share of 4000 draws has a standard error of sqrt(0.1587 * 0.8413 / 4000) = 0.0058: four of them are 0.023.
  EXPECT_NEAR(robustness.close_choices[0].probability, 0.158655, 0.023);
  EXPECT_GT(robustness.mean_regret, 0);
  EXPECT_GT(robustness.largest_regret, robustness.mean_regret);
}

TEST(measure_robustness, is_the_same_for_the_same_seed) {
  const allocation_problem problem = two_layers(9.5, 1, 1);
  const allocation best = allocate(problem);
  EXPECT_EQ(measure_robustness(problem, best, {.seed = 3}).shares,
            measure_robustness(problem, best, {.seed = 3}).shares);
  EXPECT_NE(measure_robustness(problem, best, {.seed = 3}).shares,
            measure_robustness(problem, best, {.seed = 4}).shares);
}

TEST(measure_robustness, refuses_a_choice_of_another_problem) {
  const allocation_problem problem = two_layers(9, 1, 1);
  EXPECT_THROW(measure_robustness(problem, allocation{}), invalid_argument);
  EXPECT_THROW(measure_robustness(problem, allocate(problem), {.draws = 0}), invalid_argument);
}

TEST(with_upper_confidence, gives_bits_to_the_layer_of_which_less_is_known) {
  const allocation_problem problem = two_layers(9, 0.1, 2);
  EXPECT_EQ(allocate(problem).choice, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(allocate(with_upper_confidence(problem, 1)).choice, (std::vector<std::size_t>{0, 1}));  // 10.1 against 11.
  // Omegas add up to less than 2^5, so the grid is of 2^-48, and an omega may lose that much.
  EXPECT_NEAR(allocate(with_upper_confidence(problem, 1)).objective, 10.1, 0x1p-48);
  EXPECT_THROW(with_upper_confidence(problem, -1), invalid_argument);
}

}  // namespace
}  // namespace bitwright
