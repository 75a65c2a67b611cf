// SPDX-License-Identifier: MIT
#include "network.hpp"

#include <bitwright/core/error.hpp>

#include <utility>

namespace fashion_mnist {

using bitwright::require;

network::network(std::size_t size, std::size_t channels) {
  require(size > 0, "network: size", size, "at least 1");
  require(channels > 0, "network: channels", channels, "at least 1");
  nodes_.push_back({.name = "image", .kind = node_kind::image, .inputs = {}, .size = size, .channels = channels});
}

namespace {

node filtered(std::string name, std::size_t input, std::size_t channels, network::window filter) {
  return {.name = std::move(name),
          .kind = node_kind::convolution,
          .inputs = {input},
          .channels = channels,
          .kernel = filter.kernel,
          .stride = filter.stride,
          .padding = filter.kernel / 2,
          .batch_norm = true};
}

}  // namespace

const node& network::at(std::size_t index) const {
  require(index < nodes_.size(), "network: input", index, "the index of one of the ", nodes_.size(), " nodes so far");
  return nodes_[index];
}

std::size_t network::add(node added) {
  require(added.channels > 0, "network: channels of " + added.name, added.channels, "at least 1");
  require(added.stride > 0, "network: stride of " + added.name, added.stride, "at least 1");
  require(added.kernel % 2 == 1, "network: kernel of " + added.name, added.kernel, "an odd number");
  const node& input = at(added.inputs.front());
  added.in_size = input.size;
  added.in_channels = input.channels;
  if (added.size == 0) added.size = (input.size + 2 * added.padding - added.kernel) / added.stride + 1;
  if (added.has_weights()) {
    added.first_weight = weights_;
    added.first_channel = channels_;
    weights_ += added.weights();
    channels_ += added.channels;
  }
  nodes_.push_back(std::move(added));
  return nodes_.size() - 1;
}

std::size_t network::convolution(std::string name, std::size_t input, std::size_t channels, window filter, bool relu) {
  node added = filtered(std::move(name), input, channels, filter);
  added.relu = relu;
  return add(std::move(added));
}

std::size_t network::depthwise(std::string name, std::size_t input, window filter) {
  node added = filtered(std::move(name), input, at(input).channels, filter);
  added.groups = added.channels;
  added.relu = true;
  return add(std::move(added));
}

std::size_t network::residual_add(std::string name, std::size_t left, std::size_t right) {
  const std::size_t outputs = at(left).outputs_per_image(), channels = at(left).channels;
  require(at(right).outputs_per_image() == outputs && at(right).channels == channels, "network: right of " + name,
          nodes_[right].name, "a node of the same shape as ", nodes_[left].name);
  return add({.name = std::move(name),
              .kind = node_kind::residual_add,
              .inputs = {left, right},
              .channels = channels,
              .relu = true});
}

std::size_t network::global_average_pooling(std::string name, std::size_t input) {
  return add({.name = std::move(name),
              .kind = node_kind::global_average_pooling,
              .inputs = {input},
              .size = 1,
              .channels = at(input).channels});
}

std::size_t network::linear(std::string name, std::size_t input, std::size_t channels) {
  require(at(input).size == 1, "network: size of the input of " + name, at(input).size, "1");
  return add({.name = std::move(name), .kind = node_kind::linear, .inputs = {input}, .channels = channels});
}

std::size_t network::multiply_accumulates() const {
  std::size_t sum = 0;
  for (const node& each : nodes_) sum += each.multiply_accumulates();
  return sum;
}

std::vector<std::size_t> network::layer_sizes() const {
  std::vector<std::size_t> sizes;
  for (const node& each : nodes_)
    if (each.has_weights()) sizes.push_back(each.weights());
  return sizes;
}

const network& residual_network() {
  static const network result = [] {
    network net(28, 1);
    const std::size_t stem = net.convolution("stem", 0, 16, {.kernel = 3});
    const std::size_t down1 = net.convolution("down1", stem, 24, {.kernel = 3, .stride = 2});

    const std::size_t block1a = net.convolution("block1.first", down1, 24, {.kernel = 3});
    const std::size_t block1b = net.convolution("block1.second", block1a, 24, {.kernel = 3}, false);
    const std::size_t block1 = net.residual_add("block1.add", down1, block1b);

    const std::size_t down2 = net.depthwise("down2.depthwise", block1, {.kernel = 3, .stride = 2});
    std::size_t last = net.convolution("down2.pointwise", down2, 64, {});
    for (const std::string block : {"block2", "block3"}) {
      const std::size_t depthwise = net.depthwise(block + ".depthwise", last, {.kernel = 3});
      const std::size_t pointwise = net.convolution(block + ".pointwise", depthwise, 64, {}, false);
      last = net.residual_add(block + ".add", last, pointwise);
    }
    net.linear("classes", net.global_average_pooling("pooling", last), 10);
    return net;
  }();
  return result;
}

}  // namespace fashion_mnist
