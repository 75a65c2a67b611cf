// SPDX-License-Identifier: MIT
#include "every_header.hpp"
#include "units.hpp"

const void* address_seen_by_first_unit() { return &bitwright::on_error; }
