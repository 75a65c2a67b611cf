// SPDX-License-Identifier: MIT
/// \file
/// A linear layer of piecewise linear weights, whose every piece has an accumulator, beside our own gemm of uniform 8-bit
/// weights on the same path. Operations are gemm's, so that the ratio is one of times.
#pragma once

#include "contest.hpp"
#include "ours.hpp"
#include "problem.hpp"
#include <bitwright/layers/summed_layers.hpp>
#include <bitwright/quantizers/piecewise_linear.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace bitwright::benchmarks {

/// Gaussian weights in pieces of 4 bits with one breakpoint.
struct summed_problem {
  weighted_problem uniform;
  summed_weights weights;

  summed_problem(std::size_t rows, std::size_t inputs, std::size_t outputs)
      : uniform(make_gemm(rows, inputs, outputs, 8)), weights(pieces_of(outputs, inputs)) {}

 private:
  static summed_weights pieces_of(std::size_t outputs, std::size_t inputs) {
    std::mt19937 generator(11);
    std::normal_distribution<float> any_weight;
    std::vector<float> values(outputs * inputs);
    for (float& value : values) value = any_weight(generator);
    const std::array<float, 1> breakpoint{1.4f};  // The best one for a limit of 4 sigma.
    const piecewise_linear<> q(breakpoint, 4, 4);
    return sum_weights(sliced<piecewise_linear<>, per_tensor>({outputs, inputs}, {}, {q}),
                       std::span<const float>(values));
  }
};

struct our_summed_gemm {
  const summed_problem& problem;
  summed_linear<u8, u8> layer;
  std::vector<std::byte, aligned_allocator<std::byte>> workspace;
  std::vector<u8, aligned_allocator<u8>> activations, outputs;

  our_summed_gemm(const summed_problem& given, std::string_view path)
      : problem(given),
        layer({.input = {1, 0}, .weights = given.weights, .output = {spread(given), 0}}, path),
        workspace(layer.workspace_bytes()),
        activations(given.uniform.activations.begin(), given.uniform.activations.end()),
        outputs(given.uniform.output_codes()) {}
  void run() { layer.run(activations, outputs, workspace); }

 private:
  /// A hundredth of the sum's standard deviation.
  static float spread(const summed_problem& given) {
    return static_cast<float>(std::sqrt(static_cast<double>(given.uniform.inputs())) * 255 / std::sqrt(3.0) / 100);
  }
};

inline std::optional<contestant> ours(const summed_problem& problem, std::string_view name) {
  if (!find_path(kernels::gemm_paths<u8, std::int32_t, half_to_even>, name)) return {};
  return our_entry(name, problem.uniform.operations(), std::make_shared<our_summed_gemm>(problem, name));
}

inline std::vector<contestant> peers_of(const summed_problem& problem, std::string_view path) {
  std::optional<contestant> gemm = ours(problem.uniform, path);
  if (!gemm) return {};
  gemm->name = "uniform", gemm->path = problem.uniform.operation, gemm->codes = {};
  return {*gemm};
}

inline std::vector<contestant> limits_of(const summed_problem&, std::string_view) { return {}; }

}  // namespace bitwright::benchmarks
