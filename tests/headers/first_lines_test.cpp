// SPDX-License-Identifier: MIT
// How every file begins: its licence; a header also with what its concept is, in one sentence.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = BITWRIGHT_SOURCE_DIR;

/// Files under the project's folders whose names end so.
std::vector<fs::path> files_ending(const std::vector<std::string>& endings) {
  std::vector<fs::path> files;
  for (const char* folder : {"include", "tests", "examples", "benchmarks", "cmake"})
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string name = entry.path().filename().string();
      if (std::ranges::any_of(endings, [&](const std::string& ending) { return name.ends_with(ending); }))
        files.push_back(entry.path());
    }
  return files;
}

std::array<std::string, 4> first_lines(const fs::path& file) {
  std::array<std::string, 4> lines;
  std::ifstream stream(file);
  for (std::string& line : lines) std::getline(stream, line);
  return lines;
}

TEST(first_lines, every_file_begins_with_its_licence) {
  std::vector<fs::path> files = files_ending({".hpp", ".cpp", ".cmake", "CMakeLists.txt"});
  for (const char* file : {"CMakeLists.txt", "README.md", "CHANGELOG.md", ".clang-format", ".clang-tidy", ".gitignore"})
    files.push_back(root / file);
  for (const fs::path& file : files)
    EXPECT_NE(first_lines(file)[0].find("SPDX-License-Identifier: MIT"), std::string::npos) << file;
}

TEST(first_lines, every_header_says_what_it_is) {
  for (const fs::path& file : files_ending({".hpp"})) {
    if (!file.lexically_relative(root).string().starts_with("include")) continue;
    const std::array<std::string, 4> lines = first_lines(file);
    EXPECT_EQ(lines[1], "/// \\file") << file;
    EXPECT_TRUE(lines[2].starts_with("/// ")) << file;
  }
}

}  // namespace
