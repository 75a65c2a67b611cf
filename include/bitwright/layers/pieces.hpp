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

/// What a piece of weighted sums has at least, where there is as much: outputs of this many rows or pixels. Each piece
/// reads all weights, so with fewer it would be the reading that takes the time. A multiple of the rows of most tiles.
inline constexpr std::size_t least_pixels = 48;

/// The fewest rows that hold `least` when each holds `row_size`.
constexpr std::size_t rows_of(std::size_t least, std::size_t row_size) { return (least + row_size - 1) / row_size; }

/// Calls work(piece, first, last) for pieces that together hold [0, rows) once, all but the last `least` rows or
/// more.
template <executor Executor, class Work>
void run_in_pieces(Executor& pool, std::size_t rows, const Work& work, std::size_t least = 1) {
  const std::size_t length = std::max(least, (rows + maximum_pieces - 1) / maximum_pieces);
  const auto run = [&](std::size_t piece) { work(piece, piece * length, std::min(rows, (piece + 1) * length)); };
  // By reference: even an executor that keeps work in a std::function then has nothing to allocate.
  if (rows > 0) pool.parallel_for((rows + length - 1) / length, std::ref(run));
}

}  // namespace bitwright
