// SPDX-License-Identifier: MIT
#include "every_header.hpp"
#include "units.hpp"

const void* address_seen_by_second_unit() { return &bitwright::on_error; }
