// SPDX-License-Identifier: MIT
#include "training.hpp"

#include "batch_norm_between.hpp"
#include "float_pass.hpp"
#include "folded_network.hpp"
#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace fashion_mnist {
namespace {

// He et al., ICCV 2015: weights that keep the spread of values from layer to layer.
void draw_weights(const network& graph, std::mt19937_64& random, trained_network& trained) {
  for (const node& layer : graph.nodes()) {
    if (!layer.has_weights()) continue;
    std::normal_distribution<float> normal(0, std::sqrt(2 / static_cast<float>(layer.weights_per_channel())));
    for (float& weight : layer.weights_in(std::span(trained.weights))) weight = normal(random);
  }
}

// Copies an image, mirrored or not, and moved by up to two pixels each way; zeros fill what is uncovered.
void augment(std::span<const std::uint8_t> image, std::mt19937_64& random, std::span<float> result) {
  constexpr int size = image_size;
  const bool mirrored = random() % 2 == 1;
  const int down = static_cast<int>(random() % 5) - 2, right = static_cast<int>(random() % 5) - 2;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const int from_y = y - down, shifted = x - right, from_x = mirrored ? size - 1 - shifted : shifted;
      const bool inside = from_y >= 0 && from_y < size && from_x >= 0 && from_x < size;
      const auto at = [](int row, int column) { return static_cast<std::size_t>(row * size + column); };
      result[at(y, x)] = inside ? static_cast<float>(image[at(from_y, from_x)]) / 255 : 0;
    }
}

// Velocity = momentum * velocity + gradient, and a step along it that already counts the next push (Nesterov).
class descent {
 public:
  explicit descent(std::size_t size) : velocity_(size) {}

  void step(std::span<float> values, std::span<const float> gradient, const training_options& options, double rate,
            double decay) {
    const auto momentum = static_cast<float>(options.momentum);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float push = gradient[i] + static_cast<float>(decay) * values[i];
      velocity_[i] = momentum * velocity_[i] + push;
      values[i] -= static_cast<float>(rate) * (push + momentum * velocity_[i]);
    }
  }

 private:
  std::vector<float> velocity_;
};

// What a chunk of a batch needs, kept from step to step.
struct chunk {
  explicit chunk(const network& graph)
      : run(graph, images_per_chunk),
        norms(graph),
        pixels(images_per_chunk * pixels_per_image),
        labels(images_per_chunk),
        cotangent(images_per_chunk * classes),
        gradient(graph.weights()) {}

  void forward_and_backward(const trained_network& trained) {
    norms.gamma = trained.gamma;
    norms.beta = trained.beta;
    const std::span<const float> weights = trained.weights;
    const auto outputs = run.forward(std::span<const float>(pixels), weights, norms, [](std::size_t, auto) {});
    loss = cross_entropy(outputs, std::span<const std::uint8_t>(labels), std::span(cotangent));
    top1 = fashion_mnist::top1(outputs, labels);
    std::ranges::fill(gradient, 0.0f);
    run.backward(cotangent, weights, norms, gradient);
  }

  float_pass<float> run;
  batch_norm_between<float> norms;
  std::vector<float> pixels;
  std::vector<std::uint8_t> labels;
  std::vector<float> cotangent, gradient;
  double loss = 0, top1 = 0;
};

// The mean over the batch of what `part` finds in each chunk, added up in order: threads make no difference.
template <class Part>
std::vector<float> mean_of(const std::vector<chunk>& chunks, double count, Part part) {
  std::vector<double> sums(part(chunks.front()).size());
  for (const chunk& each : chunks) std::ranges::transform(sums, part(each), sums.begin(), std::plus{});
  std::vector<float> means(sums.size());
  std::ranges::transform(sums, means.begin(), [count](double sum) { return static_cast<float>(sum / count); });
  return means;
}

}  // namespace

trained_network train(const network& graph, const labelled_images& images, const training_options& options,
                      thread_pool& pool, const std::function<void(const training_progress&)>& report) {
  bitwright::require(options.epochs > 0, "train: epochs", options.epochs, "at least 1");
  bitwright::require(options.batch_size > 0 && options.batch_size % images_per_chunk == 0, "train: batch_size",
                     options.batch_size, "a multiple of ", images_per_chunk);
  bitwright::require(images.size() >= options.batch_size, "train: images", images.size(), "at least a batch, ",
                     options.batch_size);
  std::mt19937_64 random(options.seed);
  trained_network trained(graph);
  draw_weights(graph, random, trained);

  std::vector<chunk> chunks;
  for (std::size_t i = 0; i < options.batch_size / images_per_chunk; ++i) chunks.emplace_back(graph);
  descent weights(trained.weights.size()), gamma(trained.gamma.size()), beta(trained.beta.size());
  const std::size_t steps = images.size() / options.batch_size;
  std::vector<std::size_t> order(images.size());
  std::iota(order.begin(), order.end(), std::size_t{0});

  for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
    std::ranges::shuffle(order, random);
    const std::uint64_t epoch_seed = random();
    training_progress progress{.epoch = epoch + 1, .step = 0, .steps = steps, .loss = 0, .top1 = 0};
    double loss = 0, right = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      pool.parallel_for(chunks.size(), [&](std::size_t i) {
        chunk& here = chunks[i];
        for (std::size_t j = 0; j < images_per_chunk; ++j) {
          const std::size_t place = step * options.batch_size + i * images_per_chunk + j, image = order[place];
          std::mt19937_64 for_image(epoch_seed + place);
          augment(std::span(images.pixels).subspan(image * pixels_per_image, pixels_per_image), for_image,
                  std::span(here.pixels).subspan(j * pixels_per_image, pixels_per_image));
          here.labels[j] = images.labels[image];
        }
        here.forward_and_backward(trained);
      });

      const double done = static_cast<double>(epoch * steps + step) / static_cast<double>(options.epochs * steps);
      const double rate = options.rate * (1 + std::cos(std::numbers::pi * done)) / 2;
      const auto batch = static_cast<double>(options.batch_size), parts = static_cast<double>(chunks.size());
      weights.step(trained.weights, mean_of(chunks, batch, [](const chunk& c) { return std::span(c.gradient); }),
                   options, rate, options.weight_decay);
      gamma.step(trained.gamma,
                 mean_of(chunks, batch, [](const chunk& c) { return std::span(c.norms.gamma_gradient); }), options,
                 rate, 0);
      beta.step(trained.beta, mean_of(chunks, batch, [](const chunk& c) { return std::span(c.norms.beta_gradient); }),
                options, rate, 0);
      const auto follow = [](std::vector<float>& running, const std::vector<float>& now) {
        for (std::size_t c = 0; c < now.size(); ++c) running[c] += 0.1f * (now[c] - running[c]);
      };
      follow(trained.mean, mean_of(chunks, parts, [](const chunk& c) { return std::span(c.norms.mean); }));
      follow(trained.variance, mean_of(chunks, parts, [](const chunk& c) { return std::span(c.norms.variance); }));

      for (const chunk& each : chunks) {
        loss += each.loss / batch;
        right += each.top1 / parts;
      }
      progress.step = step + 1;
      progress.loss = loss / static_cast<double>(progress.step);
      progress.top1 = right / static_cast<double>(progress.step);
      report(progress);
    }
  }
  return trained;
}

}  // namespace fashion_mnist
