// SPDX-License-Identifier: MIT
// Two translation units that hold every header. Linked together, they show a definition that is missing its `inline`.
#pragma once

const void* address_seen_by_first_unit();
const void* address_seen_by_second_unit();
