// SPDX-License-Identifier: MIT
#include "random_allocation_problem.hpp"
#include <bitwright/mixed_precision/allocation_verify.hpp>
#include <bitwright/mixed_precision/allocator.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bitwright {
namespace {

/// 4 or 8 bits for three layers, two of them tied. The best within 17 units is (8, 4, 4) bits with omega 9.
allocation_problem three_layers() {
  const auto candidates = [](double at_4, double at_8) {
    return std::vector<candidate>{{.weight_bits = 4, .omega = at_4, .costs = {4}},
                                  {.weight_bits = 8, .omega = at_8, .costs = {8}}};
  };
  return {.budgets = {{.name = "size", .limit = 17}},
          .layers = {{"conv1", candidates(9, 1)}, {"conv2", candidates(4, 2)}, {"conv3", candidates(4, 1)}},
          .ties = {{1, 2}}};
}

/// What verify() objects to in the optimum of three_layers() after `tamper`.
std::string objection(const std::function<void(allocation&)>& tamper) {
  allocation result = allocate(three_layers());
  tamper(result);
  return verify(three_layers(), result).objection;
}

TEST(verify, accepts_the_optimum) {
  const allocation result = allocate(three_layers());
  EXPECT_EQ(result.choice, (std::vector<std::size_t>{1, 0, 0}));
  const verification found = verify(three_layers(), result);
  EXPECT_TRUE(found.accepted) << found.objection;
  // The limit is tightened to 16, and with lambda = 5/8 .. 2 the bound is (1 + 8 lambda) + (8 + 8 lambda) - 16 lambda = 9.
  EXPECT_TRUE(found.bound_is_certified);
  EXPECT_EQ(result.certificate.bound_units, 9);
}

TEST(verify, rejects_what_was_tampered_with) {
  EXPECT_EQ(objection([](auto& result) {
              result.choice = {1, 1, 0};
            }),
            "layer 2 (conv3) differs from a layer it is tied to");
  EXPECT_EQ(objection([](auto& result) { result.choice = {2, 0, 0}; }), "layer 0 (conv1) takes what is not allowed");
  EXPECT_EQ(objection([](auto& result) { result.choice.pop_back(); }), "choice does not fit the status");
  EXPECT_EQ(objection([](auto& result) { --result.objective_units; }), "objective_units is not the sum of the omegas");
  EXPECT_EQ(objection([](auto& result) { result.objective = 8; }), "objective is not objective_units");
  EXPECT_EQ(objection([](auto& result) { result.used[0] = 15; }), "used is not the sum of the costs");
  EXPECT_EQ(objection([](auto& result) { result.slack[0] = 0; }), "slack is not limit - used");
  EXPECT_EQ(objection([](auto& result) { --result.lower_bound_units; }), "status does not fit the lower bound");
  EXPECT_EQ(objection([](auto& result) { ++result.lower_bound_units; }), "lower_bound_units is above objective_units");
  EXPECT_EQ(objection([](auto& result) { result.lower_bound = 8; }), "lower_bound is not lower_bound_units");
  EXPECT_EQ(objection([](auto& result) { result.gap = 0.1; }), "gap is not (objective - lower bound) / objective");
  EXPECT_EQ(objection([](auto& result) { result.status = allocation_status::feasible_with_gap; }),
            "status does not fit the lower bound");
  EXPECT_EQ(objection([](auto& result) { result.omega_unit = 2; }), "omega_unit is not the grid's");
}

TEST(verify, rejects_a_certificate_that_proves_something_else) {
  EXPECT_EQ(objection([](auto& result) { ++result.certificate.bound_units; }),
            "bound_units is not what the multipliers prove");
  EXPECT_EQ(objection([](auto& result) { result.certificate.numerators[0] = -1; }), "a multiplier is negative");
  EXPECT_EQ(objection([](auto& result) { result.certificate.numerators = {}; }),
            "the certificate has not one multiplier per budget");
  EXPECT_EQ(objection([](auto& result) { result.certificate.shift = 63; }),
            "the certificate's shift is not in [0, 62]");
  EXPECT_EQ(objection([](auto& result) { result.certificate.numerators[0] = 0; }),
            "bound_units is not what the multipliers prove");
  EXPECT_EQ(objection([](auto& result) { result.multipliers[0] += 1; }), "multipliers are not the certificate's");
}

TEST(verify, rejects_an_allocation_of_another_problem) {
  const allocation result = allocate(three_layers());
  allocation_problem tighter = three_layers();
  tighter.budgets[0].limit = 15;
  EXPECT_EQ(verify(tighter, result).objection, "budget 0 (size) is exceeded");
}

TEST(verify, tells_a_proof_of_infeasibility_from_the_word_of_the_search) {
  allocation_problem problem = three_layers();
  problem.budgets[0].limit = 11;
  allocation none = allocate(problem);
  EXPECT_TRUE(verify(problem, none).accepted);
  EXPECT_TRUE(verify(problem, none).bound_is_certified);
  none.unmet[0].least_alone = 11;
  EXPECT_EQ(verify(problem, none).objection, "least_alone is not the sum of the least costs");
  // Size is 0, 3, 5 or 8 and time 8 - size. Half of each candidate would be 4 and 4, so no multipliers prove anything.
  const auto either = [](std::int64_t cost) {
    return std::vector<candidate>{{.costs = {0, cost}}, {.costs = {cost, 0}}};
  };
  problem = {.budgets = {{"size", 4}, {"time", 4}}, .layers = {{"conv1", either(3)}, {"conv2", either(5)}}};
  none = allocate(problem);
  EXPECT_EQ(none.status, allocation_status::infeasible);
  EXPECT_TRUE(verify(problem, none).accepted);
  EXPECT_FALSE(verify(problem, none).bound_is_certified);
}

TEST(verify, accepts_whatever_the_allocator_returns) {
  int certified = 0;
  for (std::uint64_t seed = 50'000; seed < 52'000; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    const verification found = verify(problem, allocate(problem, {.maximum_nodes = 3}));
    ASSERT_TRUE(found.accepted) << "seed " << seed << ": " << found.objection;
    certified += found.bound_is_certified ? 1 : 0;
  }
  EXPECT_GT(certified, 500);
}

}  // namespace
}  // namespace bitwright
