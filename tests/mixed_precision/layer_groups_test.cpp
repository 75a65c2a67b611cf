// SPDX-License-Identifier: MIT
#include <bitwright/mixed_precision/layer_groups.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace bitwright {
namespace {

using indices = std::vector<std::size_t>;

square_matrix matrix(const std::vector<std::vector<double>>& rows) {
  square_matrix result(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.size(); ++j) result(i, j) = rows[i][j];
  return result;
}

TEST(expected_probes, are_the_worst_layers_variance_over_its_squared_tolerance) {
  const square_matrix coupling = matrix({{10, 4}, {4, 30}});
  const std::vector<double> tolerances{0.5, 2};
  EXPECT_EQ(expected_probes(indices{0}, coupling, tolerances), 80);     // 2 * 10 / 0.25
  EXPECT_EQ(expected_probes(indices{1}, coupling, tolerances), 15);     // 2 * 30 / 4
  EXPECT_EQ(expected_probes(indices{0, 1}, coupling, tolerances), 96);  // (2 * 10 + 4) / 0.25
}

TEST(expected_probes, are_never_fewer_than_make_a_standard_error) {
  EXPECT_EQ(expected_probes(indices{0}, matrix({{0}}), std::vector<double>{1e-300}), 8);
}

TEST(group_layers, lets_layers_share_that_do_not_disturb_each_other) {
  // Apart they need 80 and 8 probes, together 80.
  const square_matrix coupling = matrix({{10, 0}, {0, 1}});
  EXPECT_EQ(group_layers(coupling, std::vector<double>{0.5, 1}), (layer_groups{{0, 1}}));
}

TEST(group_layers, keeps_a_dominant_layer_apart) {
  // Alone every layer needs 20 probes. Layers 0 and 2 together need (20 + 1) / 1 = 21, which saves 19. Layer 1 in their
  // company would cost them 20 + 500 probes.
  const square_matrix coupling = matrix({{10, 500, 1}, {500, 100000, 500}, {1, 500, 10}});
  EXPECT_EQ(group_layers(coupling, std::vector<double>{1, 100, 1}), (layer_groups{{0, 2}, {1}}));
}

TEST(group_layers, of_one_layer_or_none_has_nothing_to_join) {
  EXPECT_EQ(group_layers(matrix({{3}}), std::vector<double>{1}), (layer_groups{{0}}));
  EXPECT_EQ(group_layers(matrix({}), {}), layer_groups{});
}

}  // namespace
}  // namespace bitwright
