// SPDX-License-Identifier: MIT
/// \file
/// Blocks: a few values with a scale of their own, laid out byte for byte as a published format has it.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/core/range.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace bitwright {

/// The values that a block of any of ggml's and OCP's formats here holds.
inline constexpr std::size_t block_values = 32;

/// A block is bytes alone, so that an array of them is what a file or a kernel holds. `from(values)` quantizes a block's
/// values, which are finite, `to(values)` gives back what it stands for.
template <class Block>
concept storage_block = std::is_trivially_copyable_v<Block> && alignof(Block) == 1 &&
                        requires(const Block& block, std::span<const float, block_values> values,
                                 std::span<float, block_values> out) {
  { Block::from(values) } -> std::same_as<Block>;
  block.to(out);
};

/// Throws invalid_argument unless there are 32 values for each block, for a NaN or an infinity, and for values that the
/// block's scale cannot reach.
template <storage_block Block>
void quantize_blocks(std::span<const float> values, std::span<Block> blocks) {
  require(values.size() == blocks.size() * block_values, "quantize_blocks: values.size()", values.size(),
          "32 for each block, ", blocks.size() * block_values);
  if (!values.empty()) range_of(values);  // Refuses what is not finite, by its index.
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i] = Block::from(values.subspan(i * block_values).template first<block_values>());
}

/// Throws invalid_argument unless there are 32 values for each block.
template <storage_block Block>
void dequantize_blocks(std::span<const Block> blocks, std::span<float> values) {
  require(values.size() == blocks.size() * block_values, "dequantize_blocks: values.size()", values.size(),
          "32 for each block, ", blocks.size() * block_values);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i].to(values.subspan(i * block_values).template first<block_values>());
}

}  // namespace bitwright
