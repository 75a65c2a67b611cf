// SPDX-License-Identifier: MIT
/// \file
/// A path: one instruction set's implementation of an operation. An operation's table of paths, best first and `scalar`
/// last, feeds its dispatch, its tests (every path against scalar) and its benchmarks (a row for each path).
#pragma once

#include <bitwright/core/error.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace bitwright {

/// Whether a path needs nothing beyond the language: scalar's answer.
inline bool always_available() { return true; }

/// The best path of `paths` that this processor can run. `Path` has the members `name` and `available`.
template <class Path, std::size_t Count>
const Path& best_path(const std::array<Path, Count>& paths) {
  for (const Path& path : paths)
    if (path.available()) return path;
  return paths.back();
}

/// The path called `name`, or the best available one where `name` is empty.
/// Throws invalid_argument for a name that is not in the table or that this processor cannot run.
template <class Path, std::size_t Count>
const Path& choose_path(const std::array<Path, Count>& paths, std::string_view name) {
  if (name.empty()) return best_path(paths);
  std::string known;
  for (const Path& path : paths) {
    if (!path.available()) continue;
    if (path.name == name) return path;
    known += (known.empty() ? "" : ", ") + std::string(path.name);
  }
  fail("choose_path: name", name, "a path that this processor can run: " + known);
}

}  // namespace bitwright
