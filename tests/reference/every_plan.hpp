// SPDX-License-Identifier: MIT
/// \file
/// A plan of each layer, on a path given by name, of sizes that fill the widest tiles and leave some over.
#pragma once

#include "random_codes.hpp"
#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/pooling.hpp>
#include <bitwright/layers/residual_add.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitwright::reference {

/// `name` where `paths` has it and this processor can run it; else the empty name, which is the best.
template <class Paths>
std::string_view path_or_best(const Paths& paths, std::string_view name) {
  for (const auto& path : paths)
    if (path.name == name && path.available()) return name;
  return {};
}

/// Every plan's outputs, and the workspace that any of them needs.
struct every_output {
  std::vector<std::uint8_t> products, convolved, depthwise, sum, greatest, average;
  std::vector<std::byte> workspace;

  friend bool operator==(const every_output& a, const every_output& b) {
    return a.products == b.products && a.convolved == b.convolved && a.depthwise == b.depthwise && a.sum == b.sum &&
           a.greatest == b.greatest && a.average == b.average;
  }
};

class every_plan {
 public:
  explicit every_plan(std::string_view path)
      : multiply_({.input = {0.5f, 3}, .weights = weights({67, 75}), .weight_maps = maps_, .output = {200, 9}},
                  path_or_best(kernels::gemm_paths<u8, u8, half_to_even>, path)),
        convolve_({.input = {0.5f, 3},
                   .image = {9, 11},
                   .weights = weights({21, 3, 3, 19}),
                   .weight_maps = maps_,
                   .padding = image_padding::on_all_sides(1),
                   .output = {200, 9}},
                  path_or_best(kernels::convolution_paths<u8, u8, half_to_even>, path)),
        depthwise_({.input = {0.5f, 3},
                    .image = {9, 11},
                    .weights = weights({35, 3, 3, 1}),
                    .weight_maps = maps_,
                    .padding = image_padding::on_all_sides(1),
                    .groups = 35,
                    .output = {60, 9}},
                   path_or_best(kernels::convolution_paths<u8, u8, half_to_even>, path)),
        add_({.left = {0.5f, 3}, .right = {0.7f, 5}, .output = {1, 9}},
             path_or_best(kernels::residual_add_paths<u8, u8, u8, half_to_even>, path)),
        greatest_({.image = {9, 11}, .channels = 35, .kernel = {3, 3}},
                  path_or_best(kernels::max_pooling_paths<u8>, path)),
        average_(
            {.input = {0.5f, 3}, .window = {.image = {9, 11}, .channels = 35, .kernel = {3, 3}}, .output = {0.5f, 9}},
            path_or_best(kernels::average_pooling_paths<u8, u8, half_to_even>, path)),
        rows_(codes(5 * multiply_.input_size())),
        images_(codes(2 * std::max(convolve_.input_size(), depthwise_.input_size()))) {}

  every_output outputs() const {
    return {.products = std::vector<u8>(5 * multiply_.output_size()),
            .convolved = std::vector<u8>(2 * convolve_.output_size()),
            .depthwise = std::vector<u8>(2 * depthwise_.output_size()),
            .sum = std::vector<u8>(rows_.size()),
            .greatest = std::vector<u8>(2 * greatest_.output_size()),
            .average = std::vector<u8>(2 * average_.output_size()),
            .workspace = std::vector<std::byte>(
                std::max({multiply_.workspace_bytes(), convolve_.workspace_bytes(), depthwise_.workspace_bytes()}))};
  }

  template <executor_argument Executor = const serial_executor>
  void run(every_output& to, Executor&& pool = {}) const noexcept {
    const std::span<const u8> images(images_);
    multiply_.run(rows_, to.products, to.workspace, pool);
    convolve_.run(images.first(2 * convolve_.input_size()), to.convolved, to.workspace, pool);
    depthwise_.run(images.first(2 * depthwise_.input_size()), to.depthwise, to.workspace, pool);
    add_.run(rows_, images.first(rows_.size()), to.sum, pool);
    greatest_.run(images.first(2 * greatest_.input_size()), to.greatest, pool);
    average_.run(images.first(2 * average_.input_size()), to.average, pool);
  }

 private:
  using u8 = std::uint8_t;

  static std::vector<u8> codes(std::size_t count) {
    return narrowed<u8>(random_codes(1).many(static_cast<std::int64_t>(count), 0, 255));
  }

  tensor_view<const std::int8_t> weights(const shape& extent) {
    weights_.push_back(
        narrowed<std::int8_t>(random_codes(2).many(static_cast<std::int64_t>(extent.elements()), -127, 127)));
    return {weights_.back(), extent};
  }

  // Of the plans that are being made; none of them needs any of it later.
  std::vector<std::vector<std::int8_t>> weights_;
  std::vector<affine_scale> maps_{{0.01f}};

  linear<> multiply_;
  convolution<> convolve_, depthwise_;
  residual_add<> add_;
  max_pooling<> greatest_;
  average_pooling<> average_;
  std::vector<u8> rows_, images_;
};

/// The names of every path of any layer's operation that this processor can run.
inline std::vector<std::string> names_of_paths() {
  using u8 = std::uint8_t;
  std::vector<std::string> names;
  const auto add = [&names](const auto& paths) {
    for (const auto& path : paths)
      if (path.available() && std::ranges::find(names, path.name) == names.end()) names.emplace_back(path.name);
  };
  add(kernels::gemm_paths<u8, u8, half_to_even>), add(kernels::convolution_paths<u8, u8, half_to_even>);
  add(kernels::residual_add_paths<u8, u8, u8, half_to_even>), add(kernels::max_pooling_paths<u8>);
  add(kernels::average_pooling_paths<u8, u8, half_to_even>);
  return names;
}

}  // namespace bitwright::reference
