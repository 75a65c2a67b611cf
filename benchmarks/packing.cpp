// SPDX-License-Identifier: MIT
// How fast are codes packed and unpacked, beside copying? One core. A row for each order and path with 4 bits, and for the
// contiguous orders with 3: GB/s of the bytes that move, read and written (1 + bits / 8 a code), and the ratio to
// std::memcpy (2 a byte) of the same run, in L2 and from DRAM. The runs take turns, so that a drifting clock meets all
// alike; of each the median of the better half is taken.
#include <bitwright/storage/packing_paths.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace bitwright;

struct row {
  std::string name;
  double bytes_per_code;
  std::function<void()> run;
  std::vector<double> seconds = {};
};

double seconds_of(const std::function<void()>& run, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / repeats;
}

double typical(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 4];
}

struct buffers {
  explicit buffers(std::size_t count) : codes(count), other(count), bytes(count / 2) {
    for (std::size_t i = 0; i < count; ++i) codes[i] = static_cast<std::uint8_t>(i * 5 % 8);
  }
  std::vector<std::uint8_t> codes, other, bytes;
};

template <packing_order Order>
void add_rows(const char* order, int bits, buffers& memory, std::vector<row>& rows) {
  const std::size_t count = memory.codes.size();
  for (const packing_path& path : packing_paths<Order>) {
    if (!path.available()) continue;
    const std::string name = std::to_string(bits) + " bits, " + order + ", " + std::string(path.name);
    const field_layout layout{bits, 0, static_cast<std::uint8_t>(1 << (bits - 1))};
    const double moved = 1 + bits / 8.0;
    rows.push_back({"pack    " + name, moved, [&memory, count, path, layout] {
                      path.pack(memory.codes.data(), count, layout, memory.bytes.data());
                    }});
    rows.push_back({"unpack  " + name, moved, [&memory, count, path, layout] {
                      path.unpack(memory.bytes.data(), count, layout, memory.other.data());
                    }});
  }
}

void compare(const char* where, std::size_t count, int turns, int repeats) {
  buffers memory(count);
  std::vector<row> rows = {
      {"copy", 2, [&memory, count] { std::memcpy(memory.other.data(), memory.codes.data(), count); }}};
  add_rows<least_significant_first>("least significant first", 4, memory, rows);
  add_rows<most_significant_first>("most significant first", 4, memory, rows);
  add_rows<ggml_halves>("ggml halves", 4, memory, rows);
  add_rows<least_significant_first>("least significant first", 3, memory, rows);
  add_rows<most_significant_first>("most significant first", 3, memory, rows);
  for (int turn = 0; turn < turns; ++turn)
    for (row& each : rows) each.seconds.push_back(seconds_of(each.run, repeats));
  const double copy = 2 * static_cast<double>(count) / typical(rows[0].seconds);
  std::printf("%s: %zu codes\n", where, count);
  for (const row& each : rows) {
    const double moved = each.bytes_per_code * static_cast<double>(count) / typical(each.seconds);
    std::printf("  %-48s %8.1f GB/s %6.2f of copy\n", each.name.c_str(), moved / 1e9, moved / copy);
  }
}

}  // namespace

int main() {
  compare("L2", std::size_t{1} << 17, 40, 20);
  compare("DRAM", std::size_t{1} << 26, 5, 1);
}
