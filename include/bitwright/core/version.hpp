// SPDX-License-Identifier: MIT
/// \file
/// The version of bitwright: numbers for programs, macros for the preprocessor. The build reads it from here.
#pragma once

// NOLINTBEGIN(cppcoreguidelines-macro-usage): `#if` can read nothing but macros.
#define BITWRIGHT_VERSION_MAJOR 0
#define BITWRIGHT_VERSION_MINOR 1
#define BITWRIGHT_VERSION_PATCH 0

/// The version as one number that orders as versions do: 1'002'003 for 1.2.3.
#define BITWRIGHT_VERSION (BITWRIGHT_VERSION_MAJOR * 1000000 + BITWRIGHT_VERSION_MINOR * 1000 + BITWRIGHT_VERSION_PATCH)
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace bitwright {

/// Raised when an interface changes so that calling code has to change.
inline constexpr int version_major = BITWRIGHT_VERSION_MAJOR;

/// Raised when something is added. While the major version is 0 it also stands for such changes.
inline constexpr int version_minor = BITWRIGHT_VERSION_MINOR;

/// Raised when something is repaired.
inline constexpr int version_patch = BITWRIGHT_VERSION_PATCH;

}  // namespace bitwright
