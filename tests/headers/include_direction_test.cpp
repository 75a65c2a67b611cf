// SPDX-License-Identifier: MIT
// Headers include one way only: core <- quantizers <- {calibration, storage, mixed_precision, post_training} and
// core <- arithmetic <- kernels <- layers. Only layers joins the two wings.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path include_folder = fs::path(BITWRIGHT_SOURCE_DIR) / "include";

/// Which other folders a folder's headers may include.
const std::map<std::string, std::set<std::string>> allowed = {
    {"core", {}},
    {"quantizers", {"core"}},
    {"storage", {"core", "quantizers"}},
    {"calibration", {"core", "quantizers"}},
    {"mixed_precision", {"core", "quantizers"}},
    {"post_training", {"core", "quantizers"}},
    {"arithmetic", {"core"}},
    {"kernels", {"core", "arithmetic"}},
    {"layers", {"core", "arithmetic", "kernels", "quantizers", "storage", "calibration", "post_training"}},
};

/// "core" for bitwright/core/error.hpp, "" for bitwright/core.hpp and bitwright.hpp, which list headers and nothing else.
std::string folder_of(const fs::path& header) {
  const std::vector<fs::path> parts(header.begin(), header.end());
  return parts.size() > 2 ? parts[1].string() : "";
}

/// What the file includes, as written between <> or "", in order.
std::vector<std::string> includes_of(const fs::path& file) {
  static const std::regex directive(R"re(\s*#\s*include\s*[<"]([^>"]+)[>"].*)re");
  std::vector<std::string> includes;
  std::ifstream lines(file);
  std::smatch match;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_match(line, match, directive)) includes.push_back(match[1]);
  return includes;
}

/// What is wrong with `header` (relative to include/) including `included`; empty if nothing is.
std::string objection(const fs::path& header, const std::string& included) {
  const std::string folder = folder_of(header);
  if (folder.empty()) return included.starts_with("bitwright/") ? "" : "a list of headers includes something else";
  if (!allowed.contains(folder)) return "no rule says what folder " + folder + " may include";
  if (included.starts_with("Eigen/") || included.starts_with("unsupported/Eigen/")) {
    const bool may = folder == "mixed_precision" || header == "bitwright/core/eigen.hpp";
    return may ? "" : "only core/eigen.hpp and mixed_precision/ include Eigen";
  }
  if (included == "bitwright/core/eigen.hpp" && folder != "mixed_precision") return "core/eigen.hpp brings Eigen";
  if (!included.starts_with("bitwright")) {
    return fs::exists(include_folder / header.parent_path() / included) ? "include it as <bitwright/...>" : "";
  }
  const std::string other = folder_of(included);
  if (other.empty()) return "a list of headers is for users";
  if (other == folder || allowed.at(folder).contains(other)) return "";
  return folder + " may not include " + other;
}

TEST(include_direction, every_edge_of_every_header_is_allowed) {
  int edges = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(include_folder)) {
    if (entry.path().extension() != ".hpp") continue;
    const fs::path header = entry.path().lexically_relative(include_folder);
    for (const std::string& included : includes_of(entry.path())) {
      EXPECT_EQ(objection(header, included), "") << header << " includes " << included;
      ++edges;
    }
  }
  EXPECT_GT(edges, 50) << "the headers were not found under " << include_folder;
}

TEST(include_direction, the_wings_do_not_meet_outside_layers) {
  EXPECT_NE(objection("bitwright/kernels/gemm.hpp", "bitwright/quantizers/uniform.hpp"), "");
  EXPECT_NE(objection("bitwright/quantizers/uniform.hpp", "bitwright/arithmetic/dyadic.hpp"), "");
  EXPECT_EQ(objection("bitwright/layers/linear.hpp", "bitwright/quantizers/uniform.hpp"), "");
}

TEST(include_direction, core_includes_no_other_folder) {
  EXPECT_NE(objection("bitwright/core/tensor.hpp", "bitwright/quantizers/uniform.hpp"), "");
  EXPECT_EQ(objection("bitwright/core/tensor.hpp", "bitwright/core/error.hpp"), "");
}

TEST(include_direction, eigen_stays_in_its_two_places) {
  EXPECT_EQ(objection("bitwright/core/eigen.hpp", "Eigen/Core"), "");
  EXPECT_EQ(objection("bitwright/mixed_precision/hessian_trace.hpp", "Eigen/Dense"), "");
  EXPECT_NE(objection("bitwright/core/tensor.hpp", "Eigen/Core"), "");
  EXPECT_NE(objection("bitwright/layers/linear.hpp", "bitwright/core/eigen.hpp"), "");
}

TEST(include_direction, a_folder_without_a_rule_is_refused) {
  EXPECT_NE(objection("bitwright/utils/helpers.hpp", "bitwright/core/error.hpp"), "");
}

}  // namespace
