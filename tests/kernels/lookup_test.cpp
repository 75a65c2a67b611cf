// SPDX-License-Identifier: MIT
// Every path of lookup against one table entry a code.
#include "random_codes.hpp"
#include <bitwright/kernels/lookup.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bitwright {
namespace {

using reference::random_codes;
using u8 = std::uint8_t;
using s8 = std::int8_t;

template <class Code>
std::vector<Code> random_bytes(std::size_t count, random_codes& random) {
  return reference::narrowed<Code>(random.many(static_cast<std::int64_t>(count), std::numeric_limits<Code>::min(),
                                               std::numeric_limits<Code>::max()));
}

/// Whether each path gives the table's entries for rows with gaps, in two calls, and writes nothing into the gaps.
template <class Code, class Output>
void expect_entries(std::size_t rows, std::size_t length, random_codes& random) {
  const auto table = random_bytes<Output>(256, random);
  const std::size_t stride = length + 3, output_stride = length + 5;
  const auto codes = random_bytes<Code>(rows * stride, random);
  std::vector<Output> expected(rows * output_stride, 99);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < length; ++i) {
      const int code = codes.at(row * stride + i);
      expected.at(row * output_stride + i) = table.at(static_cast<std::size_t>(code < 0 ? code + 256 : code));
    }
  for (const auto& path : kernels::lookup_paths<Code, Output>) {
    if (!path.available()) continue;
    std::vector<Output> result(expected.size(), 99);
    const kernels::lookup_arguments<Code, Output> call{table.data(),  codes.data(),  stride,
                                                       result.data(), output_stride, length};
    path.run(call, rows / 3, rows);
    path.run(call, 0, rows / 3);
    ASSERT_EQ(result, expected) << path.name << ": " << rows << " rows of " << length;
  }
}

TEST(lookup, finds_the_entry_of_every_code_in_rows_of_every_length) {
  random_codes random(1);
  for (std::size_t length = 0; length <= 130; ++length) {
    expect_entries<u8, u8>(3, length, random);
    expect_entries<s8, u8>(2, length, random);
    expect_entries<u8, s8>(1, length, random);
    expect_entries<s8, s8>(0, length, random);
  }
  expect_entries<u8, u8>(1, 5000, random);
}

TEST(lookup, writes_over_its_own_codes_where_that_is_asked) {
  random_codes random(2);
  const auto table = random_bytes<u8>(256, random);
  for (const auto& path : kernels::lookup_paths<u8, u8>) {
    if (!path.available()) continue;
    auto codes = random_bytes<u8>(777, random);
    std::vector<u8> expected;
    for (const u8 code : codes) expected.push_back(table.at(code));
    path.run({table.data(), codes.data(), 0, codes.data(), 0, codes.size()}, 0, 1);
    ASSERT_EQ(codes, expected) << path.name;
  }
}

}  // namespace
}  // namespace bitwright
