// SPDX-License-Identifier: MIT
#include "thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

namespace {

TEST(thread_pool, calls_work_once_for_every_index) {
  for (const std::size_t threads : {0u, 1u, 2u, 5u}) {
    thread_pool pool(threads);
    for (const std::size_t count : {0u, 1u, 2u, 1000u}) {
      std::vector<std::atomic<int>> calls(count);
      pool.parallel_for(count, [&](std::size_t i) { ++calls[i]; });
      EXPECT_TRUE(std::ranges::all_of(calls, [](const auto& n) { return n == 1; })) << threads << " " << count;
    }
  }
}

TEST(thread_pool, lets_work_share_out_work_of_its_own) {
  thread_pool pool(3);
  std::atomic<int> calls = 0;
  pool.parallel_for(10, [&](std::size_t) { pool.parallel_for(10, [&](std::size_t) { ++calls; }); });
  EXPECT_EQ(calls, 100);
}

TEST(thread_pool, hands_an_exception_to_the_caller_and_serves_on) {
  thread_pool pool(2);
  std::atomic<int> calls = 0;
  const auto work = [&](std::size_t i) {
    ++calls;
    if (i == 3) throw std::runtime_error("three");
  };
  EXPECT_THROW(pool.parallel_for(1'000'000, work), std::runtime_error);
  EXPECT_LT(calls, 1'000'000);
  pool.parallel_for(1, [&](std::size_t) { calls = -1; });
  EXPECT_EQ(calls, -1);
}

}  // namespace
