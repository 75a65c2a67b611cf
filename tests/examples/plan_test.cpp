// SPDX-License-Identifier: MIT
#include "fashion_mnist/plan.hpp"

#include "refusal.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

  /// Four nanoseconds a bit.
  bitwright::allocation_problem problem() const {
    bitwright::latency_table latencies;
    for (const char* layer : {"first", "second"})
      for (const int bits : candidate_bits) latencies.set(layer, bits, 8, {.nanoseconds = 4 * bits});
    return make_problem(net_, traces_, latencies);
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
  const bitwright::allocation_problem problem = this->problem();
  ASSERT_EQ(problem.layers.size(), 2u);
  EXPECT_EQ(problem.layers[1].name, "second");
  ASSERT_EQ(problem.layers[1].candidates.size(), candidate_bits.size());
  for (std::size_t i = 0; i < candidate_bits.size(); ++i) {
    EXPECT_EQ(problem.layers[1].candidates[i].weight_bits, candidate_bits[i]);
    EXPECT_EQ(problem.layers[1].candidates[i].costs,
              (std::vector<std::int64_t>{candidate_bits[i] + 16, 8 * candidate_bits[i] * 8, 4 * candidate_bits[i]}));
  }
}

TEST_F(plan_test, the_layer_of_more_curvature_gets_more_bits) {
  const layer_cost w4 = cost_of(graph_, uniform_plan(graph_, 4).bits);
  const plan mixed = allocate_plan(problem(), "mixed", {w4.size_bytes, w4.bops, 1000});
  EXPECT_EQ(mixed.scheme, "mixed");
  EXPECT_GT(mixed.bits[1], mixed.bits[0]);
  EXPECT_LE(cost_of(graph_, mixed.bits).size_bytes, w4.size_bytes);
  EXPECT_LE(cost_of(graph_, mixed.bits).bops, w4.bops);
}

TEST_F(plan_test, budgets_below_every_plan_are_refused_by_name) {
  const std::string message = refusal([&] { allocate_plan(problem(), "dream", {10, 1000, 1000}); });
  EXPECT_EQ(message, "allocate_plan: limits of dream is [10, 1000, 1000], expected budgets that a plan can meet");
  EXPECT_THROW(allocate_plan(problem(), "short", {10}), bitwright::invalid_argument);
}

TEST_F(plan_test, a_latency_budget_takes_bits_away_like_any_other) {
  EXPECT_EQ(allocate_plan(problem(), "quick", {1000, 10'000, 4 * 8}).bits, (std::vector{2, 6}));
  EXPECT_EQ(allocate_plan(problem(), "slow", {1000, 10'000, 4 * 16}).bits, (std::vector{2, 8}));
}

TEST_F(plan_test, an_account_says_what_a_plan_takes_of_every_budget) {
  const bitwright::allocation account = account_of(problem(), uniform_plan(graph_, 4));
  EXPECT_EQ(account.used, (std::vector<std::int64_t>{54, 384, 32}));
  EXPECT_GT(account.objective, 0);
}

TEST_F(plan_test, every_layer_is_timed_at_every_candidates_bits) {
  const std::vector<bitwright::range> ranges(graph_.nodes().size(), {0, 1});
  const std::vector<std::uint8_t> pixel = {100};
  EXPECT_EQ(measure_layers(net_, ranges, pixel).size(), 2 * candidate_bits.size());
}

}  // namespace
}  // namespace fashion_mnist
