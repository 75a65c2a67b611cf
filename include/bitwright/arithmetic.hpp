// SPDX-License-Identifier: MIT
/// \file
/// Integers only: the factors and functions an integer network computes with.
#pragma once

#include <bitwright/arithmetic/dyadic.hpp>
#include <bitwright/arithmetic/requantize.hpp>
