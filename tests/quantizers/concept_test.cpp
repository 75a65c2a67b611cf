// SPDX-License-Identifier: MIT
#include <bitwright/quantizers/concept.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitwright {
namespace {

/// A scheme of a user's own, which knows nothing of bitwright's: one bit says which sign.
struct signs {
  using code_type = std::uint8_t;
  int bits() const { return 1; }
  void quantize(std::span<const float> values, std::span<std::uint8_t> codes) const {
    for (std::size_t i = 0; i < values.size(); ++i) codes[i] = values[i] < 0 ? 1 : 0;
  }
  void dequantize(std::span<const std::uint8_t> codes, std::span<float> values) const {
    for (std::size_t i = 0; i < codes.size(); ++i) values[i] = codes[i] == 1 ? -1.0f : 1.0f;
  }
};

struct without_codes {
  int bits() const { return 1; }
  void quantize(std::span<const float>, std::span<std::uint8_t>) const {}
  void dequantize(std::span<const std::uint8_t>, std::span<float>) const {}
};

struct writes_to_its_codes : signs {
  void dequantize(std::span<std::uint8_t>, std::span<float>) const {}
};

struct changes_itself : signs {
  void quantize(std::span<const float>, std::span<std::uint8_t>) {}
};

struct with_bools {
  using code_type = bool;
  int bits() const { return 1; }
  void quantize(std::span<const float>, std::span<bool>) const {}
  void dequantize(std::span<const bool>, std::span<float>) const {}
};

static_assert(quantizer<signs>);
static_assert(!quantizer<without_codes> && !quantizer<writes_to_its_codes> && !quantizer<changes_itself>);
static_assert(!quantizer<with_bools> && !quantizer<int>);

TEST(quantizer, may_be_a_users_own) {
  const auto round_trip = [](const quantizer auto& q, const std::vector<float>& values) {
    std::vector<std::uint8_t> codes(values.size());
    std::vector<float> restored(values.size());
    q.quantize(values, codes);
    q.dequantize(codes, restored);
    return restored;
  };
  EXPECT_EQ(round_trip(signs{}, {-0.5f, 2, 0}), (std::vector<float>{-1, 1, 1}));
}

}  // namespace
}  // namespace bitwright
