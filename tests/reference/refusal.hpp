// SPDX-License-Identifier: MIT
/// \file
/// What a call is refused with, so that a test can compare the whole message.
#pragma once

#include <bitwright/core/error.hpp>

#include <string>

namespace bitwright::reference {

/// The message of the invalid_argument that `call` throws.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const invalid_argument& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace bitwright::reference
