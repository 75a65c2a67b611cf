// SPDX-License-Identifier: MIT
#include "fashion_mnist/training.hpp"

#include "refusal.hpp"

#include <gtest/gtest.h>

namespace fashion_mnist {
namespace {

network small_network() {
  network net(28, 1);
  const std::size_t first = net.convolution("first", 0, 8, {.kernel = 5, .stride = 3});
  const std::size_t second =
      net.convolution("pointwise", net.depthwise("depthwise", first, {.kernel = 3}), 16, {.stride = 2});
  net.linear("classes", net.global_average_pooling("pooling", second), 10);
  return net;
}

TEST(training, depends_on_the_seed_and_not_on_the_threads) {
  const labelled_images images = load_dataset(sample_directory()).train;
  const auto trained_with = [&images](std::uint64_t seed, std::size_t threads) {
    thread_pool pool(threads);
    return train(small_network(), images, {.epochs = 1, .seed = seed}, pool, [](const training_progress&) {});
  };
  const trained_network one = trained_with(1, 1), same = trained_with(1, 3);
  EXPECT_EQ(one.weights, same.weights);
  EXPECT_EQ(one.beta, same.beta);
  EXPECT_EQ(one.variance, same.variance);
  EXPECT_NE(one.weights, trained_with(2, 1).weights);
}

TEST(training, learns_the_images_it_sees) {
  const labelled_images images = load_dataset(sample_directory()).train;
  thread_pool pool;
  training_progress last{};
  train(small_network(), images, {.epochs = 20}, pool, [&last](const training_progress& now) { last = now; });
  EXPECT_EQ(last.epoch, 20u);
  EXPECT_EQ(last.step, 4u);   // 512 images, 128 at a time.
  EXPECT_GT(last.top1, 0.3);  // A guess is right one time in ten.
}

TEST(training, refuses_what_makes_no_step) {
  const labelled_images images = load_dataset(sample_directory()).train;
  const auto refusal_of = [&images](const training_options& options) {
    thread_pool pool(1);
    return bitwright::reference::refusal(
        [&] { train(small_network(), images, options, pool, [](const training_progress&) {}); });
  };
  EXPECT_EQ(refusal_of({.epochs = 0}), "train: epochs is 0, expected at least 1");
  EXPECT_EQ(refusal_of({.batch_size = 33}), "train: batch_size is 33, expected a multiple of 32");
  EXPECT_EQ(refusal_of({.batch_size = 1024}), "train: images is 512, expected at least a batch, 1024");
}

}  // namespace
}  // namespace fashion_mnist
