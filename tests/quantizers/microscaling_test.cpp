// SPDX-License-Identifier: MIT
#include "every_path.hpp"
#include "refusal.hpp"
#include <bitwright/core/tensor_view.hpp>
#include <bitwright/quantizers/microscaling.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace bitwright {
namespace {

using reference::refusal;

template <class Q>
std::vector<float> restored(const Q& q, const std::vector<float>& values) {
  std::vector<typename Q::code_type> codes(values.size());
  std::vector<float> result(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, result);
  return result;
}

TEST(microscaling, shares_the_power_of_two_of_the_largest_magnitude) {
  const auto shared = []<class Q>(Q, float greatest) {
    return Q::fit(std::vector<float>{0, -greatest}).shared_scale();
  };
  EXPECT_EQ(shared(mxfp4(0), 7), 127);  // 2^2 is both the exponent of 7 and that of 6, the greatest fp4.
  EXPECT_EQ(shared(mxfp4(0), 8), 128);
  EXPECT_EQ(shared(mxfp4(0), 0.1f), 127 - 4 - 2);  // 0.1 is 1.6 * 2^-4.
  EXPECT_EQ(shared(mxfp8_e4m3(0), 1), 127 - 8);
  EXPECT_EQ(shared(mxfp8_e5m2(0), 1), 127 - 15);
  EXPECT_EQ(shared(mxfp6_e3m2(0), 1), 127 - 4);
  EXPECT_EQ(shared(mxfp6_e2m3(0), 1), 127 - 2);
  EXPECT_EQ(shared(mxint8(0), 1), 127);
}

TEST(microscaling, codes_are_those_of_the_element_in_units_of_the_scale) {
  const std::vector<float> values{12, -14, 1, 0.49f, -5, 0};
  const mxfp4 q = mxfp4::fit(values);
  EXPECT_EQ(q.scale(), 2);  // 14 has the exponent 3.
  EXPECT_EQ(q.bits(), 4);
  // In units of 2: 6, -7 (saturates), 0.5, 0.245 (to 0), -2.5 (a tie between 2 and 3, to the even code), 0.
  EXPECT_EQ(restored(q, values), (std::vector<float>{12, -12, 1, 0, -4, 0}));
  const std::vector<float> bytes{1, -1.75f, 0x1p-7f, 1.99f};
  EXPECT_EQ(restored(mxint8::fit(bytes), bytes), (std::vector<float>{1, -1.75f, 0, 127.0f / 64}));
}

template <class Q>
void expect_follows_a_power_of_two(int exponent) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(32), scaled(32);
  for (std::size_t i = 0; i < 32; ++i) scaled[i] = std::ldexp(values[i] = normal(generator), exponent);
  std::vector<typename Q::code_type> codes(32), scaled_codes(32);
  Q::fit(values).quantize(values, codes);
  Q::fit(scaled).quantize(scaled, scaled_codes);
  EXPECT_EQ(codes, scaled_codes) << "times 2^" << exponent;
  EXPECT_EQ(Q::fit(scaled).shared_scale(), Q::fit(values).shared_scale() + exponent);
}

TEST(microscaling, of_a_block_times_a_power_of_two_has_the_same_codes) {
  for (const int exponent : {-100, -1, 1, 100}) {
    expect_follows_a_power_of_two<mxfp8_e5m2>(exponent);
    expect_follows_a_power_of_two<mxfp8_e4m3>(exponent);
    expect_follows_a_power_of_two<mxfp6_e3m2>(exponent);
    expect_follows_a_power_of_two<mxfp6_e2m3>(exponent);
    expect_follows_a_power_of_two<mxfp4>(exponent);
    expect_follows_a_power_of_two<mxint8>(exponent);
  }
}

TEST(microscaling, gives_each_run_of_32_its_scale) {
  std::vector<float> values(2 * 40, 1);
  values[31] = 16;
  values[40 + 39] = 64;
  const auto q = fit_microscaling<mxfp4>(tensor_view<const float>(values, {2, 40}));
  std::vector<int> scales;
  for (const mxfp4& block : q.quantizers()) scales.push_back(block.shared_scale() - 127);
  EXPECT_EQ(scales, (std::vector<int>{2, -2, -2, 4}));
  EXPECT_EQ(q.bits(), 4);
  EXPECT_EQ(restored(q, values)[31], 16);
}

TEST(microscaling, of_degenerate_blocks_is_defined) {
  constexpr float greatest = std::numeric_limits<float>::max(), denormal = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(mxfp4::fit(std::vector<float>{0, -0.0f}).shared_scale(), 0);
  EXPECT_EQ(restored(mxfp4::fit(std::vector<float>{0, 0}), {0, 0}), (std::vector<float>{0, 0}));
  EXPECT_EQ(mxint8::fit(std::vector<float>{greatest}).shared_scale(), 254);
  EXPECT_EQ(restored(mxint8::fit(std::vector<float>{greatest}), {greatest}), std::vector<float>{127 * 0x1p121f});
  EXPECT_EQ(mxfp4::fit(std::vector<float>{denormal}).shared_scale(), 0);
  EXPECT_EQ(restored(mxfp4::fit(std::vector<float>{denormal}), {denormal}), std::vector<float>{0});
  EXPECT_EQ(restored(mxfp4(0), {0x1p-127f}), std::vector<float>{0x1p-127f});
  const std::vector<float> one{-5};
  EXPECT_EQ(restored(mxfp8_e4m3::fit(one), one), one);
  EXPECT_TRUE(std::isnan(restored(mxfp8_e4m3(127), {std::numeric_limits<float>::quiet_NaN()})[0]));
  EXPECT_EQ(restored(mxfp4(127), {std::numeric_limits<float>::quiet_NaN()})[0], 0);
}

TEST(microscaling, gives_the_same_bits_on_every_path) {
  reference::expect_every_path_equals_scalar(mxfp4(127));
  reference::expect_every_path_equals_scalar(mxfp8_e4m3(120));
  reference::expect_every_path_equals_scalar(mxint8(0));
  reference::expect_every_path_equals_scalar(mxint8(254));
}

TEST(microscaling, refuses_blocks_that_have_no_scale) {
  EXPECT_EQ(refusal([] { mxfp4(255); }), "microscaling: shared_scale is 255, expected [0, 254]; 255 is NaN");
  EXPECT_EQ(refusal([] { mxfp4::fit({}); }), "range_of: values.size() is 0, expected at least one value");
  EXPECT_EQ(refusal([] {
              mxfp4::fit(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
            }),
            "range_of: values[1] is nan, expected a finite number");
}

}  // namespace
}  // namespace bitwright
