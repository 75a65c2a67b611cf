// SPDX-License-Identifier: MIT
#include <bitwright/core/executor.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace bitwright {
namespace {

TEST(serial_executor, runs_each_piece_once_in_order_on_this_thread) {
  std::vector<std::size_t> seen;
  const auto here = std::this_thread::get_id();
  serial_executor{}.parallel_for(5, [&](std::size_t i) {
    seen.push_back(i);
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(serial_executor, of_nothing_runs_nothing) {
  serial_executor{}.parallel_for(0, [](std::size_t) { FAIL(); });
}

/// A user's own: one thread for each piece, last first.
struct thread_each {
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::vector<std::jthread> threads;
    for (std::size_t i = count; i-- > 0;) threads.emplace_back([&work, i] { work(i); });
  }
};

template <executor Executor>
std::vector<std::size_t> squares(Executor&& pool) {
  std::vector<std::size_t> result(16);
  pool.parallel_for(result.size(), [&](std::size_t i) { result[i] = i * i; });
  return result;
}

TEST(executor, may_be_a_users_own) {
  EXPECT_EQ(squares(thread_each{}), squares(serial_executor{}));
  static_assert(executor<thread_each> && !executor<const thread_each> && !executor<int>);
}

}  // namespace
}  // namespace bitwright
