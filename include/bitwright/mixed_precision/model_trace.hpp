// SPDX-License-Identifier: MIT
/// \file
/// The trace of the whole model's Hessian, by the estimator that suits the products and the memory there are.
#pragma once

#include <bitwright/core/error.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/hutch_plus_plus.hpp>
#include <bitwright/mixed_precision/trace_estimate.hpp>
#include <bitwright/mixed_precision/xnystrace.hpp>
#include <bitwright/mixed_precision/xtrace.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace bitwright {

/// How a model's trace is estimated.
enum class trace_method {
  automatic,        ///< The first of those below, from `exact` on, that is allowed and fits the memory.
  exact,            ///< A product for each weight: for a few dozen weights.
  xnystrace,        ///< For a semidefinite Hessian; a vector in memory for each product.
  xtrace,           ///< A vector for each two products.
  hutch_plus_plus,  ///< As many vectors as there are, up to one for each three products.
  hutchinson        ///< Two vectors.
};

/// What a progress callback is told after every step.
struct model_trace_progress {
  std::size_t products;          ///< Done so far.
  std::size_t maximum_products;  ///< At most so many will be done.
  trace_estimate estimate;       ///< As far as it is known.
};

/// When the estimator stops and what it may use.
struct model_trace_options {
  double relative_tolerance = 0.01;
  double absolute_tolerance = 0;
  std::size_t maximum_products = 96;
  /// Bytes for vectors of the weights' size, of which every method takes at least two.
  std::size_t memory_limit = std::numeric_limits<std::size_t>::max();
  bool semidefinite = false;  ///< The caller knows that no eigenvalue is negative, as for a Gauss-Newton matrix.
  trace_method method = trace_method::automatic;
  std::uint64_t seed = 0;
  /// Called after every step where it is set; false cancels, and the estimate so far is returned.
  std::function<bool(const model_trace_progress&)> progress = nullptr;
};

/// The trace of the model and what it cost.
struct model_trace_report {
  trace_estimate estimate;
  trace_method method = trace_method::automatic;  ///< The one that was chosen.
  std::size_t products = 0;
  std::size_t gradients = 0;  ///< Where the product counts them.
  trace_stop stop = trace_stop::maximum;
  std::uint64_t seed = 0;
};

/// A product for each weight: the trace without any chance in it, once all are done.
template <weight_scalar Scalar>
class exact_trace {
 public:
  explicit exact_trace(std::size_t weights) : direction_(weights), image_(weights) {}

  /// How many products the next step costs at most.
  std::size_t next_cost() const { return 1; }

  /// Returns how many products it has cost. There are as many steps as weights.
  template <hessian_vector_product<Scalar> Product>
  std::size_t step(Product& product) {
    const std::size_t weights = direction_.size();
    direction_[done_] = 1;
    multiply_probe<Scalar>(product, direction_, image_, std::span(&weights, 1), done_);
    direction_[done_] = 0;
    trace_ += static_cast<double>(image_[done_++]);
    return 1;
  }

  trace_estimate estimate() const {
    const bool complete = done_ == direction_.size();
    return {.trace = trace_,
            .standard_error = complete ? 0 : std::numeric_limits<double>::infinity(),
            .weights = direction_.size(),
            .probes = done_};
  }

 private:
  std::vector<Scalar> direction_, image_;
  std::size_t done_ = 0;
  double trace_ = 0;
};

/// The method that `automatic` stands for, for `weights` weights of `scalar_size` bytes.
inline trace_method choose_trace_method(std::size_t weights, std::size_t scalar_size,
                                        const model_trace_options& options) {
  const std::size_t vectors = options.memory_limit / scalar_size / weights;
  if (weights <= std::min<std::size_t>(options.maximum_products, 32)) return trace_method::exact;
  if (options.semidefinite && vectors > options.maximum_products) return trace_method::xnystrace;
  if (vectors >= options.maximum_products / 2 + 2) return trace_method::xtrace;
  return vectors > 2 && options.maximum_products >= 3 ? trace_method::hutch_plus_plus : trace_method::hutchinson;
}

/// Steps until the tolerance is met by at least `least_probes` probes (there are no more than weights, where those are
/// fewer), or another step would be too much.
template <weight_scalar Scalar, class Estimator, hessian_vector_product<Scalar> Product>
model_trace_report run_trace_estimator(Estimator estimator, Product& product, const model_trace_options& options,
                                       std::size_t maximum_steps = std::numeric_limits<std::size_t>::max()) {
  model_trace_report report{.estimate = {}, .seed = options.seed};
  for (std::size_t step = 0; step < maximum_steps; ++step) {
    if (report.products + estimator.next_cost() > options.maximum_products) break;
    report.products += estimator.step(product);
    report.estimate = estimator.estimate();
    const bool go_on =
        !options.progress || options.progress({report.products, options.maximum_products, report.estimate});
    if (report.estimate.probes >= std::min(least_probes, report.estimate.weights) &&
        within_tolerance(report.estimate.trace, report.estimate.standard_error, options)) {
      report.stop = trace_stop::tolerance;
      break;
    }
    if (!go_on) {
      report.stop = trace_stop::cancelled;
      break;
    }
  }
  return report;
}

/// Estimates the trace of the Hessian of all `weights` weights together. The standard errors of XTrace and XNysTrace
/// are a rule of thumb, and the estimate says so.
/// Throws invalid_argument for bad options, for a method whose cost exceeds the products allowed, and for a product
/// with NaN or infinity, naming the probe.
template <weight_scalar Scalar, hessian_vector_product<Scalar> Product>
model_trace_report model_trace(Product&& product, std::size_t weights, const model_trace_options& options = {}) {
  check_tolerances("model_trace", options);
  require(weights > 0, "model_trace: weights", weights, "at least 1");
  require(options.maximum_products > 0, "model_trace: maximum_products", options.maximum_products, "at least 1");
  const trace_method method = options.method == trace_method::automatic
                                  ? choose_trace_method(weights, sizeof(Scalar), options)
                                  : options.method;
  const auto at_least = [&](std::size_t products) {
    require(options.maximum_products >= products, "model_trace: maximum_products", options.maximum_products,
            "as many as the method needs, ", products);
  };
  const std::size_t gradients_before = gradients_of(product);
  const auto run = [&]() -> model_trace_report {
    switch (method) {
      case trace_method::exact:
        at_least(weights);
        return run_trace_estimator<Scalar>(exact_trace<Scalar>(weights), product, options);
      case trace_method::xnystrace:
        // Probes of few weights repeat each other before long, and the matrix of their products is singular then.
        return run_trace_estimator<Scalar>(xnystrace<Scalar>(weights, options.seed), product, options,
                                           std::max<std::size_t>(weights / 2, 1));
      case trace_method::xtrace:
        at_least(2);
        return run_trace_estimator<Scalar>(xtrace<Scalar>(weights, options.seed), product, options);
      case trace_method::hutch_plus_plus: {
        at_least(3);
        const std::size_t vectors = std::max<std::size_t>(options.memory_limit / sizeof(Scalar) / weights, 3) - 2;
        return run_trace_estimator<Scalar>(
            hutch_plus_plus<Scalar>(weights, options.seed, std::min(vectors, options.maximum_products / 3)), product,
            options);
      }
      default:
        return run_trace_estimator<Scalar>(hutch_plus_plus<Scalar>(weights, options.seed, 0), product, options);
    }
  };
  model_trace_report report = run();
  report.method = method;
  report.gradients = gradients_of(product) - gradients_before;
  return report;
}

}  // namespace bitwright
