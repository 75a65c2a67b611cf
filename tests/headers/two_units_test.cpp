// SPDX-License-Identifier: MIT
#include "units.hpp"

#include <gtest/gtest.h>

TEST(headers, two_units_with_every_header_link_and_share_their_variables) {
  EXPECT_EQ(address_seen_by_first_unit(), address_seen_by_second_unit());
}
