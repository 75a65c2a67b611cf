// SPDX-License-Identifier: MIT
// Small random problems, every one compared with trying everything: ties, fixed and forbidden candidates, up to four
// budgets, degenerate and equal costs, limits that are exactly met, problems without a solution. 30,000 of them;
// BITWRIGHT_ALLOCATION_PROBLEMS=150000 in the environment tries as many as are claimed to agree, in seven seconds.
#include "every_allocation.hpp"
#include "random_allocation_problem.hpp"
#include <bitwright/mixed_precision/allocation_verify.hpp>
#include <bitwright/mixed_precision/allocator.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace bitwright {
namespace {

std::uint64_t problem_count() {
  if (const char* const count = std::getenv("BITWRIGHT_ALLOCATION_PROBLEMS")) return std::stoull(count);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 5'000;  // Ten times slower there.
#else
  return 30'000;
#endif
}

/// Whether the reason for infeasibility is what trying everything gives.
bool explains(const allocation_problem& problem, const std::vector<unmet_budget>& unmet) {
  const bool alone = std::ranges::any_of(unmet, [](const auto& each) { return each.least_alone > each.limit; });
  return !unmet.empty() && std::ranges::all_of(unmet, [&](const unmet_budget& each) {
    std::vector<std::size_t> others;
    for (const unmet_budget& other : unmet)
      if (!alone && other.budget != each.budget) others.push_back(other.budget);
    return each.least > each.limit && each.least_is_proven &&
           reference::least_use(problem, each.budget, {}) == each.least_alone &&
           reference::least_use(problem, each.budget, others) == each.least;
  });
}

/// Something about the result that is not so any more: which, depends on the seed.
allocation tampered(const allocation_problem& problem, allocation result, std::uint64_t seed) {
  const std::size_t layer = seed % problem.layers.size();
  const candidate& taken = problem.layers[layer].candidates[result.choice[layer]];
  const std::size_t other = (result.choice[layer] + 1) % problem.layers[layer].candidates.size();
  const candidate& instead = problem.layers[layer].candidates[other];
  if (seed % 2 == 0 && (taken.omega != instead.omega || taken.costs != instead.costs))
    result.choice[layer] = other;
  else if (seed % 3 == 0)
    ++result.certificate.bound_units;
  else if (seed % 3 == 1)
    --result.objective_units;
  else
    ++result.lower_bound_units;
  return result;
}

std::string objection(const allocation_problem& problem, const allocation& best,
                      const reference::best_allocation& expected) {
  if (const verification found = verify(problem, best); !found.accepted) return found.objection;
  if (!expected.feasible)
    return best.status == allocation_status::infeasible && explains(problem, best.unmet) ? "" : "it is infeasible";
  if (best.status != allocation_status::optimal) return "not optimal but " + std::string(name_of(best.status));
  if (best.objective_units != expected.objective) return "there is a better one";
  return "";
}

TEST(allocate, agrees_with_trying_everything_on_random_problems) {
  int infeasible = 0;
  for (std::uint64_t seed = 0; seed < problem_count(); ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    const allocation best = allocate(problem);
    ASSERT_EQ(objection(problem, best, reference::every_allocation(problem)), "") << "seed " << seed;
    if (best.status == allocation_status::infeasible)
      ++infeasible;
    else
      ASSERT_FALSE(verify(problem, tampered(problem, best, seed)).accepted) << "seed " << seed;
  }
  EXPECT_GT(infeasible, 500);
}

}  // namespace
}  // namespace bitwright
