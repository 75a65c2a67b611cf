// SPDX-License-Identifier: MIT
// A folder's header, bitwright/core.hpp, lists every header of its folder, so that nobody can forget one.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path include_folder = fs::path(BITWRIGHT_SOURCE_DIR) / "include";

/// The bitwright headers that `list` includes.
std::set<std::string> listed_in(const fs::path& list) {
  const std::string opening = "#include <";
  std::set<std::string> headers;
  std::ifstream lines(list);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(opening)) headers.insert(line.substr(opening.size(), line.find('>') - opening.size()));
  return headers;
}

/// The headers that stand in `folder` itself; a kernel's paths, a level deeper, come through its entry point.
std::set<std::string> headers_in(const fs::path& folder) {
  std::set<std::string> headers;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".hpp") headers.insert(entry.path().lexically_relative(include_folder).string());
  headers.erase("bitwright/core/eigen.hpp");  // Whoever wants Eigen asks for it.
  return headers;
}

TEST(folder_headers, each_lists_every_header_of_its_folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(include_folder / "bitwright"))
    if (entry.is_directory()) {
      EXPECT_EQ(listed_in(entry.path().string() + ".hpp"), headers_in(entry.path())) << entry.path();
    }
}

TEST(folder_headers, the_umbrella_lists_every_folder) {
  EXPECT_EQ(listed_in(include_folder / "bitwright.hpp"), headers_in(include_folder / "bitwright"));
}

}  // namespace
