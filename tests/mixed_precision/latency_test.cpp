// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/latency.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bitwright {
namespace {

/// A clock that goes on only where a test lets it.
struct manual_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<manual_clock>;
  static inline duration elapsed = {};
  static time_point now() { return time_point(elapsed); }
  static void pass(std::int64_t nanoseconds) { elapsed += duration(nanoseconds); }
};

TEST(latency_table, knows_what_was_set_and_nothing_else) {
  latency_table table;
  table.set("conv1", 4, 8, {1200, 30});
  EXPECT_EQ(table.nanoseconds("conv1", 4, 8), 1200);
  EXPECT_EQ(table.at("conv1", 4, 8), (latency{1200, 30}));
  EXPECT_THROW(table.at("conv1", 8, 8), invalid_argument);
  EXPECT_THROW(table.nanoseconds("conv2", 4, 8), invalid_argument);
  EXPECT_THROW(table.set("conv1", 4, 8, {-1, 0}), invalid_argument);
  EXPECT_THROW(table.set("conv1", 4, 8, {0, -1}), invalid_argument);
}

TEST(summarize_latencies, takes_the_median_and_the_middle_half) {
  std::vector<std::int64_t> samples = {90, 10, 50, 30, 1000};
  EXPECT_EQ(summarize_latencies(samples), (latency{50, 90 - 30}));
  samples = {7};
  EXPECT_EQ(summarize_latencies(samples), (latency{7, 0}));
  samples = {4, 8};
  EXPECT_EQ(summarize_latencies(samples), (latency{4, 8 - 4}));
  samples.clear();
  EXPECT_THROW(summarize_latencies(samples), invalid_argument);
}

TEST(measure_latencies, gives_every_layer_and_bit_width_its_own_time) {
  const std::vector<latency_task> tasks = {{"conv1", 4, 8, [] { manual_clock::pass(300); }},
                                           {"conv1", 8, 8, [] { manual_clock::pass(500); }},
                                           {"conv2", 4, 8, [] { manual_clock::pass(7); }}};
  const latency_table table = measure_latencies<manual_clock>(tasks);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.at("conv1", 4, 8), (latency{300, 0}));
  EXPECT_EQ(table.at("conv1", 8, 8), (latency{500, 0}));
  EXPECT_EQ(table.at("conv2", 4, 8), (latency{7, 0}));
}

TEST(measure_latencies, takes_turns_so_that_a_slow_phase_hits_all) {
  std::string order;
  const auto task = [&order](const char* name) {
    return latency_task{name, 8, 8, [&order, name] {
                          order += name;
                          manual_clock::pass(100);
                        }};
  };
  measure_latencies<manual_clock>(std::vector{task("a"), task("b")},
                                  {.repetitions = 3, .least_sample_nanoseconds = 100});
  EXPECT_EQ(order,
            "ab"
            "ababab");  // A round to warm up, and three that count.
}

TEST(measure_latencies, is_not_misled_by_samples_that_something_interrupts) {
  int runs = 0;
  const latency_task task{"conv1", 8, 8, [&runs] { manual_clock::pass(++runs % 5 == 0 ? 1'000'000 : 100); }};
  const latency_table table =
      measure_latencies<manual_clock>(std::vector{task}, {.repetitions = 21, .least_sample_nanoseconds = 0});
  EXPECT_EQ(table.at("conv1", 8, 8), (latency{100, 0}));  // Four of 21 are late.
}

TEST(measure_latencies, makes_samples_as_long_as_asked) {
  int runs = 0;
  const latency_task task{"conv1", 8, 8, [&runs] {
                            ++runs;
                            manual_clock::pass(10);
                          }};
  measure_latencies<manual_clock>(std::vector{task}, {.repetitions = 1, .least_sample_nanoseconds = 60});
  EXPECT_EQ(runs, 1 + 2 + 4 + 8 + 8);  // 8 runs are the first to last 60 ns; then a sample of as many.
}

TEST(measure_latency, times_what_it_is_given) {
  EXPECT_EQ(measure_latency<manual_clock>([] { manual_clock::pass(42); }), (latency{42, 0}));
  EXPECT_GE(measure_latency([] {}, {.repetitions = 3, .least_sample_nanoseconds = 1}).nanoseconds, 0);
}

TEST(measure_latencies, refuses_tasks_and_options_that_make_no_sense) {
  const latency_task task{"conv1", 8, 8, [] { manual_clock::pass(1); }};
  EXPECT_EQ(measure_latencies<manual_clock>({}).size(), 0u);
  EXPECT_THROW(measure_latencies(std::vector{latency_task{}}), invalid_argument);
  EXPECT_THROW(measure_latencies<manual_clock>(std::vector{task, task}), invalid_argument);
  EXPECT_THROW(measure_latencies(std::vector{task}, {.repetitions = 0}), invalid_argument);
  EXPECT_THROW(measure_latencies(std::vector{task}, {.least_sample_nanoseconds = -1}), invalid_argument);
}

}  // namespace
}  // namespace bitwright
