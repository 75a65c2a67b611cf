// SPDX-License-Identifier: MIT
/// \file
/// A plan of each layer, on a path given by name, of sizes that fill the widest tiles and leave some over.
#pragma once

#include "random_codes.hpp"
#include <bitwright/core/affine_scale.hpp>
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/layers/binary_convolution.hpp>
#include <bitwright/layers/binary_linear.hpp>
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/group_linear.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/pooling.hpp>
#include <bitwright/layers/residual_add.hpp>
#include <bitwright/layers/shift_add_linear.hpp>
#include <bitwright/storage/term_list.hpp>

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
  std::vector<std::uint8_t> products, convolved, depthwise, sum, greatest, average, shifted;
  std::vector<float> group_products;
  std::vector<std::byte> signs;
  std::vector<float> convolved_signs;
  std::vector<std::byte> workspace;

  friend bool operator==(const every_output& a, const every_output& b) {
    return a.products == b.products && a.convolved == b.convolved && a.depthwise == b.depthwise && a.sum == b.sum &&
           a.greatest == b.greatest && a.average == b.average && a.group_products == b.group_products &&
           a.signs == b.signs && a.convolved_signs == b.convolved_signs && a.shifted == b.shifted;
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
        multiply_groups_(quantize_groups<four_bit_groups>(float_weights({67, 96})), {},
                         path_or_best(kernels::group_gemm_paths<four_bit_groups>, path)),
        multiply_signs_({.weights = signs({67, 75}), .weight_maps = maps_},
                        path_or_best(kernels::binary_gemm_paths<bool>, path)),
        convolve_signs_({.image = {9, 11},
                         .weights = signs({21, 3, 3, 19}),
                         .weight_maps = maps_,
                         .padding = image_padding::on_all_sides(1)},
                        path_or_best(kernels::binary_convolution_paths<float>, path)),
        shift_(
            {.input = {0.5f, 3}, .weights = term_list::of(weights({67, 75})), .weight_maps = maps_, .output = {200, 9}},
            path_or_best(kernels::shift_add_paths<u8, u8, half_to_even>, path)),
        rows_(codes(5 * multiply_.input_size())),
        images_(codes(2 * std::max(convolve_.input_size(), depthwise_.input_size()))) {}

  every_output outputs() const {
    return {.products = std::vector<u8>(5 * multiply_.output_size()),
            .convolved = std::vector<u8>(2 * convolve_.output_size()),
            .depthwise = std::vector<u8>(2 * depthwise_.output_size()),
            .sum = std::vector<u8>(rows_.size()),
            .greatest = std::vector<u8>(2 * greatest_.output_size()),
            .average = std::vector<u8>(2 * average_.output_size()),
            .shifted = std::vector<u8>(shifted_rows * shift_.output_size()),
            .group_products = std::vector<float>(3 * multiply_groups_.output_size()),
            .signs = std::vector<std::byte>(5 * multiply_signs_.output_size()),
            .convolved_signs = std::vector<float>(2 * convolve_signs_.output_size()),
            .workspace = std::vector<std::byte>(
                std::max({multiply_.workspace_bytes(), convolve_.workspace_bytes(), depthwise_.workspace_bytes(),
                          multiply_groups_.workspace_bytes(3), multiply_signs_.workspace_bytes(),
                          convolve_signs_.workspace_bytes(), shift_.workspace_bytes()}))};
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
    shift_.run(images.first(shifted_rows * shift_.input_size()), to.shifted, to.workspace, pool);
    multiply_groups_.run(std::span(floats_).first(3 * multiply_groups_.input_size()), to.group_products, to.workspace,
                         pool);
    const std::span<const std::byte> bits = std::as_bytes(images);
    multiply_signs_.run(bits.first(5 * multiply_signs_.input_size()), to.signs, to.workspace, pool);
    convolve_signs_.run(bits.first(2 * convolve_signs_.input_size()), to.convolved_signs, to.workspace, pool);
  }

 private:
  using u8 = std::uint8_t;
  static constexpr std::size_t shifted_rows = 40;  // A block of many and then a few, on every path.

  static std::vector<u8> codes(std::size_t count) {
    return narrowed<u8>(random_codes(1).many(static_cast<std::int64_t>(count), 0, 255));
  }

  tensor_view<const std::int8_t> weights(const shape& extent) {
    weights_.push_back(
        narrowed<std::int8_t>(random_codes(2).many(static_cast<std::int64_t>(extent.elements()), -127, 127)));
    return {weights_.back(), extent};
  }

  tensor_view<const std::int8_t> signs(const shape& extent) {
    const tensor_view<const std::int8_t> all = weights(extent);
    for (std::int8_t& weight : weights_.back()) weight = static_cast<std::int8_t>(weight < 0 ? -1 : 1);
    return all;
  }

  tensor_view<const float> float_weights(const shape& extent) {
    for (const u8 code : codes(extent.elements())) floats_.push_back(static_cast<float>(code) / 64 - 2);
    return {floats_, extent};
  }

  // Of the plans that are being made; none of them needs any of it later.
  std::vector<std::vector<std::int8_t>> weights_;
  std::vector<affine_scale> maps_{{0.01f}};
  std::vector<float> floats_;  // And the floats of rows.

  linear<> multiply_;
  convolution<> convolve_, depthwise_;
  residual_add<> add_;
  max_pooling<> greatest_;
  average_pooling<> average_;
  group_linear<> multiply_groups_;
  binary_linear<> multiply_signs_;
  binary_convolution<float> convolve_signs_;
  shift_add_linear<> shift_;
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
  add(kernels::average_pooling_paths<u8, u8, half_to_even>), add(kernels::group_gemm_paths<four_bit_groups>);
  add(kernels::binary_gemm_paths<bool>);
  return names;
}

}  // namespace bitwright::reference
