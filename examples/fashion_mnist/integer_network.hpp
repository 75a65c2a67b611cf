// SPDX-License-Identifier: MIT
/// \file
/// The quantized network in integers only: pixels are codes, layers are plans made once, and nothing is a float until
/// somebody asks what a score means.
#pragma once

#include "folded_network.hpp"
#include "integer_weights.hpp"
#include "quantization.hpp"
#include <bitwright/core/executor.hpp>
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/pooling.hpp>
#include <bitwright/layers/residual_add.hpp>
#include <bitwright/layers/summed_layers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace fashion_mnist {

using narrow_codes = std::vector<std::uint8_t>;
using wide_codes = std::vector<std::int16_t>;

/// The codes of one node's outputs for a few images: wide where has_wide_outputs says so.
using node_output = std::variant<narrow_codes, wide_codes>;

class integer_network {
 public:
  /// Quantizes and packs the weights of `net` as `codes` say. Neither need outlive this. `path` forces a path by name,
  /// where an operation has it and this processor can run it; everything else takes its best one.
  /// Throws bitwright::invalid_argument where a layer cannot be computed in 32-bit accumulators.
  integer_network(const folded_network& net, const quantization& codes, std::string_view path = {});

  /// The same of any integers: `weights` has an entry for each layer, `outputs` one for each node, `biases` one for each
  /// channel of each layer.
  integer_network(const network& graph, std::span<const integer_weights> weights, std::span<const float> biases,
                  std::span<const activation_quantizer> outputs, std::string_view path = {});

  /// Scores of the classes, [images][classes], for pixels [images][28][28]: the same bits with every executor.
  template <bitwright::executor Executor>
  wide_codes run(std::span<const std::uint8_t> pixels, Executor& pool) const {
    const std::size_t image = graph_->input().outputs_per_image(), out = graph_->output().channels;
    const std::size_t chunk = images_per_chunk * image;
    wide_codes scores(pixels.size() / image * out);
    pool.parallel_for((pixels.size() + chunk - 1) / chunk, [&](std::size_t i) {
      const auto part = pixels.subspan(i * chunk, std::min(chunk, pixels.size() - i * chunk));
      std::ranges::copy(std::get<wide_codes>(run_nodes(part).back()), scores.data() + i * images_per_chunk * out);
    });
    return scores;
  }

  /// The codes of every node's outputs for a few images: by node, [images][size][size][channels].
  std::vector<wide_codes> node_codes(std::span<const std::uint8_t> pixels) const;

  /// Each layer with weights alone, over and over the same images: callables to time. This has to outlive them.
  std::vector<std::function<void()>> layer_runs(std::span<const std::uint8_t> pixels) const;

 private:
  using layer = std::variant<
      bitwright::convolution<std::uint8_t, std::uint8_t>, bitwright::convolution<std::uint8_t, std::int16_t>,
      bitwright::summed_convolution<std::uint8_t, std::uint8_t>,
      bitwright::summed_convolution<std::uint8_t, std::int16_t>, bitwright::summed_linear<std::uint8_t, std::int16_t>,
      bitwright::residual_add<std::uint8_t, std::int16_t, std::uint8_t>,
      bitwright::average_pooling<std::uint8_t, std::uint8_t>, bitwright::linear<std::uint8_t, std::int16_t>>;

  std::vector<node_output> run_nodes(std::span<const std::uint8_t> pixels) const;

  const network* graph_;
  std::vector<layer> layers_;  // By node, but for the image.
};

}  // namespace fashion_mnist
