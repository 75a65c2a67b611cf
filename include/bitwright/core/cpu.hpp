// SPDX-License-Identifier: MIT
/// \file
/// What the processor that runs this program can do, whatever the flags it was compiled with.
///
/// A path's `available` is one of these functions. Each tests exactly the features that the path's functions name in
/// their target attributes, and that the operating system saves the registers. Elsewhere all of them answer no.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace bitwright::cpu {

#if defined(__x86_64__) && defined(__GNUC__)

/// For functions with [[gnu::target("avx2")]].
inline bool has_avx2() { return __builtin_cpu_supports("avx2"); }

/// For functions with [[gnu::target("avx2,f16c")]].
inline bool has_avx2_f16c() {
  // By hand: clang 16 knows no "f16c" here. The bit alone says nothing of registers, so avx2 has to agree.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return has_avx2() && __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx >> 29 & 1) != 0;
}

/// For functions with [[gnu::target("avx2,fma,f16c")]].
inline bool has_avx2_fma_f16c() { return has_avx2_f16c() && __builtin_cpu_supports("fma"); }

/// For functions with [[gnu::target("avx2,avxvnni")]].
inline bool has_avx_vnni() {
  // By hand: clang 16 knows no "avxvnni" here. The bit alone says nothing of registers, so avx2 has to agree.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1) != 0;
}

/// For functions with [[gnu::target("avx2,fma,f16c,avxvnni")]].
inline bool has_avx_vnni_fma_f16c() { return has_avx_vnni() && has_avx2_fma_f16c(); }

/// For functions with [[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]].
inline bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/// For functions with [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni")]].
inline bool has_avx512_vnni() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

/// For functions with [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi")]].
inline bool has_avx512_vbmi() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi");
}

/// For functions with [[gnu::target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vpopcntdq")]].
inline bool has_avx512_vpopcntdq() { return has_avx512_vnni() && __builtin_cpu_supports("avx512vpopcntdq"); }

#else

inline bool has_avx2() { return false; }
inline bool has_avx2_f16c() { return false; }
inline bool has_avx2_fma_f16c() { return false; }
inline bool has_avx_vnni() { return false; }
inline bool has_avx_vnni_fma_f16c() { return false; }
inline bool has_avx512() { return false; }
inline bool has_avx512_vnni() { return false; }
inline bool has_avx512_vbmi() { return false; }
inline bool has_avx512_vpopcntdq() { return false; }

#endif

#if defined(__aarch64__) && defined(__linux__)

/// For functions with [[gnu::target("arch=armv8.2-a+dotprod")]].
inline bool has_neon_dotprod() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }

/// For functions with [[gnu::target("arch=armv8.2-a+dotprod+i8mm")]].
inline bool has_neon_i8mm() { return has_neon_dotprod() && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0; }

#else

inline bool has_neon_dotprod() { return false; }
inline bool has_neon_i8mm() { return false; }

#endif

}  // namespace bitwright::cpu
