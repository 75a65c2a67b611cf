// SPDX-License-Identifier: MIT
/// \file
/// The second moment of a layer's inputs as a curvature: how much the layer's own outputs change with its weights.
///
///   mean over samples of |dW x|^2 / 2  =  sum over output channels o of d_o' M d_o / 2,   M = mean x x',
///
/// d_o the change of channel o's weights. M is that error's Hessian for each output channel, so a layer's block is M as
/// often as it has output channels. It takes no gradient and no label, only calibration inputs. (AdaRound, Nagel et al.,
/// ICML 2020; Optimal Brain Compression, Frantar and Alistarh, NeurIPS 2022.)
///
/// It is the curvature of a layer's output error, not of the loss: it knows nothing of what the rest of the network
/// makes of that error. It serves to choose between quantizers of one layer; it does not compare layers.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/square_matrix.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>

namespace bitwright {

/// M of one layer, from samples of its inputs; a Hessian-vector product for weights [output channels][inputs].
/// Memory: inputs^2 doubles.
class second_moment {
 public:
  /// `inputs` is how many values one output is computed from: kernel * kernel * input channels / groups of a
  /// convolution. Throws invalid_argument for none.
  explicit second_moment(std::size_t inputs) : sums_(inputs) {
    require(inputs > 0, "second_moment: inputs", inputs, "at least 1");
  }

  /// Adds samples, [samples][inputs]: for a convolution, the window of every output pixel.
  /// Throws invalid_argument for a size that is no multiple of inputs, and for NaN or infinity; then nothing counts.
  void observe(std::span<const float> samples) {
    const std::size_t inputs = sums_.size();
    require(samples.size() % inputs == 0, "second_moment::observe: samples.size()", samples.size(), "a multiple of ",
            inputs);
    for (std::size_t i = 0; i < samples.size(); ++i)
      if (!std::isfinite(samples[i])) [[unlikely]]
        fail("second_moment::observe: samples[" + std::to_string(i) + "]", samples[i], "a finite number");
    for (std::size_t first = 0; first < samples.size(); first += inputs) add(samples.subspan(first, inputs));
  }

  std::size_t samples() const { return squared_norms_.count(); }

  /// M's element, mean x_i x_j; 0 before the first sample.
  double operator()(std::size_t i, std::size_t j) const {
    return samples() == 0 ? 0 : sums_(i, j) / static_cast<double>(samples());
  }

  /// The trace of the layer's block, with the standard error that the choice of samples gives it. Samples that belong to
  /// one image are not independent, and the true error is larger than that.
  /// Throws invalid_argument for no outputs.
  trace_estimate trace(std::size_t outputs) const {
    require(outputs > 0, "second_moment::trace: outputs", outputs, "at least 1");
    const double copies = static_cast<double>(outputs);
    return {.trace = copies * squared_norms_.mean(),
            .standard_error = copies * squared_norms_.standard_error(),
            .weights = outputs * sums_.size(),
            .probes = samples()};
  }

  /// Writes M d_o for each output channel's d_o. Throws invalid_argument for sizes that differ or are no multiple of
  /// inputs, and before the first sample.
  template <weight_scalar Scalar>
  void operator()(std::span<const Scalar> direction, std::span<Scalar> result) const {
    const std::size_t inputs = sums_.size();
    require(samples() > 0, "second_moment: samples observed", samples(), "at least 1");
    require(direction.size() % inputs == 0, "second_moment: direction.size()", direction.size(), "a multiple of ",
            inputs);
    require(result.size() == direction.size(), "second_moment: result.size()", result.size(), "that of the direction, ",
            direction.size());
    for (std::size_t first = 0; first < direction.size(); first += inputs)
      for (std::size_t i = 0; i < inputs; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < inputs; ++j) sum += sums_(i, j) * static_cast<double>(direction[first + j]);
        result[first + i] = static_cast<Scalar>(sum / static_cast<double>(samples()));
      }
  }

 private:
  void add(std::span<const float> sample) {
    double squared_norm = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      squared_norm += static_cast<double>(sample[i]) * static_cast<double>(sample[i]);
      for (std::size_t j = 0; j < sample.size(); ++j)
        sums_(i, j) += static_cast<double>(sample[i]) * static_cast<double>(sample[j]);
    }
    squared_norms_.add(squared_norm);
  }

  square_matrix sums_;  // Of x x'.
  sample_mean squared_norms_;
};

static_assert(hessian_vector_product<const second_moment, float> &&
              hessian_vector_product<const second_moment, double>);

}  // namespace bitwright
