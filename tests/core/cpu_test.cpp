// SPDX-License-Identifier: MIT
#include <bitwright/core/cpu.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace bitwright {
namespace {

#if defined(__x86_64__) && defined(__linux__)

/// Whether the kernel lists all of these features of the processor. An emulator shows its host's list instead of its
/// own, so that a feature may be listed and yet be absent; never the reverse.
bool listed(const std::string& wanted) {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("flags")) {
      const std::string features = line + ' ';
      std::istringstream names(wanted);
      for (std::string name; names >> name;)
        if (features.find(' ' + name + ' ') == std::string::npos) return false;
      return true;
    }
  return false;
}

TEST(cpu, has_nothing_that_the_kernel_does_not_list) {
  EXPECT_TRUE(!cpu::has_avx2() || listed("avx2"));
  EXPECT_TRUE(!cpu::has_avx2_fma_f16c() || listed("avx2 fma f16c"));
  EXPECT_TRUE(!cpu::has_avx_vnni() || listed("avx2 avx_vnni"));
  EXPECT_TRUE(!cpu::has_avx_vnni_fma_f16c() || listed("avx2 fma f16c avx_vnni"));
  EXPECT_TRUE(!cpu::has_avx512() || listed("avx2 avx512f avx512bw avx512dq avx512vl"));
  EXPECT_TRUE(!cpu::has_avx512_vnni() || listed("avx2 avx512f avx512bw avx512vl avx512_vnni"));
  EXPECT_TRUE(!cpu::has_avx512_vbmi() || listed("avx2 avx512f avx512bw avx512vl avx512vbmi"));
  EXPECT_TRUE(!cpu::has_avx512_vpopcntdq() || listed("avx2 avx512f avx512bw avx512vl avx512_vnni avx512_vpopcntdq"));
}

TEST(cpu, of_one_architecture_has_nothing_of_another) {
  EXPECT_FALSE(cpu::has_neon_dotprod());
  EXPECT_FALSE(cpu::has_neon_i8mm());
}

#else

TEST(cpu, of_one_architecture_has_nothing_of_another) {
  EXPECT_FALSE(cpu::has_avx2());
  EXPECT_FALSE(cpu::has_avx2_fma_f16c());
  EXPECT_FALSE(cpu::has_avx_vnni());
  EXPECT_FALSE(cpu::has_avx_vnni_fma_f16c());
  EXPECT_FALSE(cpu::has_avx512());
  EXPECT_FALSE(cpu::has_avx512_vnni());
  EXPECT_FALSE(cpu::has_avx512_vbmi());
  EXPECT_FALSE(cpu::has_avx512_vpopcntdq());
}

#endif

TEST(cpu, with_a_later_extension_has_the_earlier_one) {
  EXPECT_TRUE(cpu::has_avx2() || !cpu::has_avx_vnni());
  EXPECT_TRUE(cpu::has_avx2() || !cpu::has_avx512_vnni());
  EXPECT_TRUE(cpu::has_avx512_vnni() || !cpu::has_avx512_vpopcntdq());
  EXPECT_TRUE(cpu::has_neon_dotprod() || !cpu::has_neon_i8mm());
}

}  // namespace
}  // namespace bitwright
