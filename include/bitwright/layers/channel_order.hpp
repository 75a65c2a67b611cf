// SPDX-License-Identifier: MIT
/// \file
/// From images with their channels first (channels x height x width), as other software often has them, to images with
/// their channels last (height x width x channels), as layers take them; and back.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/executor.hpp>
#include <bitwright/core/path.hpp>
#include <bitwright/kernels/transpose.hpp>
#include <bitwright/layers/image.hpp>
#include <bitwright/layers/pieces.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bitwright {

/// The plan of a transposition of each image: `rows` x `columns` codes to `columns` x `rows`.
template <class Code = std::uint8_t>
class transposition {
 public:
  /// `path` forces a path by name; empty is the best one. Throws invalid_argument for a size of 0, for more codes than a
  /// std::size_t counts, and for a path this processor cannot run.
  transposition(std::size_t rows, std::size_t columns, std::string_view path = {})
      : path_(&choose_path(kernels::transpose_paths<Code>, path)),
        rows_(rows),
        columns_(columns),
        size_(shape{rows, columns}.elements()) {
    require(size_ > 0, "transposition: rows * columns", size_, "at least 1");
  }

  std::string_view path() const { return path_->name; }
  std::size_t size() const { return size_; }  ///< Codes of one image, in and out.

  /// Any number of images; the spans do not overlap. Allocates nothing; any number of threads may run one plan at once.
  /// Same bits for every executor, whose exceptions end the program. Asserted: whole images, as many in both spans.
  template <executor_argument Executor = const serial_executor>
  void run(std::span<const Code> input, std::span<Code> output, Executor&& pool = {}) const noexcept {
    assert(input.size() == output.size() && output.size() % size_ == 0);
    run_in_pieces(pool, output.size() / rows_, [&](std::size_t, std::size_t first, std::size_t last) {
      path_->run({input.data(), output.data(), rows_, columns_}, first, last);
    });
  }

 private:
  const kernels::transpose_path<Code>* path_;
  std::size_t rows_;
  std::size_t columns_;
  std::size_t size_;
};

/// From channels x height x width to height x width x channels. Throws as transposition does.
template <class Code = std::uint8_t>
transposition<Code> channels_last(height_width image, std::size_t channels, std::string_view path = {}) {
  return transposition<Code>(channels, image_size(image, 1), path);
}

/// From height x width x channels to channels x height x width. Throws as transposition does.
template <class Code = std::uint8_t>
transposition<Code> channels_first(height_width image, std::size_t channels, std::string_view path = {}) {
  return transposition<Code>(image_size(image, 1), channels, path);
}

}  // namespace bitwright
