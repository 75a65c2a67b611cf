// SPDX-License-Identifier: MIT
// Any number of threads may run one plan at once, each with a workspace of its own; the thread sanitizer watches.
#include "every_plan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace bitwright {
namespace {

using reference::every_output;
using reference::every_plan;

TEST(plans, run_on_many_threads_at_once_with_the_same_bits) {
  const every_plan scalar("scalar");
  every_output expected = scalar.outputs();
  scalar.run(expected);
  for (const std::string& path : reference::names_of_paths()) {
    const every_plan plan(path);
    std::vector<every_output> results(4, plan.outputs());
    {
      std::vector<std::jthread> threads;
      for (every_output& result : results)
        threads.emplace_back([&plan, &result] {
          for (int repetition = 0; repetition < 3; ++repetition) plan.run(result);
        });
    }
    for (const every_output& result : results) EXPECT_TRUE(result == expected) << path;
  }
}

TEST(plans, of_which_each_thread_makes_its_own_choose_paths_at_once) {
  std::vector<every_output> results(4);
  {
    std::vector<std::jthread> threads;
    for (every_output& result : results)
      threads.emplace_back([&result] {
        const every_plan plan("");
        result = plan.outputs();
        plan.run(result);
      });
  }
  for (const every_output& result : results) EXPECT_TRUE(result == results[0]);
}

}  // namespace
}  // namespace bitwright
