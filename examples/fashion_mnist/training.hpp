// SPDX-License-Identifier: MIT
/// \file
/// Training by stochastic gradient descent with momentum, its rate falling along half a cosine.
#pragma once

#include "../thread_pool.hpp"
#include "dataset.hpp"
#include "network.hpp"
#include "trained_network.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace fashion_mnist {

struct training_options {
  std::size_t epochs = 14;
  std::uint64_t seed = 1;
  double rate = 0.1;           ///< Of the first step; that of the last is about 0.
  double momentum = 0.9;       ///< Nesterov's.
  double weight_decay = 1e-4;  ///< Of weights; not of batch norms and biases.
  std::size_t batch_size = 128;
};

/// Means over the epoch so far, in which the network changes from step to step.
struct training_progress {
  std::size_t epoch, step, steps;  ///< Each counted from 1.
  double loss;
  double top1;
};

/// Trains `graph` on `images`, each flipped and shifted by up to two pixels at random anew in every epoch.
/// Given the seed, the result has the same bits on the same machine, whatever the number of threads.
/// Throws bitwright::invalid_argument for fewer images than a batch, and for 0 epochs.
trained_network train(const network& graph, const labelled_images& images, const training_options& options,
                      thread_pool& pool, const std::function<void(const training_progress&)>& report);

}  // namespace fashion_mnist
