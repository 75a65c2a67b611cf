// SPDX-License-Identifier: MIT
#include "random_allocation_problem.hpp"
#include "refusal.hpp"
#include <bitwright/mixed_precision/allocator.hpp>
#include <bitwright/mixed_precision/bitalloc.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace bitwright {
namespace {

const std::string two_layers =
    "bitalloc 1\n"
    "name two layers\n"
    "layers 2 resources 2\n"
    "budget 12 -7\n"
    "layer 0 choices 2 tie 3 fixed -1\n"
    "4 9 4 1\n"
    "8 1 8 2\n"
    "# a remark\n"
    "\n"
    "layer 1 choices 2 tie 3 fixed 8\n"
    "8 2 8 2\n"
    "4 7 4 1\n";

bitalloc_file parse(const std::string& text) {
  std::istringstream stream(text);
  return read_bitalloc(stream);
}

/// What read_bitalloc says about two_layers with its first `from` replaced by `to`.
std::string refusal(const std::string& from, const std::string& to) {
  std::string text = two_layers;
  text.replace(text.find(from), from.size(), to);
  try {
    parse(text);
  } catch (const invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(bitalloc, reads_budgets_candidates_ties_and_fixed_bits) {
  const auto [name, problem] = parse(two_layers);
  EXPECT_EQ(name, "two layers");
  ASSERT_EQ(problem.budgets.size(), 2u);
  EXPECT_EQ(problem.budgets[1].limit, -7);
  ASSERT_EQ(problem.layers.size(), 2u);
  EXPECT_EQ(problem.layers[0].candidates[1].weight_bits, 8);
  EXPECT_EQ(problem.layers[0].candidates[1].omega, 1);
  EXPECT_EQ(problem.layers[0].candidates[1].costs, (std::vector<std::int64_t>{8, 2}));
  EXPECT_EQ(problem.layers[1].candidates[0].weight_bits, 4);  // Sorted by bits, so that tied layers correspond.
  EXPECT_EQ(problem.layers[1].forbidden, std::vector<std::size_t>{0});
  EXPECT_EQ(problem.ties, (std::vector<std::vector<std::size_t>>{{0, 1}}));
}

TEST(bitalloc, counts_layers_from_0_or_1_and_takes_a_negative_tie_for_none) {
  const std::string text =
      "bitalloc 1\r\nname\r\nlayers 2 resources 0\r\nbudget\r\nlayer 1 choices 1 tie -1 fixed -1\r\n2 5\r\n"
      "layer 2 choices 1 tie -1 fixed -1\r\n4 5\r\n";
  const auto [name, problem] = parse(text);
  EXPECT_EQ(name, "");
  EXPECT_TRUE(problem.ties.empty());
  EXPECT_EQ(problem.layers[1].candidates[0].weight_bits, 4);
}

TEST(bitalloc, what_is_malformed_is_refused_by_line) {
  EXPECT_EQ(refusal("bitalloc 1", "bitalloc 2"), "bitalloc: line 1 is \"bitalloc 2\", expected bitalloc 1");
  EXPECT_EQ(
      refusal("layers 2", "layers x"),
      "bitalloc: line 3 is \"layers x resources 2\", expected an integer from 0 to 9223372036854775807 for word 2");
  EXPECT_EQ(refusal("budget 12 -7", "budget 12"), "bitalloc: line 4 is \"budget 12\", expected budget and 2 integers");
  EXPECT_EQ(refusal("layer 0", "layer 3"),
            "bitalloc: line 5 is \"layer 3 choices 2 tie 3 fixed -1\", expected an integer from 0 to 1 for word 2");
  EXPECT_EQ(refusal("4 9 4 1", "4 9 4"), "bitalloc: line 6 is \"4 9 4\", expected bits, omega and 2 costs: 4 integers");
  EXPECT_EQ(refusal("8 1 8 2", "8 1 8 -2"),
            "bitalloc: line 7 is \"8 1 8 -2\", expected an integer from 0 to 4611686018427387904 for word 4");
  EXPECT_EQ(refusal("8 1 8 2", "8 1.5 8 2"),
            "bitalloc: line 7 is \"8 1.5 8 2\", expected an integer from 0 to 9007199254740992 for word 2");
  EXPECT_EQ(
      refusal("8 1 8 2", "8 99999999999999999999 8 2"),
      "bitalloc: line 7 is \"8 99999999999999999999 8 2\", expected an integer from 0 to 9007199254740992 for word 2");
  EXPECT_EQ(refusal("fixed 8", "fixed 3"), "bitalloc: line 10: fixed is 3, expected the bits of one of the choices");
  EXPECT_EQ(refusal("4 7 4 1\n", ""), "bitalloc: line 12 is \"\", expected bits, omega and 2 costs: 4 integers");
  EXPECT_EQ(refusal("4 7 4 1\n", "4 7 4 1\nmore\n"),
            "bitalloc: line 13 is \"more\", expected the end of the file after the last layer");
}

TEST(bitalloc, what_cannot_be_a_problem_is_refused_at_the_line_from_which_on) {
  EXPECT_EQ(refusal("4 7 4 1", "2 7 4 1"),
            "bitalloc: line 10: tie is 3, expected a layer of the same bits as the first with that tie");
  std::string text = two_layers;
  text.replace(text.find("layers 2"), 8, "layers 3");
  EXPECT_EQ(bitwright::reference::refusal([&] { parse(text + "layer 2 choices 2 tie 3 fixed 4\n4 1 1 1\n8 1 1 1\n"); }),
            "bitalloc: line 13: tie is 3, expected no two layers with that tie fixed to different bits");
  EXPECT_EQ(bitwright::reference::refusal(
                [&] { parse(text + "layer 2 choices 1 tie -1 fixed -1\n4 1 4611686018427387904 1\n"); }),
            "bitalloc: line 13: the layer's largest cost 1 is 4611686018427387904, expected at most "
            "4611686018427387888, so that sums stay within 2^62");
}

TEST(bitalloc, what_is_written_reads_back) {
  int written = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const allocation_problem problem = reference::random_allocation_problem(seed);
    if (problem.layers.front().candidates.size() > 2 && !problem.layers.front().forbidden.empty()) continue;
    std::ostringstream first, second;
    write_bitalloc(first, {"random", problem});
    const bitalloc_file again = parse(first.str());
    write_bitalloc(second, again);
    ASSERT_EQ(first.str(), second.str());
    ASSERT_EQ(allocate(problem).objective, allocate(again.problem).objective) << "seed " << seed;
    ++written;
  }
  EXPECT_GT(written, 300);
}

TEST(bitalloc, refuses_to_write_what_it_cannot_hold) {
  bitalloc_file file = parse(two_layers);
  file.problem.layers[0].candidates[0].omega = 0.5;
  std::ostringstream stream;
  EXPECT_THROW(write_bitalloc(stream, file), invalid_argument);
}

TEST(bitalloc, any_text_is_read_or_refused) {
  std::mt19937_64 generator(1);
  const std::string bytes = "0123456789- \n#xlayerbudgt\t\0";
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = two_layers;
    for (std::uint64_t change = generator() % 4; change-- > 0;) {
      const std::size_t at = generator() % text.size();
      if (generator() % 3 == 0)
        text.erase(at, generator() % 5);
      else
        text.insert(at, 1, bytes[generator() % bytes.size()]);
      if (text.empty()) break;
    }
    try {
      allocate(parse(text).problem, {.maximum_nodes = 100});
    } catch (const invalid_argument&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace bitwright
