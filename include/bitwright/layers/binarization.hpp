// SPDX-License-Identifier: MIT
/// \file
/// Values or codes of rows, or of images' pixels, become bits: what layers of bits take.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/binarize.hpp>
#include <bitwright/kernels/binary_gemm_arguments.hpp>
#include <bitwright/layers/pieces.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bitwright {

/// The plan of making bits: 1 from a threshold on, and for NaN; 0 below it.
template <kernels::one_of<float, std::uint8_t, std::int8_t> Value = float>
class binarization {
 public:
  /// Rows of `channels` values, each row's bits from a byte on. With codes, the sign is the threshold of the zero point.
  /// `path` forces a path by name; empty is the best one. Throws invalid_argument naming the argument: for no channels, a
  /// threshold that is NaN, and a path this processor cannot run.
  explicit binarization(std::size_t channels, Value threshold = 0, std::string_view path = {})
      : path_(&choose_path(kernels::binarize_paths<Value>, path)), channels_(channels), threshold_(threshold) {
    require(channels > 0, "binarization: channels", channels, "at least 1");
    require(threshold == threshold, "binarization: threshold", threshold, "a number");
  }

  std::string_view path() const { return path_->name; }
  std::size_t input_size() const { return channels_; }                           ///< Values of a row.
  std::size_t output_size() const { return kernels::bytes_of_bits(channels_); }  ///< Bytes of a row.

  /// As many rows of bits as of values; bits beyond the last of a row are 0. Allocates nothing; any number of threads may
  /// run one plan at once. Same bits for every executor, whose exceptions end the program.
  /// Asserted: whole rows, as many in both spans.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Value> input, std::span<std::byte> output, Executor&& pool = {}) const noexcept {
    const std::size_t rows = input.size() / input_size();
    assert(input.size() == rows * input_size() && output.size() == rows * output_size());
    const auto run = [&](std::size_t, std::size_t first, std::size_t last) {
      path_->run({.values = input.data(),
                  .length = channels_,
                  .value_stride = channels_,
                  .threshold = threshold_,
                  .bits = output.data(),
                  .byte_stride = output_size()},
                 first, last);
    };
    run_in_pieces(pool, rows, run);
  }

 private:
  const kernels::binarize_path<Value>* path_;
  std::size_t channels_;
  Value threshold_;
};

}  // namespace bitwright
