// SPDX-License-Identifier: MIT
/// \file
/// The kernels as contestants: one path's way to do a problem.
#pragma once

#include "contest.hpp"
#include "problem.hpp"
#include <bitwright/core/rounding.hpp>
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/average_line.hpp>
#include <bitwright/kernels/binary_gemm.hpp>
#include <bitwright/kernels/convolution.hpp>
#include <bitwright/kernels/gemm.hpp>
#include <bitwright/kernels/lookup.hpp>
#include <bitwright/kernels/pooling.hpp>
#include <bitwright/kernels/residual_add.hpp>
#include <bitwright/kernels/transpose.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright::benchmarks {

using u8 = std::uint8_t;

/// The path of that name, or none where the operation does not have it.
template <class Paths>
auto find_path(const Paths& paths, std::string_view name) {
  std::optional<typename Paths::value_type> found;
  for (const auto& path : paths)
    if (path.name == name) found = path;
  return found;
}

inline kernels::window_axis axis_of(const geometry& window) {
  return {window.image, window.kernel, window.stride, 1, window.padding, window.padding};
}

/// What a call of a weighted sum's kernel points to.
struct weighted_memory {
  const weighted_problem& problem;
  std::vector<std::int32_t> weight_zero_points;
  std::vector<dyadic> factors;
  std::vector<std::byte, aligned_allocator<std::byte>> packed, workspace;
  std::vector<u8, aligned_allocator<u8>> activations, outputs;

  explicit weighted_memory(const weighted_problem& given)
      : problem(given),
        weight_zero_points(given.outputs),
        activations(given.activations.begin(), given.activations.end()),
        outputs(given.output_codes()) {
    for (const double factor : given.factors) factors.push_back(dyadic::nearest(factor));
  }

  kernels::weighted_sum sums() const {
    return {.outputs = problem.outputs,
            .inputs = problem.inputs(),
            .weights = problem.weights.data(),
            .weight_zero_points = weight_zero_points.data(),
            .bias = problem.bias.data(),
            .factors = factors.data(),
            .activation_zero_point = 0,
            .output_zero_point = 0,
            .output_codes = {0, 255},
            .activation_codes = {0, problem.greatest_activation},
            .index_bits = problem.index_bits};
  }

  /// Packs once; what is measured finds the weights so.
  template <class Path, class Constants>
  void pack(const Path& path, const Constants& constants) {
    packed.resize(path.packed_bytes(constants)), workspace.resize(path.workspace_bytes(constants));
    path.pack(constants, packed.data());
  }
};

template <class Call>
contestant our_entry(std::string_view path, double work, Call call) {
  return {.name = "bitwright",
          .path = std::string(path),
          .run = [call] { call->run(); },
          .work = work,
          .codes = [call] { return std::vector<u8>(call->outputs.begin(), call->outputs.end()); }};
}

struct our_gemm : weighted_memory {
  kernels::gemm_path<u8, u8> path;

  our_gemm(const weighted_problem& given, const kernels::gemm_path<u8, u8>& chosen)
      : weighted_memory(given), path(chosen) {
    pack(path, sums());
  }
  void run() {
    path.run({.sums = sums(),
              .packed = packed.data(),
              .activations = activations.data(),
              .activation_stride = problem.inputs(),
              .outputs = outputs.data(),
              .output_stride = problem.outputs,
              .workspace = workspace.data()},
             0, problem.rows);
  }
};

struct our_convolution : weighted_memory {
  kernels::convolution_path<u8, u8> path;

  our_convolution(const weighted_problem& given, const kernels::convolution_path<u8, u8>& chosen)
      : weighted_memory(given), path(chosen) {
    pack(path, constants());
  }
  kernels::convolution_constants constants() const {
    return {sums(), {axis_of(problem.window), axis_of(problem.window)}, problem.groups, problem.group_channels};
  }
  void run() {
    path.run({.constants = constants(),
              .packed = packed.data(),
              .activations = activations.data(),
              .outputs = outputs.data(),
              .workspace = workspace.data()},
             0, problem.window.output());
  }
};

struct our_pooling {
  const pooling_problem& problem;
  std::string_view path;
  std::vector<dyadic> factors;
  std::vector<kernels::average_line> lines;
  std::vector<u8> outputs;

  our_pooling(const pooling_problem& given, std::string_view chosen)
      : problem(given), path(chosen), outputs(given.output_codes()) {
    factors.push_back({0, 0});
    for (std::size_t taps = 1; taps <= given.window.kernel * given.window.kernel; ++taps)
      factors.push_back(dyadic::nearest(1.0 / static_cast<double>(taps)));
    for (std::size_t taps = 0; taps < factors.size(); ++taps)
      lines.push_back(kernels::average_line::through<half_to_even, u8, u8>({taps, 0, factors[taps], 0, {0, 255}}));
  }
  void run() {
    const kernels::sliding_window window{axis_of(problem.window), axis_of(problem.window)};
    if (problem.kind == pooling_problem::kinds::maximum)
      find_path(kernels::max_pooling_paths<u8>, path)
          ->run({window, problem.channels, problem.activations.data(), outputs.data()}, 0, problem.window.output());
    else
      find_path(kernels::average_pooling_paths<u8, u8, half_to_even>, path)
          ->run({.window = window,
                 .channels = problem.channels,
                 .activations = problem.activations.data(),
                 .activation_zero_point = 0,
                 .outputs = outputs.data(),
                 .factors = factors.data(),
                 .output_zero_point = 0,
                 .output_codes = {0, 255},
                 .lines = lines.data()},
                0, problem.window.output());
  }
};

struct our_addition {
  const addition_problem& problem;
  kernels::residual_add_path<u8, u8, u8> path;
  std::vector<std::byte, aligned_allocator<std::byte>> packed;
  std::vector<u8> outputs;

  our_addition(const addition_problem& given, const kernels::residual_add_path<u8, u8, u8>& chosen)
      : problem(given), path(chosen), packed(chosen.packed_bytes), outputs(given.left.size()) {
    path.pack(call(), packed.data());
  }
  kernels::residual_add_arguments<u8, u8, u8> call() {
    const auto factor = [](float value) {
      return dyadic::nearest(std::ldexp(double{value}, kernels::residual_guard_bits));
    };
    return {.left = {problem.left.data(), 0, factor(problem.left_factor)},
            .right = {problem.right.data(), 0, factor(problem.right_factor)},
            .outputs = outputs.data(),
            .output_zero_point = 0,
            .output_codes = {0, 255},
            .packed = packed.data()};
  }
  void run() { path.run(call(), 0, outputs.size()); }
};

struct our_lookup {
  const lookup_problem& problem;
  kernels::lookup_path<u8, u8> path;
  std::vector<u8> outputs;

  our_lookup(const lookup_problem& given, const kernels::lookup_path<u8, u8>& chosen)
      : problem(given), path(chosen), outputs(given.codes.size()) {}
  void run() {
    path.run({.table = problem.table.data(),
              .codes = problem.codes.data(),
              .code_stride = outputs.size(),
              .outputs = outputs.data(),
              .output_stride = outputs.size(),
              .length = outputs.size()},
             0, 1);
  }
};

struct our_transpose {
  const transpose_problem& problem;
  kernels::transpose_path<u8> path;
  std::vector<u8> outputs;

  our_transpose(const transpose_problem& given, const kernels::transpose_path<u8>& chosen)
      : problem(given), path(chosen), outputs(given.codes.size()) {}
  void run() { path.run({problem.codes.data(), outputs.data(), problem.channels, problem.pixels}, 0, problem.pixels); }
};

inline std::optional<contestant> ours(const weighted_problem& problem, std::string_view name) {
  if (problem.is_gemm) {
    const auto path = find_path(kernels::gemm_paths<u8, u8, half_to_even>, name);
    if (path) return our_entry(name, problem.operations(), std::make_shared<our_gemm>(problem, *path));
  } else {
    const auto path = find_path(kernels::convolution_paths<u8, u8, half_to_even>, name);
    if (path) return our_entry(name, problem.operations(), std::make_shared<our_convolution>(problem, *path));
  }
  return {};
}

inline std::optional<contestant> ours(const pooling_problem& problem, std::string_view name) {
  const bool has_path = problem.kind == pooling_problem::kinds::maximum
                            ? find_path(kernels::max_pooling_paths<u8>, name).has_value()
                            : find_path(kernels::average_pooling_paths<u8, u8, half_to_even>, name).has_value();
  if (!has_path) return {};
  return our_entry(name, problem.bytes(), std::make_shared<our_pooling>(problem, name));
}

inline std::optional<contestant> ours(const addition_problem& problem, std::string_view name) {
  const auto path = find_path(kernels::residual_add_paths<u8, u8, u8, half_to_even>, name);
  if (!path) return {};
  return our_entry(name, problem.bytes(), std::make_shared<our_addition>(problem, *path));
}

inline std::optional<contestant> ours(const lookup_problem& problem, std::string_view name) {
  const auto path = find_path(kernels::lookup_paths<u8, u8>, name);
  if (!path) return {};
  return our_entry(name, problem.bytes(), std::make_shared<our_lookup>(problem, *path));
}

inline std::optional<contestant> ours(const transpose_problem& problem, std::string_view name) {
  const auto path = find_path(kernels::transpose_paths<u8>, name);
  if (!path) return {};
  return our_entry(name, problem.bytes(), std::make_shared<our_transpose>(problem, *path));
}

/// The names of all paths of all operations that this processor can run, each once, best first.
inline std::vector<std::string> our_paths() {
  std::vector<std::string> names;
  const auto collect = [&names](const auto& paths) {
    for (const auto& path : paths)
      if (path.available() && path.name != "scalar" && std::ranges::find(names, path.name) == names.end())
        names.emplace_back(path.name);
  };
  collect(kernels::gemm_paths<u8, u8, half_to_even>), collect(kernels::convolution_paths<u8, u8, half_to_even>);
  collect(kernels::binary_gemm_paths<u8>);
  collect(kernels::max_pooling_paths<u8>), collect(kernels::average_pooling_paths<u8, u8, half_to_even>);
  collect(kernels::residual_add_paths<u8, u8, u8, half_to_even>), collect(kernels::lookup_paths<u8, u8>);
  collect(kernels::transpose_paths<u8>);
  names.emplace_back("scalar");
  return names;
}

}  // namespace bitwright::benchmarks
