// SPDX-License-Identifier: MIT
#include "fashion_mnist/plan.hpp"

#include "refusal.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fashion_mnist {
namespace {

using bitwright::reference::refusal;

// Two layers of 4 and 8 weights; the second layer's curvature is a hundred times the first's.
class plan_test : public testing::Test {
 protected:
  plan_test() {
    const std::size_t first = graph_.convolution("first", 0, 4, {});
    graph_.linear("second", first, 2);
    net_.weights = {0.9f, -0.3f, 0.5f, 0.1f, 0.2f, -0.7f, 0.4f, 0.6f, -0.1f, 0.8f, -0.5f, 0.3f};
    net_.biases.resize(6);
    for (const auto& [trace, weights] : {std::pair{0.04, 4}, {8.0, 8}})
      traces_.push_back({.trace = trace, .standard_error = trace / 100, .weights = static_cast<std::size_t>(weights)});
  }

  network graph_{1, 1};
  folded_network net_{&graph_, {}, {}};
  std::vector<bitwright::trace_estimate> traces_;
};

TEST_F(plan_test, a_uniform_plan_gives_every_layer_the_same_bits) {
  const plan w4 = uniform_plan(graph_, 4);
  EXPECT_EQ(w4.name, "W4A8");
  EXPECT_EQ(w4.bits, (std::vector{4, 4}));
  EXPECT_EQ(cost_of(graph_, w4.bits).size_bytes, 2 + 4 * 8 + 4 + 2 * 8);
  EXPECT_EQ(cost_of(graph_, w4.bits).bops, (4 + 8) * 4 * 8);
}

TEST_F(plan_test, the_problem_offers_every_candidate_of_every_layer_at_its_cost) {
  const bitwright::allocation_problem problem = make_problem(net_, traces_);
  ASSERT_EQ(problem.layers.size(), 2u);
  EXPECT_EQ(problem.layers[1].name, "second");
  ASSERT_EQ(problem.layers[1].candidates.size(), candidate_bits.size());
  for (std::size_t i = 0; i < candidate_bits.size(); ++i) {
    EXPECT_EQ(problem.layers[1].candidates[i].weight_bits, candidate_bits[i]);
    EXPECT_EQ(problem.layers[1].candidates[i].costs,
              (std::vector<std::int64_t>{candidate_bits[i] + 16, 8 * candidate_bits[i] * 8}));
  }
}

TEST_F(plan_test, the_layer_of_more_curvature_gets_more_bits) {
  const bitwright::allocation_problem problem = make_problem(net_, traces_);
  const layer_cost w4 = cost_of(graph_, uniform_plan(graph_, 4).bits);
  const plan mixed = allocate_plan(problem, "mixed", w4);
  EXPECT_EQ(mixed.scheme, "mixed");
  EXPECT_GT(mixed.bits[1], mixed.bits[0]);
  EXPECT_LE(cost_of(graph_, mixed.bits).size_bytes, w4.size_bytes);
  EXPECT_LE(cost_of(graph_, mixed.bits).bops, w4.bops);
}

TEST_F(plan_test, budgets_below_every_plan_are_refused_by_name) {
  const bitwright::allocation_problem problem = make_problem(net_, traces_);
  const std::string message = refusal([&] { allocate_plan(problem, "dream", {10, 1000}); });
  EXPECT_EQ(message, "allocate_plan: limits of dream is [10, 1000], expected budgets that a plan can meet");
}

}  // namespace
}  // namespace fashion_mnist
