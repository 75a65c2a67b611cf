// SPDX-License-Identifier: MIT
/// \file
/// Group-wise gemm: weights in groups of 32, activations quantized within the time that is measured, and what bounds it.
#pragma once

#include "contest.hpp"
#include "limits.hpp"
#include "ours.hpp"
#include "problem.hpp"
#include <bitwright/core/tensor.hpp>
#include <bitwright/kernels/group_gemm.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright::benchmarks {

/// Random codes and scales, and activations of a normal distribution.
template <class Format>
struct group_problem {
  using memory = std::vector<std::byte, aligned_allocator<std::byte>>;

  std::size_t rows, inputs, outputs;
  std::vector<float> activations;
  std::vector<std::int8_t> codes;
  std::vector<std::uint16_t> scales;
  std::vector<std::uint8_t> zero_points;
  std::shared_ptr<memory> packed = std::make_shared<memory>();  ///< As the path that was asked for last has it.

  group_problem(std::size_t m, std::size_t k, std::size_t n) : rows(m), inputs(k), outputs(n) {}

  /// Apart from the sizes, as it takes a while.
  void fill() {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    const auto any = [&generator](int least, int most) {
      return least + static_cast<int>(generator() % static_cast<unsigned>(most - least + 1));
    };
    for (std::size_t i = 0; i < rows * inputs; ++i) activations.push_back(normal(generator));
    for (std::size_t i = 0; i < outputs * inputs; ++i)
      codes.push_back(static_cast<std::int8_t>(any(Format::codes.min, Format::codes.max)));
    for (std::size_t i = 0; i < outputs * inputs / kernels::group_size; ++i) {
      scales.push_back(static_cast<std::uint16_t>(any(0x1000, 0x2fff)));  // From 2^-11 to 2^-3.
      zero_points.push_back(static_cast<std::uint8_t>(any(0, 15)));
    }
  }

  std::string operation() const {
    return "group-wise W" + std::to_string(Format::bits) + (Format::has_zero_points ? " zero point" : "");
  }
  std::string shape() const {
    return std::to_string(rows) + "x" + std::to_string(inputs) + "x" + std::to_string(outputs);
  }
  double operations() const { return 2 * static_cast<double>(rows * inputs * outputs); }
  kernels::group_weights weights() const {
    return {outputs, inputs, codes.data(), scales.data(), zero_points.data(), nullptr};
  }
};

template <class Format>
struct our_group_gemm {
  const group_problem<Format>& problem;
  kernels::group_gemm_path path;
  typename group_problem<Format>::memory workspace;
  std::vector<float> outputs;

  our_group_gemm(const group_problem<Format>& given, const kernels::group_gemm_path& chosen)
      : problem(given),
        path(chosen),
        workspace(kernels::group_gemm_workspace_bytes(given.weights(), given.rows)),
        outputs(given.rows * given.outputs) {
    problem.packed->resize(path.packed_bytes(problem.weights()));
    path.pack(problem.weights(), problem.packed->data());
  }
  void run() {
    const kernels::group_gemm_arguments call{.weights = problem.weights(),
                                             .packed = problem.packed->data(),
                                             .rows = problem.rows,
                                             .activations = problem.activations.data(),
                                             .activation_stride = problem.inputs,
                                             .outputs = outputs.data(),
                                             .output_stride = problem.outputs,
                                             .workspace = workspace.data()};
    path.quantize(call, 0, problem.rows);
    for (std::size_t first = 0; first < problem.outputs; first += kernels::group_gemm_columns)  // As a layer does.
      path.run(call, first, std::min(problem.outputs, first + kernels::group_gemm_columns));
  }
};

template <class Format>
std::optional<contestant> ours(const group_problem<Format>& problem, std::string_view name) {
  const auto path = find_path(kernels::group_gemm_paths<Format>, name);
  if (!path) return {};
  const auto call = std::make_shared<our_group_gemm<Format>>(problem, *path);
  return contestant{
      .name = "bitwright", .path = std::string(name), .run = [call] { call->run(); }, .work = problem.operations()};
}

template <class Format>
std::vector<contestant> limits_of(const group_problem<Format>&, std::string_view path) {
  std::vector<contestant> found;
  for (const limits::arithmetic& each : limits::all)
    if (each.path == path && each.weight_bits >= Format::bits)
      found.push_back({.name = "limit", .path = std::string(each.sequence), .run = each.run, .work = each.operations});
  return found;
}

/// One row uses each weight once, and cannot be faster than codes, scales and zero points are read.
template <class Format>
std::vector<contestant> bandwidths_of(const group_problem<Format>& problem) {
  if (problem.rows > 1) return {};
  return {{.name = "limit",
           .path = "reading weights",
           .run = [packed = problem.packed] { limits::read(packed->data(), packed->size()); },
           .work = problem.operations()}};
}

}  // namespace bitwright::benchmarks
