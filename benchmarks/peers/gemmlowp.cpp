// SPDX-License-Identifier: MIT
#include "peers.hpp"
#include <bitwright/arithmetic/dyadic.hpp>

#include <gemmlowp/public/gemmlowp.h>
#include <gemmlowp/public/output_stages.h>

#include <cstdint>
#include <memory>
#include <tuple>

namespace bitwright::benchmarks::gemmlowp_peer {

namespace {

using gemmlowp::MapOrder;
using gemmlowp::VectorShape;

struct prepared {
  const weighted_problem& problem;
  std::vector<std::uint8_t> weights, outputs;
  std::vector<std::int32_t> multipliers, exponents;
  gemmlowp::GemmContext context;

  explicit prepared(const weighted_problem& given) : problem(given), outputs(given.output_codes()) {
    context.set_max_num_threads(1);
    for (const std::int8_t code : problem.weights) weights.push_back(static_cast<std::uint8_t>(code + 128));
    for (const double factor : problem.factors) {
      const dyadic nearest =
          dyadic::nearest(factor);  // multiplier / 2^shift, and theirs is multiplier / 2^31 * 2^exponent.
      multipliers.push_back(nearest.multiplier), exponents.push_back(31 - nearest.shift);
    }
  }

  /// Outputs as columns: weights times the activations' transpose.
  void run() {
    using per_output = gemmlowp::VectorMap<const std::int32_t, VectorShape::Col>;
    const int rows = static_cast<int>(problem.outputs), depth = static_cast<int>(problem.inputs()),
              columns = static_cast<int>(problem.rows);
    const gemmlowp::MatrixMap<const std::uint8_t, MapOrder::RowMajor> left(weights.data(), rows, depth);
    const gemmlowp::MatrixMap<const std::uint8_t, MapOrder::ColMajor> right(problem.activations.data(), depth, columns);
    gemmlowp::MatrixMap<std::uint8_t, MapOrder::ColMajor> result(outputs.data(), rows, columns);
    const gemmlowp::OutputStageBiasAddition<per_output> bias{per_output(problem.bias.data(), rows)};
    const gemmlowp::OutputStageScaleInt32ByFixedPointAndExponentPC<VectorShape::Col> scale{
        per_output(multipliers.data(), rows), per_output(exponents.data(), rows), 0};
    gemmlowp::GemmWithOutputPipeline<std::uint8_t, std::uint8_t, gemmlowp::L8R8WithLhsNonzeroBitDepthParams>(
        &context, left, right, &result, -128, 0,
        std::make_tuple(bias, scale, gemmlowp::OutputStageSaturatingCastToUint8()));
  }
};

}  // namespace

void add(const weighted_problem& problem, std::vector<contestant>& all) {
  if (!problem.is_gemm) return;
  auto call = std::make_shared<prepared>(problem);
  all.push_back({.name = "gemmlowp",
                 .path = "avx2",
                 .run = [call] { call->run(); },
                 .work = problem.operations(),
                 .codes = [call] { return call->outputs; }});
}

}  // namespace bitwright::benchmarks::gemmlowp_peer
