// SPDX-License-Identifier: MIT
/// \file
/// What one call of a pooling kernel reads and writes.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/core/code_range.hpp>
#include <bitwright/kernels/average_line.hpp>
#include <bitwright/kernels/sliding_window.hpp>

#include <cstddef>
#include <cstdint>

namespace bitwright::kernels {

/// Images are height x width x channels, one after another, in and out, which do not overlap. Every window has a tap
/// inside the image.
template <class Code>
struct max_pooling_arguments {
  sliding_window window;
  std::size_t channels;
  const Code* activations;
  Code* outputs;
};

/// As above. A window's average is that of its taps inside the image, so each number of them has its own factor.
template <class Activation, class Output>
struct average_pooling_arguments {
  sliding_window window;
  std::size_t channels;
  const Activation* activations;
  std::int32_t activation_zero_point;
  Output* outputs;
  const dyadic* factors;  ///< factors[count] = scale of activation / (scale of output * count), where count occurs.
  std::int32_t output_zero_point;
  code_range output_codes;              ///< Within the output type.
  const average_line* lines = nullptr;  ///< lines[count], through this call's constants, where count occurs; or none.
};

}  // namespace bitwright::kernels
