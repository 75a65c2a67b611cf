// SPDX-License-Identifier: MIT
// Which sensitivity metric earns its cost? On the examples' network: how each metric ranks the layers, what it costs,
// and how many test images the integer-only network gets right with the plan that each leads to, at equal size.
#include "fashion_mnist/dataset.hpp"
#include "fashion_mnist/folded_network.hpp"
#include "fashion_mnist/integer_network.hpp"
#include "fashion_mnist/network.hpp"
#include "fashion_mnist/plan.hpp"
#include "fashion_mnist/quantization.hpp"
#include "fashion_mnist/trained_network.hpp"
#include "thread_pool.hpp"
#include "write_whole.hpp"
#include <bitwright/calibration/min_max.hpp>
#include <bitwright/mixed_precision/gauss_newton_trace.hpp>
#include <bitwright/mixed_precision/grouped_hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/layer_block.hpp>
#include <bitwright/mixed_precision/output_cotangent.hpp>
#include <bitwright/mixed_precision/output_divergence_metric.hpp>
#include <bitwright/mixed_precision/quadratic_form_metric.hpp>
#include <bitwright/mixed_precision/sensitivity_metric.hpp>
#include <bitwright/mixed_precision/sensitivity_table.hpp>
#include <bitwright/mixed_precision/top_eigenvalues.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace fashion_mnist;
using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

/// Of all threads: what other programs do meanwhile does not count.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct options {
  std::filesystem::path report = "sensitivity-metrics";
  std::size_t test_images = 10000, threads = 2;
};

/// The images that sensitivities are measured with, and the network. The Hessian is that of the first few images: each
/// of its products takes two gradients of them all, in double.
struct setting {
  static constexpr std::size_t calibration_images = 512, hessian_images = 128;

  setting(const dataset& data, thread_pool& threads) : pool(threads) {
    const std::size_t images = std::min(calibration_images, data.train.size());
    pixels = to_values(std::span(data.train.pixels).first(images * pixels_per_image));
    exact_weights.assign(net.weights.begin(), net.weights.end());
    exact_biases.assign(net.biases.begin(), net.biases.end());
    exact_pixels.assign(pixels.begin(), pixels.begin() + hessian_images * pixels_per_image);
    labels.assign(data.train.labels.begin(), data.train.labels.begin() + hessian_images);
  }

  thread_pool& pool;
  const network& graph = residual_network();
  const std::vector<node> layers = layers_of(graph);
  const std::vector<std::size_t> sizes = graph.layer_sizes();
  const folded_network net =
      fold(load(graph, std::filesystem::path(BITWRIGHT_EXAMPLES_DIR) / "fashion_mnist" / "network.weights"), graph);
  std::vector<float> pixels;
  std::vector<double> exact_weights, exact_biases, exact_pixels;
  std::vector<std::uint8_t> labels;

  /// The loss's gradient over hessian_images.
  auto gradient() {
    return [this](std::span<const double> at, std::span<double> result) {
      loss_gradient<double>(graph, at, exact_biases, exact_pixels, labels, pool, result);
    };
  }
  /// A step so short that hardly a ReLU changes sides within it.
  auto hessian() { return bitwright::central_difference(exact_weights, gradient(), 1e-5); }

  bitwright::sensitivity_table table(bitwright::sensitivity_metric auto&& metric) const {
    return bitwright::make_sensitivity_table(metric, sizes, candidate_bits, net.weights,
                                             [this](std::size_t layer, int bits, std::span<const float> weights) {
                                               return fit_weights(layers[layer], weights, bits);
                                             });
  }

  /// The float network's outputs for some pixels, with other weights in one layer.
  std::vector<float> outputs(std::span<const float> images, std::size_t layer, std::span<const float> weights) const {
    folded_network changed = net;
    std::ranges::copy(weights, layers[layer].weights_in(std::span(changed.weights)).begin());
    return forward(changed, images, pool);
  }
};

/// A metric's table and what it took: passes of one image forward, and forward and back; seconds of processor time.
struct measurement {
  std::string name;
  bitwright::sensitivity_table table;
  std::size_t forward_passes = 0, gradients = 0;
  double seconds = 0;
  std::string remark = {};
};

/// "largest relative standard error 9.8 %, median 4.1 %"
std::string standard_errors(const std::vector<bitwright::trace_estimate>& layers) {
  std::vector<double> errors;
  for (const bitwright::trace_estimate& layer : layers)
    errors.push_back(100 * layer.standard_error / std::abs(layer.trace));
  std::ranges::sort(errors);
  char text[96];
  std::snprintf(text, sizeof text, "standard errors: median %.1f %%, largest %.1f %%", errors[errors.size() / 2],
                errors.back());
  return text;
}

/// The sketch to a standard error of 10 % in every layer; `in_backward` gets the seconds of the backward passes, summed
/// over threads.
bitwright::trace_report sketch(const setting& on, thread_pool& pool, double& in_backward) {
  std::atomic<std::int64_t> nanoseconds = 0;
  const auto backward_pass = [&](std::size_t image, const bitwright::cotangent_source<float>& cotangent_of,
                                 std::span<float> gradient) {
    const auto start = clock::now();
    const auto one = std::span(on.pixels).subspan(image * pixels_per_image, pixels_per_image);
    backward<float>(on.graph, on.net.weights, on.net.biases, one, cotangent_of, gradient);
    nanoseconds += std::chrono::nanoseconds(clock::now() - start).count();
  };
  const auto report = bitwright::gauss_newton_traces<float>(backward_pass, on.pixels.size() / pixels_per_image,
                                                            bitwright::cross_entropy_cotangent{}, on.sizes,
                                                            {.relative_tolerance = 0.1}, pool);
  in_backward = static_cast<double>(nanoseconds) * 1e-9;
  return report;
}

measurement by_sketch(setting& on) {
  double in_backward;
  const double start = processor_seconds();
  const bitwright::trace_report report = sketch(on, on.pool, in_backward);
  return {.name = "Gauss-Newton trace",
          .table = on.table(bitwright::mean_trace_metric{report.layers}),
          .gradients = report.products,
          .seconds = processor_seconds() - start,
          .remark = standard_errors(report.layers)};
}

measurement by_hessian_trace(setting& on) {
  const double start = processor_seconds();
  auto product = on.hessian();
  const auto [report, groups] =
      bitwright::grouped_hessian_traces<double>(product, on.sizes, {.relative_tolerance = 0.1, .maximum_probes = 64});
  return {.name = "Hessian trace",
          .table = on.table(bitwright::mean_trace_metric{report.layers}),
          .gradients = report.gradients * setting::hessian_images,
          .seconds = processor_seconds() - start,
          .remark = standard_errors(report.layers) + "; " + std::to_string(groups.size()) + " groups"};
}

measurement by_top_eigenvalue(setting& on) {
  const double start = processor_seconds();
  auto product = on.hessian();
  std::vector<bitwright::eigenvalue_estimate> layers;
  std::size_t converged = 0;
  for (std::size_t layer = 0; layer < on.sizes.size(); ++layer) {
    bitwright::layer_block<double, decltype(product)> block(product, on.sizes, layer);
    const bitwright::eigenvalue_report report =
        bitwright::top_eigenvalues<double>(block, block.size(), {.relative_tolerance = 0.1, .maximum_products = 24});
    converged += report.stop == bitwright::eigenvalue_stop::converged;
    layers.push_back(report.values.front());
  }
  return {.name = "top eigenvalue",
          .table = on.table(bitwright::top_eigenvalue_metric{layers}),
          .gradients = product.gradients() * setting::hessian_images,
          .seconds = processor_seconds() - start,
          .remark = std::to_string(converged) + " of " + std::to_string(layers.size()) + " within 10 %"};
}

measurement by_distortion(setting& on) {
  const double start = processor_seconds();
  return {
      .name = "distortion", .table = on.table(bitwright::distortion_metric{}), .seconds = processor_seconds() - start};
}

measurement by_output_divergence(setting& on) {
  const double start = processor_seconds();
  std::size_t passes = on.pixels.size() / pixels_per_image;
  const auto outputs_with = [&](std::size_t layer, std::span<const float> weights, std::span<float> outputs) {
    std::ranges::copy(on.outputs(on.pixels, layer, weights), outputs.begin());
    passes += on.pixels.size() / pixels_per_image;
  };
  bitwright::output_divergence_metric metric(forward(on.net, on.pixels, on.pool), classes, outputs_with);
  measurement result{.name = "output divergence", .table = on.table(metric)};
  result.forward_passes = passes;
  result.seconds = processor_seconds() - start;
  return result;
}

measurement by_quadratic_form(setting& on) {
  const double start = processor_seconds();
  auto product = on.hessian();
  bitwright::quadratic_form_metric<double, decltype(product)> metric(product, on.sizes);
  measurement result{.name = "quadratic form", .table = on.table(metric)};
  std::size_t negative = 0;
  for (const auto& row : result.table)
    for (const bitwright::sensitivity_cell& cell : row) negative += cell.estimate.at_noise_floor;
  result.gradients = product.gradients() * setting::hessian_images;
  result.seconds = processor_seconds() - start;
  result.remark = std::to_string(negative) + " cells of negative curvature";
  return result;
}

/// What the metrics stand for, from images that none of them has seen: how much the loss over test images grows when one
/// layer alone is quantized. Nobody who makes a plan has this.
measurement by_test_loss(setting& on, const labelled_images& test) {
  const double start = processor_seconds();
  const std::size_t count = std::min<std::size_t>(2000, test.size());
  const std::vector<float> images = to_values(std::span(test.pixels).first(count * pixels_per_image));
  std::vector<float> unused(count * classes);
  const auto loss = [&](std::span<const float> outputs) {
    return cross_entropy<float>(outputs, std::span(test.labels).first(count), unused) / static_cast<double>(count);
  };
  const double before = loss(forward(on.net, images, on.pool));
  const auto metric = [&](std::size_t layer, std::span<const float>, std::span<const float> quantized) {
    return bitwright::sensitivity{.omega = std::max(loss(on.outputs(images, layer, quantized)) - before, 0.0)};
  };
  measurement result{.name = "(test loss)", .table = on.table(metric)};
  result.forward_passes = count * (1 + on.sizes.size() * candidate_bits.size());
  result.seconds = processor_seconds() - start;
  return result;
}

/// 1 for the layer that a metric fears most, at one bit width.
std::vector<std::size_t> ranks(const measurement& measured, std::size_t choice) {
  std::vector<std::size_t> result(measured.table.size(), 1);
  for (std::size_t i = 0; i < result.size(); ++i)
    for (std::size_t j = 0; j < result.size(); ++j)
      result[i] += measured.table[j][choice].estimate.omega > measured.table[i][choice].estimate.omega;
  return result;
}

/// Spearman's rank correlation of two metrics over all cells of their tables.
double rank_correlation(const measurement& a, const measurement& b) {
  const auto places = [](const measurement& measured) {
    std::vector<double> values, result;
    for (const auto& row : measured.table)
      for (const bitwright::sensitivity_cell& cell : row) values.push_back(cell.estimate.omega);
    for (const double value : values)
      result.push_back(static_cast<double>(std::ranges::count_if(values, [&](double v) { return v < value; })) +
                       static_cast<double>(std::ranges::count(values, value)) / 2);
    return result;
  };
  const std::vector<double> x = places(a), y = places(b);
  const double mean = static_cast<double>(x.size()) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xy / std::sqrt(xx * yy);
}

/// Runs plans on the test images; a plan that two metrics lead to runs once.
class judge {
 public:
  judge(const setting& on, const labelled_images& test) : on_(on), test_(test) {
    std::vector<bitwright::min_max> observers(on.graph.nodes().size());
    std::mutex merging;
    forward(on.net, on.pixels, on.pool, [&](std::size_t node, std::span<float> values) {
      bitwright::min_max seen;
      seen.observe(values);
      const std::lock_guard lock(merging);
      observers[node].merge(seen);
    });
    for (const bitwright::min_max& observer : observers) ranges_.push_back(observer.values());
  }

  /// Top-1 of the integer-only network, in percent.
  double operator()(const std::vector<int>& bits) {
    const auto [known, is_new] = top1_.try_emplace(bits);
    if (is_new) {
      const integer_network integer(on_.net, quantization(on_.graph, on_.net.weights, bits, ranges_));
      const wide_codes scores = integer.run(test_.pixels, on_.pool);
      known->second = 100 * top1(std::vector<float>(scores.begin(), scores.end()), test_.labels);
    }
    return known->second;
  }

 private:
  const setting& on_;
  const labelled_images& test_;
  std::vector<bitwright::range> ranges_;
  std::map<std::vector<int>, double> top1_;
};

/// The plan of least Omega by a metric that takes no more than `size_bytes`.
plan allocate_by(const setting& on, const measurement& measured, std::int64_t size_bytes) {
  bitwright::allocation_problem problem;
  problem.budgets = {{.name = "size"}, {.name = "bit operations"}};
  problem.layers = bitwright::allocation_layers(measured.table, activation_bits);
  for (std::size_t i = 0; i < on.layers.size(); ++i)
    for (bitwright::candidate& choice : problem.layers[i].candidates) {
      const layer_cost cost = cost_of(on.layers[i], choice.weight_bits);
      choice.costs = {cost.size_bytes, cost.bops};
    }
  const std::int64_t every_operation = cost_of(on.graph, uniform_plan(on.graph, candidate_bits.back()).bits).bops;
  return allocate_plan(problem, measured.name, {size_bytes, every_operation});
}

/// A size to compare at, as that of a uniform plan of so many bits.
struct size_limit {
  double bits;
  std::int64_t bytes;
};

std::vector<size_limit> size_limits(const network& graph) {
  const auto bytes = [&](int bits) { return cost_of(graph, uniform_plan(graph, bits).bits).size_bytes; };
  return {
      {2.5, (bytes(2) + bytes(3)) / 2}, {3, bytes(3)}, {3.5, (bytes(3) + bytes(4)) / 2}, {4, bytes(4)}, {5, bytes(5)}};
}

void print_costs(const std::vector<measurement>& measurements) {
  std::printf("\n%-20s %14s %12s %9s  %12s\n", "metric", "gradients", "forward", "seconds", "correlation");
  for (const measurement& each : measurements)
    std::printf("%-20s %14zu %12zu %9.2f  %12.2f  %s\n", each.name.c_str(), each.gradients, each.forward_passes,
                each.seconds, rank_correlation(each, measurements.back()), each.remark.c_str());
  std::printf(
      "Gradients and forward passes are of one image; seconds are processor time. Correlation: of ranks, with the loss "
      "of the test images.\n");
}

/// Every metric's Omegas and ranks, one layer a line; returns them as CSV.
std::string report_ranking(const setting& on, const std::vector<measurement>& measurements) {
  std::ostringstream csv;
  csv << "metric,layer,bits,omega,standard_error,rank\n";
  for (std::size_t choice = 0; choice < candidate_bits.size(); ++choice) {
    std::printf("\nOmega at %d bits, and its rank among the layers\n%-18s", candidate_bits[choice], "layer");
    for (const measurement& each : measurements) std::printf(" %18s", each.name.c_str());
    for (std::size_t layer = 0; layer < on.layers.size(); ++layer) {
      std::printf("\n%-18s", on.layers[layer].name.c_str());
      for (const measurement& each : measurements) {
        const bitwright::sensitivity& cell = each.table[layer][choice].estimate;
        const std::size_t rank = ranks(each, choice)[layer];
        std::printf("    %10.2e (%2zu)", cell.omega, rank);
        csv << each.name << ',' << on.layers[layer].name << ',' << candidate_bits[choice] << ',' << cell.omega << ','
            << cell.standard_error << ',' << rank << '\n';
      }
    }
    std::printf("\n");
  }
  return csv.str();
}

/// Top-1 by size, a curve for each metric and one for uniform plans.
struct curve {
  std::string name;
  std::vector<double> kilobytes, top1;
};

bool draw(const std::vector<curve>& curves, const std::filesystem::path& report) {
  std::ostringstream script;
  script << "set terminal pngcairo size 1280,640 font 'sans,11'\nset output 'sensitivity_metrics.png'\n"
         << "set multiplot layout 1,2 title 'Integer-only top-1 of the plan that each metric leads to'\n"
         << "set xlabel 'weights, scales and biases (kB)'\nset ylabel 'top-1 (%)'\nset key bottom right\nset grid\n";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    script << "$curve" << i << " << END\n";
    for (std::size_t j = 0; j < curves[i].top1.size(); ++j)
      script << curves[i].kilobytes[j] << ' ' << curves[i].top1[j] << '\n';
    script << "END\n";
  }
  // All of it, and once more what is close together.
  for (const char* range : {"[*:*] [*:*]", "[12.9:*] [86:93]"}) {
    for (std::size_t i = 0; i < curves.size(); ++i)
      script << (i == 0 ? std::string("plot ") + range : ", \\\n    ") << " $curve" << i
             << " with linespoints pointtype " << i + 4
             << (curves[i].name == "uniform" || curves[i].name.front() == '(' ? " dashtype 2 linecolor 'gray40'" : "")
             << " title '" << curves[i].name << '\'';
    script << '\n';
  }
  write_whole(report / "sensitivity_metrics.gnuplot", script.str());
  return std::system(("cd \"" + report.string() + "\" && gnuplot sensitivity_metrics.gnuplot").c_str()) == 0;
}

void print_curve(const curve& line) {
  std::printf("%-20s", line.name.c_str());
  for (const double top1 : line.top1) std::printf(" %8.2f", top1);
  std::printf("\n");
  std::fflush(stdout);
}

/// The sketch alone: what it costs on one thread and on more, and how much of that is the library's own work.
void report_sketch(const setting& on, std::size_t most_threads) {
  for (std::size_t threads = 1; threads <= most_threads; ++threads) {
    thread_pool pool(threads);
    double in_backward;
    const auto start = clock::now();
    const bitwright::trace_report report = sketch(on, pool, in_backward);
    const double seconds = seconds_since(start);
    std::printf("Gauss-Newton sketch to 10 %% on %zu threads: %zu backward passes of one image, %.2f seconds; %s",
                threads, report.products, seconds, standard_errors(report.layers).c_str());
    if (threads == 1) std::printf("; the library's own share %.1f %%", 100 * (1 - in_backward / seconds));
    std::printf("\n");
  }
}

void compare(const options& chosen) {
  thread_pool pool(chosen.threads);
  dataset data = load_dataset();
  const std::size_t images = std::min(chosen.test_images, data.test.size());
  data.test.pixels.resize(images * pixels_per_image);
  data.test.labels.resize(images);
  setting on(data, pool);
  std::printf("%zu test images from %s; %zu layers, %zu weights; %zu threads.\n", images, data.directory.c_str(),
              on.sizes.size(), on.graph.weights(), chosen.threads);
  report_sketch(on, chosen.threads);

  std::vector<measurement> measurements;
  for (const auto measure :
       {by_sketch, by_hessian_trace, by_top_eigenvalue, by_distortion, by_output_divergence, by_quadratic_form})
    measurements.push_back(measure(on));
  measurements.push_back(by_test_loss(on, data.test));
  print_costs(measurements);
  write_whole(chosen.report / "ranking.csv", report_ranking(on, measurements));

  const std::vector<size_limit> limits = size_limits(on.graph);
  std::printf("\nInteger-only top-1 (%%) of each metric's plan, at the size of so many bits\n%-20s", "");
  for (const size_limit& limit : limits) std::printf(" %8g", limit.bits);
  std::printf("\n");
  judge top1_of(on, data.test);
  std::ostringstream csv, plans;
  csv << "metric,bits_of_size,size_limit_bytes,size_bytes,top1_percent,plan\n";
  std::vector<curve> curves;
  for (const measurement& each : measurements) {
    curves.push_back({each.name, {}, {}});
    for (const size_limit& limit : limits) {
      const std::vector<int> bits = allocate_by(on, each, limit.bytes).bits;
      const std::int64_t size = cost_of(on.graph, bits).size_bytes;
      curves.back().kilobytes.push_back(static_cast<double>(limit.bytes) / 1000);
      curves.back().top1.push_back(top1_of(bits));
      csv << each.name << ',' << limit.bits << ',' << limit.bytes << ',' << size << ',' << curves.back().top1.back()
          << ',';
      for (const int width : bits) csv << ' ' << width;
      csv << '\n';
    }
    print_curve(curves.back());
  }
  curves.push_back({"uniform", {}, {}});
  for (const int bits : {3, 4, 5}) {
    const plan uniform = uniform_plan(on.graph, bits);
    curves.back().kilobytes.push_back(static_cast<double>(cost_of(on.graph, uniform.bits).size_bytes) / 1000);
    curves.back().top1.push_back(top1_of(uniform.bits));
  }
  std::printf("(uniform 3, 4, 5 bits)\n");
  print_curve(curves.back());
  std::printf("float: %.2f\n", 100 * top1(forward(on.net, to_values(data.test.pixels), pool), data.test.labels));

  write_whole(chosen.report / "top1.csv", csv.str());
  const bool drawn = draw(curves, chosen.report);
  std::printf("\nIn %s: ranking.csv, top1.csv%s\n", std::filesystem::absolute(chosen.report).c_str(),
              drawn ? ", sensitivity_metrics.png" : "; no plot, because gnuplot did not run");
}

}  // namespace

int main(int argument_count, char** arguments) {
  options chosen;
  CLI::App app("Compares sensitivity metrics on the examples' network.");
  app.add_option("--report", chosen.report, "folder to write the report into")->capture_default_str();
  app.add_option("--test-images", chosen.test_images, "test images that decide")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--threads", chosen.threads, "threads to use")->check(CLI::Range(1, 1024))->capture_default_str();
  CLI11_PARSE(app, argument_count, arguments);
  try {
    compare(chosen);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sensitivity_metrics: %s\n", error.what());
    return 1;
  }
}
