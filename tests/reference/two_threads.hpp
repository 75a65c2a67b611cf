// SPDX-License-Identifier: MIT
/// \file
/// A user's executor: two threads, the odd pieces on one and the even ones, from the last to the first, on the other.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>

namespace bitwright::reference {

struct two_threads {
  std::size_t pieces = 0;  ///< How many the last call had.

  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work) {
    pieces = count;
    std::jthread odd([&] {
      for (std::size_t i = 1; i < count; i += 2) work(i);
    });
    for (std::size_t i = (count + 1) / 2; i-- > 0;) work(2 * i);
  }
};

}  // namespace bitwright::reference
