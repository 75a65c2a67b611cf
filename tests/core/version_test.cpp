// SPDX-License-Identifier: MIT
#include <bitwright/core/version.hpp>

#include <gtest/gtest.h>

#include <string>

namespace bitwright {
namespace {

TEST(version, numbers_equal_the_builds) {
  const std::string version =
      std::to_string(version_major) + '.' + std::to_string(version_minor) + '.' + std::to_string(version_patch);
  EXPECT_EQ(version, BITWRIGHT_PROJECT_VERSION);
}

TEST(version, the_preprocessor_can_order_versions) {
#if BITWRIGHT_VERSION >= 1000 && BITWRIGHT_VERSION < 1000000000
  EXPECT_EQ(BITWRIGHT_VERSION, version_major * 1000000 + version_minor * 1000 + version_patch);
#else
  FAIL() << BITWRIGHT_VERSION;
#endif
}

}  // namespace
}  // namespace bitwright
