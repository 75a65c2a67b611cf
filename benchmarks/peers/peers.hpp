// SPDX-License-Identifier: MIT
/// \file
/// Other libraries that do the kernels' work, each in a file of its own, compiled where the library is installed.
/// Each function adds what the library has for a problem; a problem outlives what was added for it.
#pragma once

#include "../kernels/binary_gemm.hpp"
#include "../kernels/contest.hpp"
#include "../kernels/problem.hpp"

#include <string_view>
#include <vector>

namespace bitwright::benchmarks {

/// oneDNN: weights packed ahead in the layout that it asks for, requantization fused; in fp32 too, as a second entry.
namespace onednn {
/// Keeps it to the instruction set of one of our paths, which has to happen before its first use; no name is none.
void keep_to(std::string_view path);
void add(const weighted_problem& problem, std::vector<contestant>& all);
void add(const pooling_problem& problem, std::vector<contestant>& all);
void add(const addition_problem& problem, std::vector<contestant>& all);
/// In fp32 alone: it has no bits.
void add(const binary_problem& problem, std::vector<contestant>& all);
}  // namespace onednn

/// gemmlowp, integers only like us: it packs weights anew at each call, and has no way to do it ahead.
namespace gemmlowp_peer {
void add(const weighted_problem& problem, std::vector<contestant>& all);
}

/// XNNPACK: signed codes, so the same problem with all codes less 128.
namespace xnnpack {
void add(const weighted_problem& problem, std::vector<contestant>& all);
void add(const pooling_problem& problem, std::vector<contestant>& all);
void add(const addition_problem& problem, std::vector<contestant>& all);
}  // namespace xnnpack

}  // namespace bitwright::benchmarks
