// SPDX-License-Identifier: MIT
/// \file
/// How a layer divides its work for an executor: into pieces that do not depend on who runs them.
#pragma once

#include <bitwright/core/executor.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <type_traits>

namespace bitwright {

/// An executor as `run` takes it: an lvalue, or a temporary.
template <class Executor>
concept executor_argument = executor<std::remove_reference_t<Executor>>;

/// A layer's work is divided into no more pieces than this, each with a workspace of its own.
inline constexpr std::size_t maximum_pieces = 64;

/// Calls work(piece, first, last) for pieces that together hold [0, rows) once.
template <executor Executor, class Work>
void run_in_pieces(Executor& pool, std::size_t rows, const Work& work) {
  const std::size_t length = (rows + maximum_pieces - 1) / maximum_pieces;
  const auto run = [&](std::size_t piece) { work(piece, piece * length, std::min(rows, (piece + 1) * length)); };
  // By reference: even an executor that keeps work in a std::function then has nothing to allocate.
  if (rows > 0) pool.parallel_for((rows + length - 1) / length, std::ref(run));
}

}  // namespace bitwright
