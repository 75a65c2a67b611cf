// SPDX-License-Identifier: MIT
// How fast does each scheme turn floats into codes and back? One core. A row for each scheme, path and direction: GB/s of
// float, the ratio to moving the same bytes (as many read, as many written, nothing computed) and to uniform on the same
// path, in L2 and from DRAM. For uniform beside oneDNN's reorder, where it is installed. The runs take turns, so that a
// drifting clock meets all alike; of each the median of the best half is taken.
#include "kernels/limits.hpp"
#include <bitwright/quantizers.hpp>
#if defined(BITWRIGHT_WITH_ONEDNN)
#include "peers/onednn_reorder.hpp"
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace bitwright;

struct row {
  std::string scheme, path;
  std::size_t code_bytes;
  std::function<void()> run;
  std::vector<double> seconds = {};
};

/// The floats, and room for the codes of either width and for the floats restored.
struct buffers {
  explicit buffers(std::size_t count) : values(count), restored(count), codes(2 * count) {
    std::mt19937 generator(1);
    for (float& value : values) value = static_cast<float>(static_cast<std::int32_t>(generator())) * 0x1p-31f;
  }
  template <class Code>
  Code* codes_of() {
    return reinterpret_cast<Code*>(codes.data());
  }
  std::vector<float> values, restored;
  std::vector<std::uint8_t> codes;
};

struct table {
  buffers& memory;
  bool with_scalar;
  std::vector<row> quantize = {}, dequantize = {};

  /// One row for each path that this processor can run.
  template <elementwise_quantizer Q>
  void add(const char* scheme, const Q& q) {
    using code = typename Q::code_type;
    const std::size_t count = memory.values.size();
    for (const span_path<Q>& path : span_paths<Q>) {
      if (!path.available() || (path.name == "scalar" && !with_scalar)) continue;
      quantize.push_back({scheme, std::string(path.name), sizeof(code), [this, q, path, count] {
                            path.quantize(q, memory.values.data(), memory.codes_of<code>(), count);
                          }});
      dequantize.push_back({scheme, std::string(path.name), sizeof(code), [this, q, path, count] {
                              path.dequantize(q, memory.codes_of<code>(), memory.restored.data(), count);
                            }});
    }
  }

  /// A row for schemes that see groups of values and so have no paths of their own.
  template <quantizer Q>
  void add_spans(const char* scheme, const Q& q) {
    using code = typename Q::code_type;
    const std::size_t count = memory.values.size();
    quantize.push_back({scheme, "", sizeof(code),
                        [this, q, count] { q.quantize(memory.values, std::span(memory.codes_of<code>(), count)); }});
    dequantize.push_back({scheme, "", sizeof(code), [this, q, count] {
                            q.dequantize(std::span<const code>(memory.codes_of<code>(), count), memory.restored);
                          }});
  }

  /// What moving the bytes costs, for each width of codes.
  void add_moves() {
    const std::size_t count = memory.values.size();
    auto* const floats = reinterpret_cast<std::byte*>(memory.values.data());
    auto* const restored = reinterpret_cast<std::byte*>(memory.restored.data());
    auto* const codes = reinterpret_cast<std::byte*>(memory.codes.data());
    for (const std::size_t width : {std::size_t{1}, std::size_t{2}}) {
      quantize.push_back(
          {"move", "", width, [=] { benchmarks::limits::move(floats, 4 * count, codes, width * count); }});
      dequantize.push_back(
          {"move", "", width, [=] { benchmarks::limits::move(codes, width * count, restored, 4 * count); }});
    }
  }

  void add_peers() {
#if defined(BITWRIGHT_WITH_ONEDNN)
    const std::size_t count = memory.values.size();
    auto* const codes = memory.codes_of<std::int8_t>();
    quantize.push_back(
        {"oneDNN reorder", "", 1, benchmarks::onednn_quantize(memory.values.data(), codes, count, 1.0f / 127)});
    dequantize.push_back(
        {"oneDNN reorder", "", 1, benchmarks::onednn_dequantize(codes, memory.restored.data(), count, 1.0f / 127)});
#endif
  }

  void add_schemes() {
    const range values{-1, 1};
    add("uniform 8", uniform<8>::symmetric(values));
    add("uniform 8 unsigned", uniform<8, std::uint8_t>::affine(values));
    add("uniform 8 half up, wrap", uniform<8, std::int8_t, half_up, wrap>::symmetric(values));
    add("uniform 8 stochastic", uniform<8, std::int8_t, stochastic>::symmetric(values));
    add("fixed_point<4, 12>", fixed_point<4, 12>());
    add("logarithmic 4, highest bit", logarithmic<base_two, most_significant_bit>::symmetric(values, 4));
    add("logarithmic 4", logarithmic<>::symmetric(values, 4));
    add("logarithmic 5, sqrt(2)", logarithmic<base_sqrt_two, nearest_exponent>::symmetric(values, 5));
    add<logarithmic<>>("power_of_two 5", power_of_two::symmetric(values, 5));
    add("additive_power_of_two 4", additive_power_of_two<4>::symmetric(values));
    add("additive_power_of_two 6", additive_power_of_two<6>::symmetric(values));
    add("additive_power_of_two 7", additive_power_of_two<7>::symmetric(values));
    add("piecewise_linear 4, 1 breakpoint", piecewise_linear<>(std::array{0.3f}, 1, 4));
    add("piecewise_linear 4, 3 breakpoints", piecewise_linear<>(std::array{0.2f, 0.4f, 0.7f}, 1, 4));
    add("codebook<4>", codebook<4>(std::array{-0.6f, -0.1f, 0.2f, 0.7f}));
    add("codebook<16>", normal_float4(1));
    add_spans("term 8, 16 of 8 values", term<>::symmetric(values, 8, {8, 16}));
    add("binary", binary(0.5f));
    add("ternary", ternary(0.35f, 0.7f));
    add("fp16", fp16());
    add("bf16", bf16());
    add("fp8_e4m3", fp8_e4m3::symmetric(values));
    add("fp4_e2m1", fp4_e2m1::symmetric(values));
    add("mxint8", mxint8(127));
  }
};

double seconds_of(const std::function<void()>& run, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repeats;
}

double typical(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 4];
}

/// The first of `rows` with this scheme and path (of any path where that is empty) and, if not 0, this width of codes.
double typical_of(const std::vector<row>& rows, const std::string& scheme, const std::string& path, std::size_t width) {
  const auto found = std::ranges::find_if(rows, [&](const row& each) {
    return each.scheme == scheme && (path.empty() || each.path == path) && (width == 0 || each.code_bytes == width);
  });
  return typical(found->seconds);
}

void measure(std::vector<row>& rows, int turns, int repeats) {
  for (int turn = 0; turn < turns; ++turn)
    for (row& each : rows) each.seconds.push_back(seconds_of(each.run, repeats));
}

void print(const char* direction, const std::vector<row>& rows, std::size_t count) {
  std::printf("%-10s %-28s %-8s %8s %10s %11s\n", direction, "", "path", "GB/s", "of a move", "of uniform");
  for (const row& each : rows) {
    const double seconds = typical(each.seconds), moved = typical_of(rows, "move", "", each.code_bytes);
    const double uniform = typical_of(rows, "uniform 8", each.path, 0);
    std::printf("           %-28s %-8s %8.1f %10.2f %11.2f\n", each.scheme.c_str(), each.path.c_str(),
                4e-9 * static_cast<double>(count) / seconds, moved / seconds, uniform / seconds);
  }
}

void compare(const char* where, std::size_t count, int turns, int repeats, bool with_scalar) {
  buffers memory(count);
  table all{memory, with_scalar};
  all.add_moves();
  all.add_peers();
  all.add_schemes();
  std::printf("%s: %zu floats\n", where, count);
  measure(all.quantize, turns, repeats);
  print("quantize", all.quantize, count);
  for (std::size_t i = 0; i < memory.codes.size(); ++i)
    memory.codes[i] = static_cast<std::uint8_t>(i % 2);  // Codes that every scheme has.
  measure(all.dequantize, turns, repeats);
  print("dequantize", all.dequantize, count);
}

}  // namespace

int main() {
  compare("L2", std::size_t{1} << 15, 60, 20, true);
  compare("DRAM", std::size_t{1} << 25, 7, 1, false);
}
