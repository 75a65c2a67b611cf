// SPDX-License-Identifier: MIT
/// \file
/// Which integer types a kernel takes as codes.
#pragma once

#include <concepts>

namespace bitwright::kernels {

/// Constrains a kernel's code type: `template <one_of<std::uint8_t, std::int8_t> Activation>`.
template <class Code, class... Allowed>
concept one_of = (std::same_as<Code, Allowed> || ...);

}  // namespace bitwright::kernels
