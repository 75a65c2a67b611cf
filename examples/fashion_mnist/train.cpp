// SPDX-License-Identifier: MIT
// Trains the network of the examples anew. The weights that come with them are what this program writes by default.
#include "../thread_pool.hpp"
#include "dataset.hpp"
#include "folded_network.hpp"
#include "network.hpp"
#include "trained_network.hpp"
#include "training.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>

namespace {

using namespace fashion_mnist;

struct options {
  std::string data = default_directory().string(), output = "network.weights", sample;
  std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
  training_options training;
};

void train_and_save(const options& chosen) {
  const network& graph = residual_network();
  const dataset data = load_dataset(chosen.data);
  std::printf("%zu images to train on, %zu to test with, from %s\n%zu weights, %zu multiply-accumulates an image\n",
              data.train.size(), data.test.size(), data.directory.c_str(), graph.weights(),
              graph.multiply_accumulates());

  thread_pool pool(chosen.threads);
  const auto start = std::chrono::steady_clock::now();
  const auto show = [&](const training_progress& now) {
    if (now.step % 20 != 0 && now.step != now.steps) return;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("\repoch %zu of %zu, step %zu of %zu: loss %.4f, top-1 %.2f %%, %.0f s", now.epoch,
                chosen.training.epochs, now.step, now.steps, now.loss, 100 * now.top1, elapsed.count());
    if (now.step == now.steps) std::puts("");
    std::fflush(stdout);
  };
  const trained_network trained = train(graph, data.train, chosen.training, pool, show);
  save(trained, graph, chosen.output);

  const std::vector<float> outputs = forward(fold(trained, graph), to_values(data.test.pixels), pool);
  std::printf("%.2f %% of the test images right; weights in %s\n", 100 * top1(outputs, data.test.labels),
              chosen.output.c_str());
}

}  // namespace

int main(int argc, char** argv) try {
  options chosen;
  CLI::App program("Trains the network of bitwright's examples on Fashion-MNIST.");
  program.option_defaults()->always_capture_default();
  program.add_option("--data", chosen.data, "Folder of the data set's four files");
  program.add_option("--epochs", chosen.training.epochs, "How often each image is seen");
  program.add_option("--seed", chosen.training.seed, "Decides the result, to the bit, on one machine");
  program.add_option("--threads", chosen.threads, "Makes no difference to the result");
  program.add_option("--output", chosen.output, "The file to write");
  program.add_option("--write-sample", chosen.sample, "Train nothing: write the data set's beginning to this folder");
  CLI11_PARSE(program, argc, argv);

  if (chosen.sample.empty())
    train_and_save(chosen);
  else
    write_sample(load_dataset(chosen.data), 512, 2000, chosen.sample);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
