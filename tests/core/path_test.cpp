// SPDX-License-Identifier: MIT
#include "refusal.hpp"
#include <bitwright/core/path.hpp>

#include <gtest/gtest.h>

#include <array>

namespace bitwright {
namespace {

using reference::refusal;

struct path {
  const char* name;
  bool (*available)();
};

bool never_available() { return false; }

constexpr auto paths =
    std::to_array<path>({{"quantum", never_available}, {"vector", always_available}, {"scalar", always_available}});

TEST(path, the_best_is_the_first_that_can_run) {
  EXPECT_EQ(&best_path(paths), &paths[1]);
  EXPECT_EQ(&choose_path(paths, ""), &paths[1]);
}

TEST(path, any_other_that_can_run_is_chosen_by_name) {
  EXPECT_EQ(&choose_path(paths, "scalar"), &paths[2]);
  EXPECT_EQ(&choose_path(paths, "vector"), &paths[1]);
}

TEST(path, one_that_is_unknown_or_cannot_run_is_refused_with_those_that_can) {
  EXPECT_EQ(refusal([] { choose_path(paths, "quantum"); }),
            "choose_path: name is \"quantum\", expected a path that this processor can run: vector, scalar");
  EXPECT_EQ(refusal([] { choose_path(paths, "scala"); }),
            "choose_path: name is \"scala\", expected a path that this processor can run: vector, scalar");
}

}  // namespace
}  // namespace bitwright
