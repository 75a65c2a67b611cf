// SPDX-License-Identifier: MIT
// Every path of transpose against one code at a time.
#include "random_codes.hpp"
#include <bitwright/kernels/transpose.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;

template <class Code>
void expect_transposed(std::size_t matrices, std::size_t rows, std::size_t columns, random_codes& random) {
  const auto codes =
      reference::narrowed<Code>(random.many(static_cast<std::int64_t>(matrices * rows * columns), -100, 127));
  std::vector<Code> expected;
  for (std::size_t m = 0; m < matrices; ++m)
    for (std::size_t j = 0; j < columns; ++j)
      for (std::size_t i = 0; i < rows; ++i) expected.push_back(codes.at((m * rows + i) * columns + j));
  const std::size_t count = matrices * columns;
  for (const auto& path : kernels::transpose_paths<Code>) {
    if (!path.available()) continue;
    std::vector<Code> result(codes.size());
    const kernels::transpose_arguments<Code> call{codes.data(), result.data(), rows, columns};
    path.run(call, count / 3, count);
    path.run(call, 0, count / 3);
    ASSERT_EQ(result, expected) << path.name << ": " << rows << " x " << columns;
  }
}

TEST(transpose, swaps_rows_and_columns_of_every_size_around_a_tile) {
  random_codes random(1);
  for (const std::size_t rows : std::vector<std::size_t>{1, 2, 3, 15, 16, 17, 31, 32, 33, 48})
    for (std::size_t columns = 1; columns <= 66; ++columns) expect_transposed<std::uint8_t>(2, rows, columns, random);
}

TEST(transpose, takes_any_number_of_matrices_of_either_type) {
  random_codes random(2);
  for (const std::size_t matrices : std::vector<std::size_t>{0, 1, 3, 7}) {
    expect_transposed<std::int8_t>(matrices, 20, 35, random);
    expect_transposed<std::uint8_t>(matrices, 49, 3, random);
  }
}

}  // namespace
}  // namespace bitwright
