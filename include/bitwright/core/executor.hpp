// SPDX-License-Identifier: MIT
/// \file
/// Who runs independent pieces of work: this thread by default, a user's thread pool by choice.
#pragma once

#include <concepts>
#include <cstddef>

namespace bitwright {

/// `executor.parallel_for(count, work)` calls work(i) once for every i in [0, count), in any order, on any threads, and
/// returns when all calls have returned. bitwright divides work so that no result depends on the executor.
template <class Executor>
concept executor = requires(Executor& pool, std::size_t count, void (&work)(std::size_t)) {
  pool.parallel_for(count, work);
};

/// Runs everything in order on the calling thread.
struct serial_executor {
  template <std::invocable<std::size_t> Work>
  constexpr void parallel_for(std::size_t count, Work&& work) const {
    for (std::size_t i = 0; i < count; ++i) work(i);
  }
};

static_assert(executor<serial_executor> && executor<const serial_executor>);

}  // namespace bitwright
