// SPDX-License-Identifier: MIT
#include "trained_network.hpp"

#include "../write_whole.hpp"
#include <bitwright/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace fashion_mnist {
namespace {

constexpr std::string_view magic = "bwfloats";
constexpr std::uint32_t version = 1;

// Calls `each(name, sizes, values)` for every tensor of the file, in its order.
template <class Trained, class Each>
void for_each_tensor(Trained& trained, const network& graph, Each each) {
  for (const node& layer : graph.nodes()) {
    if (!layer.has_weights()) continue;
    const auto size = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
    const std::uint32_t channels = size(layer.channels), kernel = size(layer.kernel);
    each(layer.name + ".weights", {channels, kernel, kernel, size(layer.in_channels / layer.groups)},
         layer.weights_in(std::span(trained.weights)));
    const auto each_channel = [&](const char* name, auto& all) {
      each(layer.name + name, {channels}, layer.channels_in(std::span(all)));
    };
    if (!layer.batch_norm) {
      each_channel(".bias", trained.beta);
      continue;
    }
    each_channel(".gamma", trained.gamma);
    each_channel(".beta", trained.beta);
    each_channel(".mean", trained.mean);
    each_channel(".variance", trained.variance);
  }
}

using sizes = std::vector<std::uint32_t>;

void append(std::string& content, std::uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) content += static_cast<char>(word >> shift & 255);
}

std::uint32_t checksum(std::string_view content) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
}

// Reads from the front of what is left.
class reader {
 public:
  reader(std::string file, std::string_view content) : file_(std::move(file)), left_(content) {}

  std::string_view take(std::size_t count, const std::string& what) {
    bitwright::require(left_.size() >= count, file_ + ": bytes left for " + what, left_.size(), count);
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  std::uint32_t word(const std::string& what) {
    const std::string_view taken = take(4, what);
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(taken[i]);
    return value;
  }

  void expect(std::uint32_t expected, const std::string& what) {
    const std::uint32_t found = word(what);
    bitwright::require(found == expected, file_ + ": " + what, found, expected);
  }

  void end() const {
    bitwright::require(left_.empty(), file_ + ": bytes behind the last tensor", left_.size(), "none");
  }

 private:
  std::string file_;
  std::string_view left_;
};

std::string read_whole(const std::filesystem::path& path) {
  bitwright::require(std::filesystem::is_regular_file(path), "load: file", path.string(), "a file that exists");
  std::ifstream stream(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(stream), {}};
  bitwright::require(!stream.bad() && stream.is_open(), "load: file", path.string(), "a file that can be read");
  return content;
}

}  // namespace

trained_network::trained_network(const network& graph)
    : weights(graph.weights()),
      gamma(graph.weighted_channels(), 1),
      beta(graph.weighted_channels()),
      mean(graph.weighted_channels()),
      variance(graph.weighted_channels(), 1) {}

void save(const trained_network& trained, const network& graph, const std::filesystem::path& path) {
  std::uint32_t tensors = 0;
  std::string body;
  for_each_tensor(trained, graph, [&](const std::string& name, const sizes& dimensions, std::span<const float> values) {
    ++tensors;
    append(body, static_cast<std::uint32_t>(name.size()));
    body += name;
    append(body, static_cast<std::uint32_t>(dimensions.size()));
    for (const std::uint32_t dimension : dimensions) append(body, dimension);
    for (const float value : values) append(body, std::bit_cast<std::uint32_t>(value));
  });
  std::string content(magic);
  append(content, version);
  append(content, tensors);
  content += body;
  append(content, checksum(content));
  write_whole(path, content);
}

trained_network load(const network& graph, const std::filesystem::path& path) {
  const std::string content = read_whole(path), file = "load: " + path.string();
  bitwright::require(content.starts_with(magic), file + ": first bytes", content.substr(0, magic.size()), magic);
  bitwright::require(content.size() >= magic.size() + 4, file + ": bytes", content.size(), "a checksum at the end");
  const std::string_view checked = std::string_view(content).substr(0, content.size() - 4);
  reader(file, std::string_view(content).substr(checked.size())).expect(checksum(checked), "checksum");

  reader from(file, checked.substr(magic.size()));
  from.expect(version, "version");
  trained_network trained(graph);
  std::uint32_t tensors = 0;
  for_each_tensor(trained, graph, [&](const std::string&, const sizes&, std::span<float>) { ++tensors; });
  from.expect(tensors, "tensors");
  for_each_tensor(trained, graph, [&](const std::string& name, const sizes& dimensions, std::span<float> values) {
    const std::string_view found = from.take(from.word("the length of a name"), "a name");
    bitwright::require(found == name, file + ": tensor", found, name);
    from.expect(static_cast<std::uint32_t>(dimensions.size()), "dimensions of " + name);
    for (const std::uint32_t dimension : dimensions) from.expect(dimension, "a dimension of " + name);
    for (float& value : values) {
      value = std::bit_cast<float>(from.word(name));
      bitwright::require(std::isfinite(value), file + ": a value of " + name, value, "a finite number");
    }
  });
  from.end();
  const float least = std::ranges::min(trained.variance);
  bitwright::require(least >= 0, file + ": the least variance", least, "at least 0");
  return trained;
}

}  // namespace fashion_mnist
