// SPDX-License-Identifier: MIT
/// \file
/// oneDNN's conversion between float and 8-bit codes with one scale: its reorder primitive, on one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace bitwright::benchmarks {

/// codes = saturate(round(values / scale)), as a call that can be repeated.
std::function<void()> onednn_quantize(const float* values, std::int8_t* codes, std::size_t count, float scale);

/// values = scale * codes, likewise.
std::function<void()> onednn_dequantize(const std::int8_t* codes, float* values, std::size_t count, float scale);

}  // namespace bitwright::benchmarks
