// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/allocation_problem.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace bitwright {
namespace {

/// Two layers of 4 or 8 bits under a size budget of 12.
allocation_problem two_layers() {
  allocation_problem problem;
  problem.budgets = {{.name = "size", .limit = 12}};
  for (const char* name : {"conv1", "conv2"})
    problem.layers.push_back({.name = name,
                              .candidates = {{.weight_bits = 4, .omega = 0.9, .costs = {4}},
                                             {.weight_bits = 8, .omega = 0.1, .costs = {8}}}});
  return problem;
}

/// What check_allocation_problem says about two_layers() after `spoil`; "" where it is content.
std::string refusal(const std::function<void(allocation_problem&)>& spoil) {
  allocation_problem problem = two_layers();
  spoil(problem);
  try {
    check_allocation_problem(problem);
  } catch (const invalid_argument& error) {
    return error.what();
  }
  return "";
}

candidate& second_of_conv1(allocation_problem& problem) { return problem.layers[0].candidates[1]; }

TEST(allocation_problem, that_is_as_documented_passes) {
  EXPECT_EQ(refusal([](auto&) {}), "");
  EXPECT_EQ(refusal([](auto& problem) { problem = {}; }), "");
  EXPECT_EQ(refusal([](auto& problem) { second_of_conv1(problem).weight_bits = 0; }), "");  // Pruned.
  EXPECT_EQ(refusal([](auto& problem) { problem.budgets[0].limit = -1; }), "");             // Infeasible, not wrong.
  EXPECT_EQ(refusal([](auto& problem) { problem.ties = {{}, {1}, {0, 1}, {1, 0, 1}}; }), "");
}

TEST(allocation_problem, a_number_out_of_range_is_refused_by_layer_candidate_and_budget) {
  const std::string here = "allocation_problem: layer 0 (conv1), candidate 1 (8-bit weights, 8-bit activations): ";
  const std::string number = ", expected a finite number of at least 0";
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal([&](auto& problem) { second_of_conv1(problem).omega = nan; }), here + "omega is nan" + number);
  EXPECT_EQ(refusal([&](auto& problem) { second_of_conv1(problem).omega = -1; }), here + "omega is -1" + number);
  EXPECT_EQ(refusal([&](auto& problem) { second_of_conv1(problem).standard_error = infinity; }),
            here + "standard_error is inf" + number);
  EXPECT_EQ(refusal([](auto& problem) { second_of_conv1(problem).costs[0] = -5; }),
            here + "cost in budget 0 (size) is -5, expected at least 0");
  EXPECT_EQ(refusal([](auto& problem) { second_of_conv1(problem).costs.push_back(1); }),
            here + "costs.size() is 2, expected one cost per budget: 1");
  EXPECT_EQ(refusal([](auto& problem) { problem.layers[0].candidates[0].weight_bits = -1; }),
            "allocation_problem: layer 0 (conv1), candidate 0 (-1-bit weights, 8-bit activations): weight_bits is -1, "
            "expected 0 to 64");
}

TEST(allocation_problem, sums_that_overflow_are_refused_at_the_layer_where_they_do) {
  EXPECT_EQ(refusal([](auto& problem) {
              for (allocation_layer& layer : problem.layers) layer.candidates[0].costs[0] = (std::int64_t{1} << 61) + 1;
            }),
            "allocation_problem: layer 1 (conv2): largest cost in budget 0 (size) is 2305843009213693953, expected at "
            "most 2305843009213693951, so that sums of costs stay within 2^62");
  EXPECT_EQ(refusal([](auto& problem) {
              for (allocation_layer& layer : problem.layers) layer.candidates[0].omega = 1e308;
            }),
            "allocation_problem: layer 1 (conv2): sum of the largest omegas so far is inf, expected a finite number");
}

TEST(allocation_problem, a_layer_without_a_candidate_to_take_is_refused) {
  EXPECT_EQ(refusal([](auto& problem) { problem.layers[1].candidates.clear(); }),
            "allocation_problem: layer 1 (conv2): candidates.size() is 0, expected at least 1");
  EXPECT_EQ(refusal([](auto& problem) { problem.layers[1].fixed = 2; }),
            "allocation_problem: layer 1 (conv2): fixed is 2, expected less than 2");
  EXPECT_EQ(refusal([](auto& problem) { problem.layers[1].forbidden = {7}; }),
            "allocation_problem: layer 1 (conv2): forbidden candidate is 7, expected less than 2");
  const std::string none = "number of candidates that it and the layers it is tied to allow is 0, expected at least 1";
  EXPECT_EQ(refusal([](auto& problem) {
              problem.layers[1].forbidden = {0, 1};
            }),
            "allocation_problem: layer 1 (conv2): " + none);
  EXPECT_EQ(refusal([](auto& problem) {
              problem.layers[0].fixed = 0;
              problem.layers[1].fixed = 1;
              problem.ties = {{0, 1}};
            }),
            "allocation_problem: layer 1 (conv2): " + none);
}

TEST(allocation_problem, a_tie_of_layers_that_do_not_correspond_is_refused) {
  EXPECT_EQ(refusal([](auto& problem) {
              problem.ties = {{0, 2}};
            }),
            "allocation_problem: ties[0]: layer is 2, expected less than 2");
  EXPECT_EQ(refusal([](auto& problem) {
              problem.layers[1].candidates.pop_back();
              problem.ties = {{0, 1}};
            }),
            "allocation_problem: layer 1 (conv2): candidates.size() is 1, expected 2, as for the layer it is tied to: "
            "layer 0 (conv1)");
  EXPECT_EQ(refusal([](auto& problem) {
              problem.layers[1].candidates[0].weight_bits = 2;
              problem.ties = {{0, 1}};
            }),
            "allocation_problem: layer 1 (conv2), candidate 0 (2-bit weights, 8-bit activations) is tied to layer 0 "
            "(conv1), candidate 0 (4-bit weights, 8-bit activations), expected the same bits");
}

TEST(tie_groups, join_through_shared_layers_and_are_numbered_by_their_first) {
  allocation_problem problem;
  problem.layers.resize(6);
  problem.ties = {{5, 3}, {1, 2}, {3, 1}};
  EXPECT_EQ(tie_groups(problem), (std::vector<std::size_t>{0, 1, 1, 1, 2, 1}));
}

}  // namespace
}  // namespace bitwright
