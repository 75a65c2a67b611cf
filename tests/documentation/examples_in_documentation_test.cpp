// SPDX-License-Identifier: MIT
// Every ```cpp block of README.md and of the headers' comments is compiled, so that the documentation cannot go stale.
// A block that has a main() is compiled as it stands. Any other becomes the body of one: its #include lines go to the
// top, after bitwright.hpp and the standard headers below, and a header's block may leave `bitwright::` out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct example {
  fs::path file;  // Relative to the root of the project.
  int line = 0;   // Of the opening ```cpp.
  std::vector<std::string> code;
};

void PrintTo(const example& block, std::ostream* out) { *out << block.file.string() << ':' << block.line; }

/// The line without the `///` of a header's comment; empty for a header's code.
std::string text_of(const std::string& line, bool is_header) {
  if (!is_header) return line;
  const std::size_t slashes = line.find_first_not_of(' ');
  if (slashes == std::string::npos || line.compare(slashes, 3, "///") != 0) return "";
  return line.substr(std::min(line.size(), slashes + (line.compare(slashes, 4, "/// ") == 0 ? 4U : 3U)));
}

void append_examples(const fs::path& file, std::vector<example>& examples) {
  const fs::path root = BITWRIGHT_SOURCE_DIR;
  std::ifstream lines(root / file);
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string text = text_of(line, file.extension() == ".hpp");
    if (text == "```cpp") {
      examples.push_back({file, number, {}});
      inside = true;
    } else if (text == "```") {
      inside = false;
    } else if (inside) {
      examples.back().code.push_back(text);
    }
  }
}

std::vector<example> every_example() {
  const fs::path root = BITWRIGHT_SOURCE_DIR;
  std::vector<example> examples;
  append_examples("README.md", examples);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / "include"))
    if (entry.is_regular_file()) append_examples(entry.path().lexically_relative(root), examples);
  std::ranges::sort(examples, {}, [](const example& block) { return std::pair(block.file, block.line); });
  return examples;
}

/// README_md_line_40 for the block that opens there.
std::string name_of(const example& block) {
  std::string name = block.file.string() + "_line_" + std::to_string(block.line);
  std::ranges::replace_if(
      name, [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
  return name;
}

std::string program_of(const example& block) {
  std::string includes, body;
  bool has_main = false;
  for (const std::string& line : block.code) {
    (line.starts_with("#include") ? includes : body) += line + '\n';
    has_main = has_main || line.starts_with("int main(");
  }
  if (has_main) return includes + body;
  const bool is_header = block.file.extension() == ".hpp";
  return includes +
         "#include <bitwright.hpp>\n#include <array>\n#include <cassert>\n#include <cstdint>\n#include <cstdio>\n"
         "#include <span>\n#include <vector>\n" +
         (is_header ? "using namespace bitwright;\n" : "") + "int main() {\n" + body + "}\n";
}

std::string text_in(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class documentation : public testing::TestWithParam<example> {};

TEST_P(documentation, example_compiles) {
  const fs::path folder = BITWRIGHT_WORK_DIR;
  const std::string source = (folder / (name_of(GetParam()) + ".cpp")).string();
  const std::string messages = source + ".txt";
  fs::create_directories(folder);
  std::ofstream(source) << program_of(GetParam());
  const std::string command = std::string(BITWRIGHT_COMPILE) + " \"" + source + "\" 2> \"" + messages + '"';
  EXPECT_EQ(std::system(command.c_str()), 0) << text_in(messages) << program_of(GetParam());
}

INSTANTIATE_TEST_SUITE_P(every, documentation, testing::ValuesIn(every_example()),
                         [](const auto& parameter) { return name_of(parameter.param); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(documentation);

}  // namespace
