// SPDX-License-Identifier: MIT
/// \file
/// A trace estimate: a mean of independent samples, its standard error, and when there have been enough of them.
#pragma once

#include <bitwright/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitwright {

/// The mean of independent samples and what its standard error is, updated sample by sample (Welford 1962).
class sample_mean {
 public:
  void add(double sample) {
    const double before = sample - mean_;
    mean_ += before / static_cast<double>(++count_);
    squares_ += before * (sample - mean_);
  }

  std::size_t count() const { return count_; }
  double mean() const { return mean_; }

  /// Of the mean; infinite (unknown) for fewer than two samples.
  double standard_error() const {
    if (count_ < 2) return std::numeric_limits<double>::infinity();
    const double count = static_cast<double>(count_);
    return std::sqrt(squares_ / ((count - 1) * count));
  }

 private:
  std::size_t count_ = 0;
  double mean_ = 0, squares_ = 0;
};

/// The trace of one layer's block of the Hessian, in units of the loss / weight^2. Negative traces are reported as they
/// are.
struct trace_estimate {
  double trace = 0;
  /// Of the trace; infinite, that is unknown, after one probe.
  double standard_error = std::numeric_limits<double>::infinity();
  std::size_t weights = 1;  ///< How many weights the layer has: the size of the block.
  std::size_t probes = 0;   ///< How many samples the estimate is the mean of.
  bool heuristic = false;   ///< Whether the standard error is a rule of thumb rather than a sample's.

  double mean_trace() const { return trace / static_cast<double>(weights); }
  double mean_trace_standard_error() const { return standard_error / static_cast<double>(weights); }
};

/// What a progress callback is told after every product.
struct trace_progress {
  std::size_t probes;          ///< Done so far.
  std::size_t maximum_probes;  ///< At most so many will be done.
  std::size_t open_layers;     ///< Layers that have too few probes yet, or a standard error above the tolerance.
};

/// When an estimator stops, and from where its probes come.
struct trace_options {
  /// A layer is done when its standard error is at most max(relative_tolerance |trace|, absolute_tolerance).
  double relative_tolerance = 0.1;
  double absolute_tolerance = 0;  ///< In units of the trace.
  /// Unless it is set, as many as a probe's cost allows: hessian_probes or sketch_probes.
  std::optional<std::size_t> maximum_probes = std::nullopt;
  std::uint64_t seed = 0;
  /// Called after every product where it is set; false cancels, and the estimates so far are returned.
  std::function<bool(const trace_progress&)> progress = nullptr;
};

/// The maximum by default where a probe is a Hessian-vector product, two to four gradients.
inline constexpr std::size_t hessian_probes = 256;

/// The maximum by default where a probe is one sample's backward pass: as much work as hessian_probes products are, each
/// two gradients, on 16 samples. Samples differ so much that 10 % in every layer may take 1000.
inline constexpr std::size_t sketch_probes = 8192;

/// An estimator with fewer probes never stops by tolerance: a standard error from so few samples is itself mostly luck.
inline constexpr std::size_t least_probes = 8;

/// Why an estimator stopped.
enum class trace_stop {
  tolerance,  ///< Every layer's standard error is within the tolerance.
  maximum,    ///< Not every layer's is, but no more probes (or products) were allowed.
  cancelled   ///< The progress callback said so.
};

/// The traces of all layers and what they cost.
struct trace_report {
  std::vector<trace_estimate> layers;
  std::size_t products = 0;   ///< Calls of the Hessian-vector product.
  std::size_t gradients = 0;  ///< Calls of the gradient, where the product counts them as central_difference does.
  trace_stop stop = trace_stop::maximum;
  std::uint64_t seed = 0;
};

/// Whether an estimate is as good as `options` ask (trace_options or model_trace_options).
template <class Options>
bool within_tolerance(double estimate, double standard_error, const Options& options) {
  return standard_error <= std::max(options.relative_tolerance * std::abs(estimate), options.absolute_tolerance);
}

/// Throws invalid_argument, naming the calling `function`, unless the tolerances are finite and not negative.
template <class Options>
void check_tolerances(const std::string& function, const Options& options) {
  for (const auto& [name, tolerance] : {std::pair{": relative_tolerance", options.relative_tolerance},
                                        std::pair{": absolute_tolerance", options.absolute_tolerance}})
    require(tolerance >= 0 && std::isfinite(tolerance), function + name, tolerance, "a finite number of at least 0");
}

/// The options of the calling `function`, with a maximum in any case.
/// Throws invalid_argument, naming the function, for bad tolerances and where no probe is allowed.
inline trace_options checked_trace_options(const std::string& function, trace_options options,
                                           std::size_t default_maximum) {
  check_tolerances(function, options);
  options.maximum_probes = options.maximum_probes.value_or(default_maximum);
  require(*options.maximum_probes >= 1, function + ": maximum_probes", *options.maximum_probes, "at least 1");
  return options;
}

/// The number of weights of all layers. Throws invalid_argument where there is no layer or one without weights.
inline std::size_t count_weights(const std::string& function, std::span<const std::size_t> layer_sizes) {
  require(!layer_sizes.empty(), function + ": layer_sizes.size()", layer_sizes.size(), "at least 1");
  std::size_t weights = 0;
  for (std::size_t layer = 0; layer < layer_sizes.size(); ++layer) {
    const std::size_t size = layer_sizes[layer];
    require(size > 0 && size <= std::numeric_limits<std::ptrdiff_t>::max() - weights,
            function + ": layer_sizes[" + std::to_string(layer) + "]", size, "at least 1 and a sum that fits memory");
    weights += size;
  }
  return weights;
}

/// The samples of every layer's trace, and the decision whether they are enough.
class trace_samples {
 public:
  explicit trace_samples(std::span<const std::size_t> layer_sizes)
      : sizes_(layer_sizes.begin(), layer_sizes.end()), samples_(layer_sizes.size()) {}

  void add(std::size_t layer, double sample) { samples_[layer].add(sample); }

  /// Whether a layer has samples enough, and a standard error within the tolerance.
  bool complete(std::size_t layer, const trace_options& options) const {
    const sample_mean& samples = samples_[layer];
    return samples.count() >= least_probes && within_tolerance(samples.mean(), samples.standard_error(), options);
  }

  /// Tells the progress callback, then says why to stop, or nothing as long as there is reason to go on. The options
  /// have a maximum.
  std::optional<trace_stop> decide(std::size_t probes, const trace_options& options) const {
    std::size_t open = 0;
    for (std::size_t layer = 0; layer < sizes_.size(); ++layer) open += !complete(layer, options);
    const bool cancelled = options.progress && !options.progress({probes, *options.maximum_probes, open});
    if (open == 0) return trace_stop::tolerance;
    if (probes >= *options.maximum_probes) return trace_stop::maximum;
    if (cancelled) return trace_stop::cancelled;
    return std::nullopt;
  }

  std::vector<trace_estimate> estimates() const {
    std::vector<trace_estimate> layers;
    for (std::size_t layer = 0; layer < sizes_.size(); ++layer)
      layers.push_back({.trace = samples_[layer].mean(),
                        .standard_error = samples_[layer].standard_error(),
                        .weights = sizes_[layer],
                        .probes = samples_[layer].count()});
    return layers;
  }

 private:
  std::vector<std::size_t> sizes_;
  std::vector<sample_mean> samples_;
};

}  // namespace bitwright
