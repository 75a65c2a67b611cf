// SPDX-License-Identifier: MIT
/// \file
/// Quantizers: values to codes and back, one scheme a header.
#pragma once

#include <bitwright/quantizers/additive_power_of_two.hpp>
#include <bitwright/quantizers/binary.hpp>
#include <bitwright/quantizers/breakpoints.hpp>
#include <bitwright/quantizers/codebook.hpp>
#include <bitwright/quantizers/concept.hpp>
#include <bitwright/quantizers/fixed_point.hpp>
#include <bitwright/quantizers/integer_levels.hpp>
#include <bitwright/quantizers/k_means.hpp>
#include <bitwright/quantizers/learned_bases.hpp>
#include <bitwright/quantizers/level_paths.hpp>
#include <bitwright/quantizers/levels.hpp>
#include <bitwright/quantizers/logarithmic.hpp>
#include <bitwright/quantizers/microscaling.hpp>
#include <bitwright/quantizers/minifloat.hpp>
#include <bitwright/quantizers/minifloat_paths.hpp>
#include <bitwright/quantizers/optimal_levels.hpp>
#include <bitwright/quantizers/paths.hpp>
#include <bitwright/quantizers/piecewise_linear.hpp>
#include <bitwright/quantizers/piecewise_linear_paths.hpp>
#include <bitwright/quantizers/power_of_two.hpp>
#include <bitwright/quantizers/signed_digits.hpp>
#include <bitwright/quantizers/sliced.hpp>
#include <bitwright/quantizers/stochastic.hpp>
#include <bitwright/quantizers/term.hpp>
#include <bitwright/quantizers/term_paths.hpp>
#include <bitwright/quantizers/ternary.hpp>
#include <bitwright/quantizers/uniform.hpp>
