// SPDX-License-Identifier: MIT
// Problems too large to try everything, compared with GLPK.
#include "allocation_families.hpp"
#include "glpk_allocation.hpp"
#include <bitwright/mixed_precision/allocation_verify.hpp>
#include <bitwright/mixed_precision/allocator.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

/// Of integer omegas whose sum is below 2^53, so exact: GLPK's own sums are rounded. -1 where a limit is exceeded.
double objective_of(const allocation_problem& problem, const std::vector<std::size_t>& choice) {
  double sum = 0;
  std::vector<std::int64_t> used(problem.budgets.size());
  for (std::size_t layer = 0; layer < choice.size(); ++layer) {
    const candidate& taken = problem.layers[layer].candidates[choice[layer]];
    sum += taken.omega;
    for (std::size_t m = 0; m < used.size(); ++m) used[m] += taken.costs[m];
  }
  for (std::size_t m = 0; m < used.size(); ++m)
    if (used[m] > problem.budgets[m].limit) return -1;
  return sum;
}

void expect_equal(const allocation_problem& problem) {
  const allocation ours = allocate(problem);
  ASSERT_EQ(ours.status, allocation_status::optimal);
  ASSERT_TRUE(verify(problem, ours).accepted) << verify(problem, ours).objection;
  const reference::glpk_result theirs = reference::solve_with_glpk(problem, 20'000);
  ASSERT_TRUE(theirs.optimal && theirs.feasible);
  EXPECT_EQ(ours.objective, objective_of(problem, theirs.choice));
}

TEST(allocate, agrees_with_glpk_on_networks) {
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    expect_equal(reference::network(40 + 20 * seed, 8, 1 + seed % 3, seed));
}

TEST(allocate, agrees_with_glpk_on_networks_with_ties_and_fixed_layers) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    allocation_problem problem = reference::network(60, 5, 2, 100 + seed);
    for (std::size_t layer = 0; layer + 7 < 60; layer += 10) problem.ties.push_back({layer, layer + 3, layer + 7});
    problem.layers.front().fixed = 1;
    problem.layers.back().forbidden = {0};
    expect_equal(problem);
  }
}

TEST(allocate, agrees_with_glpk_on_numbers_without_structure) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) expect_equal(reference::uncorrelated(20, 5, 1 + seed % 3, seed));
}

}  // namespace
}  // namespace bitwright
