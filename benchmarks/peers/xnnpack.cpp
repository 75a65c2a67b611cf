// SPDX-License-Identifier: MIT
#include "peers.hpp"

#include <xnnpack.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>

namespace bitwright::benchmarks::xnnpack {

namespace {

void check(xnn_status status) {
  if (status != xnn_status_success) throw std::runtime_error("XNNPACK refuses a problem");
}

/// Its reads may go this far beyond a buffer.
constexpr std::size_t margin = XNN_EXTRA_BYTES;

std::vector<std::int8_t> less_128(const std::vector<std::uint8_t>& codes) {
  std::vector<std::int8_t> moved(codes.size() + margin);
  for (std::size_t i = 0; i < codes.size(); ++i) moved[i] = static_cast<std::int8_t>(codes[i] - 128);
  return moved;
}

struct prepared {
  std::vector<std::int8_t> left, right, outputs;
  std::vector<float> scales;
  xnn_operator_t operation = nullptr;

  prepared() { check(xnn_initialize(nullptr)); }
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;
  ~prepared() { xnn_delete_operator(operation); }

  void run() { check(xnn_run_operator(operation, nullptr)); }

  std::vector<std::uint8_t> codes() const {
    std::vector<std::uint8_t> moved;
    for (std::size_t i = 0; i < outputs.size(); ++i) moved.push_back(static_cast<std::uint8_t>(outputs[i] + 128));
    return moved;
  }
};

contestant entry(const std::shared_ptr<prepared>& call, double work) {
  return {.name = "XNNPACK",
          .path = "its best",
          .run = [call] { call->run(); },
          .work = work,
          .codes = [call] { return call->codes(); }};
}

std::uint32_t u32(std::size_t value) { return static_cast<std::uint32_t>(value); }

}  // namespace

/// A gemm with a scale for each output is its convolution of one tap.
void add(const weighted_problem& problem, std::vector<contestant>& all) {
  const auto& [image, kernel, stride, padding] = problem.window;
  const std::uint32_t pad = u32(padding), taps = u32(kernel), step = u32(stride);
  const std::size_t channels = problem.groups * problem.group_channels;
  auto call = std::make_shared<prepared>();
  call->left = less_128(problem.activations);
  call->outputs.resize(problem.output_codes());
  call->scales = problem.float_factors();
  const bool depthwise = problem.groups > 1 && problem.group_channels == 1;
  // Its depthwise weights lie as kernel height x kernel width x channels.
  std::vector<std::int8_t> weights = problem.weights;
  const std::size_t window = kernel * kernel;
  if (depthwise)
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i % window * channels + i / window] = problem.weights[i];
  check(xnn_create_convolution2d_nhwc_qc8(
      pad, pad, pad, pad, taps, taps, step, step, 1, 1, u32(problem.groups), problem.group_channels,
      problem.outputs / problem.groups, channels, problem.outputs, -128, 1.0f, call->scales.data(), weights.data(),
      problem.bias.data(), -128, 1.0f, -128, 127, depthwise ? XNN_FLAG_DEPTHWISE_CONVOLUTION : 0, &call->operation));
  check(xnn_setup_convolution2d_nhwc_qc8(call->operation, 1, problem.is_gemm ? problem.rows : image, image,
                                         call->left.data(), call->outputs.data(), nullptr));
  all.push_back(entry(call, problem.operations()));
}

void add(const pooling_problem& problem, std::vector<contestant>& all) {
  const auto& [image, kernel, stride, padding] = problem.window;
  const std::uint32_t pad = u32(padding), taps = u32(kernel), step = u32(stride);
  auto call = std::make_shared<prepared>();
  call->left = less_128(problem.activations);
  call->outputs.resize(problem.output_codes());
  if (problem.kind == pooling_problem::kinds::maximum) {
    check(xnn_create_max_pooling2d_nhwc_s8(pad, pad, pad, pad, taps, taps, step, step, 1, 1, problem.channels,
                                           problem.channels, problem.channels, -128, 127, 0, &call->operation));
    check(xnn_setup_max_pooling2d_nhwc_s8(call->operation, 1, image, image, call->left.data(), call->outputs.data(),
                                          nullptr));
  } else if (kernel == image) {
    check(xnn_create_global_average_pooling_nwc_qs8(problem.channels, problem.channels, problem.channels, -128, 1.0f,
                                                    -128, 1.0f, -128, 127, 0, &call->operation));
    check(xnn_setup_global_average_pooling_nwc_qs8(call->operation, 1, image * image, call->left.data(),
                                                   call->outputs.data(), nullptr));
  } else {
    return;  // It has no average pooling of signed codes with a window.
  }
  all.push_back(entry(call, problem.bytes()));
}

void add(const addition_problem& problem, std::vector<contestant>& all) {
  auto call = std::make_shared<prepared>();
  call->left = less_128(problem.left), call->right = less_128(problem.right);
  call->outputs.resize(problem.left.size());
  const std::array<std::size_t, 1> shape{problem.left.size()};
  check(xnn_create_add_nd_qs8(-128, problem.left_factor, -128, problem.right_factor, -128, 1.0f, -128, 127, 0,
                              &call->operation));
  check(xnn_setup_add_nd_qs8(call->operation, 1, shape.data(), 1, shape.data(), call->left.data(), call->right.data(),
                             call->outputs.data(), nullptr));
  all.push_back(entry(call, problem.bytes()));
}

}  // namespace bitwright::benchmarks::xnnpack
