// SPDX-License-Identifier: MIT
// The whole chain on a real network: fold, calibrate, measure sensitivities, allocate bits, quantize, pack, and run the
// integer-only network on real images. Prints what each plan costs and keeps, and writes it into a report.
#include "fashion_mnist/corrected_biases.hpp"
#include "fashion_mnist/dataset.hpp"
#include "fashion_mnist/folded_network.hpp"
#include "fashion_mnist/integer_network.hpp"
#include "fashion_mnist/integer_weights.hpp"
#include "fashion_mnist/network.hpp"
#include "fashion_mnist/plan.hpp"
#include "fashion_mnist/quantization.hpp"
#include "fashion_mnist/report.hpp"
#include "fashion_mnist/schemes.hpp"
#include "fashion_mnist/simulated_network.hpp"
#include "fashion_mnist/speed.hpp"
#include "fashion_mnist/trained_network.hpp"
#include "thread_pool.hpp"
#include <bitwright/calibration/min_max.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/mixed_precision/allocation.hpp>
#include <bitwright/mixed_precision/allocation_problem.hpp>
#include <bitwright/mixed_precision/allocation_robustness.hpp>
#include <bitwright/mixed_precision/gauss_newton_trace.hpp>
#include <bitwright/mixed_precision/hessian_trace.hpp>
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/latency.hpp>
#include <bitwright/mixed_precision/output_cotangent.hpp>
#include <bitwright/mixed_precision/pareto.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace fashion_mnist;

struct options {
  std::filesystem::path data = default_directory();
  std::filesystem::path weights = std::filesystem::path(BITWRIGHT_EXAMPLES_DIR) / "fashion_mnist" / "network.weights";
  std::filesystem::path report = "demo-report";
  std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
  std::size_t calibration_images = 512;
  std::size_t probes = 16;
  std::vector<std::string> schemes = scheme_names();
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print_step(const char* text) {
  std::printf("\n== %s\n", text);
  std::fflush(stdout);
}

/// The range of each node's outputs over some images. Threads watch their own chunks and merge.
std::vector<bitwright::range> calibrate(const folded_network& net, std::span<const float> pixels, thread_pool& pool) {
  std::vector<bitwright::min_max> observers(net.graph->nodes().size());
  std::mutex merging;
  forward(net, pixels, pool, [&](std::size_t node, std::span<float> values) {
    bitwright::min_max seen;
    seen.observe(values);
    const std::lock_guard lock(merging);
    observers[node].merge(seen);
  });
  std::vector<bitwright::range> ranges;
  for (const bitwright::min_max& observer : observers) ranges.push_back(observer.values());
  return ranges;
}

/// Shows how far an estimator is.
bool print_progress(const bitwright::trace_progress& done) {
  std::printf("\r   probe %zu of at most %zu, %zu layers not within their tolerance yet ", done.probes,
              done.maximum_probes, done.open_layers);
  std::fflush(stdout);
  return true;
}

/// The trace of the Gauss-Newton matrix for each layer: one backward pass of one image a probe.
bitwright::trace_report measure_gauss_newton(const folded_network& net, std::span<const float> pixels,
                                             thread_pool& pool) {
  const auto backward_pass = [&](std::size_t image, const bitwright::cotangent_source<float>& cotangent_of,
                                 std::span<float> gradient) {
    const std::span<const float> one = pixels.subspan(image * pixels_per_image, pixels_per_image);
    backward<float>(*net.graph, net.weights, net.biases, one, cotangent_of, gradient);
  };
  bitwright::trace_options options{.relative_tolerance = 0.05, .maximum_probes = 5000, .progress = print_progress};
  return bitwright::gauss_newton_traces<float>(backward_pass, pixels.size() / pixels_per_image,
                                               bitwright::cross_entropy_cotangent{}, net.graph->layer_sizes(), options,
                                               pool);
}

/// The trace of the Hessian itself for each layer, all from the same probes, whose products are central differences of
/// the gradient. In double and with a short step, so that hardly a ReLU changes sides within it.
bitwright::trace_report measure_hessian(const folded_network& net, std::span<const float> pixels,
                                        std::span<const std::uint8_t> labels, std::size_t probes, thread_pool& pool) {
  const std::vector<double> weights(net.weights.begin(), net.weights.end()), images(pixels.begin(), pixels.end()),
      biases(net.biases.begin(), net.biases.end());
  const auto gradient = [&](std::span<const double> at, std::span<double> result) {
    loss_gradient<double>(*net.graph, at, biases, images, labels, pool, result);
  };
  bitwright::central_difference product(weights, gradient, 1e-5);
  return bitwright::hessian_traces<double>(product, net.graph->layer_sizes(),
                                           {.maximum_probes = probes, .progress = print_progress});
}

void print_sensitivities(const bitwright::allocation_problem& problem, const bitwright::trace_report& gauss_newton,
                         const bitwright::trace_report& hessian) {
  std::printf("   layer               weights      Gauss-Newton           Hessian      Omega at");
  for (const int bits : candidate_bits) std::printf(" %d%s", bits, bits == candidate_bits.back() ? " bits\n" : ",");
  for (std::size_t i = 0; i < problem.layers.size(); ++i) {
    const bitwright::trace_estimate &sketch = gauss_newton.layers[i], &exact = hessian.layers[i];
    std::printf("   %-18s %8zu %8.4g +- %-6.2g %8.4g +- %-6.2g", problem.layers[i].name.c_str(), sketch.weights,
                sketch.trace, sketch.standard_error, exact.trace, exact.standard_error);
    for (const bitwright::candidate& choice : problem.layers[i].candidates) std::printf(" %8.1e", choice.omega);
    std::printf("\n");
  }
}

void print_latencies(const bitwright::allocation_problem& problem, const bitwright::latency_table& latencies) {
  std::printf("   layer             us an image at");
  for (const int bits : candidate_bits) std::printf(" %d%s", bits, bits == candidate_bits.back() ? " bits\n" : ",");
  for (const bitwright::allocation_layer& layer : problem.layers) {
    std::printf("   %-18s", layer.name.c_str());
    for (const int bits : candidate_bits) {
      const bitwright::latency time = latencies.at(layer.name, bits, activation_bits);
      std::printf(" %8.1f +- %-4.1f", static_cast<double>(time.nanoseconds) / 1e3,
                  static_cast<double>(time.spread) / 2e3);
    }
    std::printf("\n");
  }
  std::printf(
      "   Medians and half the range of the middle half. Few bits save the reading of weights, which in layers as "
      "small\n"
      "   as these takes hardly any of the time.\n");
}

/// Uniform plans, and mixed ones that cost no more than they do, or as much as something between. All may take a quarter
/// more time than 8-bit weights do: more than measurements scatter, so that noise does not choose bits.
std::vector<plan> make_plans(const network& graph, const bitwright::allocation_problem& problem) {
  std::vector<plan> plans;
  for (const int bits : {8, 6, 4, 3, 2}) plans.push_back(uniform_plan(graph, bits));
  const auto cost = [&graph](int bits) { return cost_of(graph, uniform_plan(graph, bits).bits); };
  const std::int64_t nanoseconds = account_of(problem, uniform_plan(graph, 8)).used[2] / 4 * 5;
  std::printf("   plan                 bits of each layer        Omega   size bytes      MBOPS    us an image\n");
  const auto allocate = [&](const char* name, std::int64_t size_bytes, std::int64_t bops) {
    plans.push_back(allocate_plan(problem, name, {size_bytes, bops, nanoseconds}));
    std::printf("   %-20s", name);
    for (const int bits : plans.back().bits) std::printf(" %d", bits);
    const bitwright::allocation account = account_of(problem, plans.back());
    std::printf(" %8.3g %6lld of %5lld %4.0f of %3.0f %5.0f of %5.0f\n", account.objective,
                static_cast<long long>(account.used[0]), static_cast<long long>(size_bytes),
                static_cast<double>(account.used[1]) / 1e6, static_cast<double>(bops) / 1e6,
                static_cast<double>(account.used[2]) / 1e3, static_cast<double>(nanoseconds) / 1e3);
  };
  const layer_cost w2 = cost(2), w3 = cost(3), w4 = cost(4), w6 = cost(6);
  allocate("mixed as W6", w6.size_bytes, w6.bops);
  allocate("mixed as W4", w4.size_bytes, w4.bops);
  allocate("mixed W4, W3 BOPS", w4.size_bytes, w3.bops);
  allocate("mixed as W3.5", std::midpoint(w3.size_bytes, w4.size_bytes), std::midpoint(w3.bops, w4.bops));
  allocate("mixed as W3", w3.size_bytes, w3.bops);
  allocate("mixed as W2.5", std::midpoint(w2.size_bytes, w3.size_bytes), std::midpoint(w2.bops, w3.bops));
  return plans;
}

/// What the float network does, as the first row of the table.
plan_result evaluate_float(const folded_network& net, const labelled_images& test, thread_pool& pool) {
  return {.plan = "fp32",
          .scheme = "float",
          .mean_weight_bits = 32,
          .size_bytes = static_cast<std::int64_t>(4 * (net.weights.size() + net.biases.size())),
          .bops = static_cast<std::int64_t>(32 * 32 * net.graph->multiply_accumulates()),
          .top1_float = top1(forward(net, to_values(test.pixels), pool), test.labels)};
}

/// How sure a plan is: what would become of it if its Omegas were others within their error bars.
void print_robustness(bitwright::allocation_problem problem, const plan& chosen) {
  const bitwright::allocation account = account_of(problem, chosen);
  for (std::size_t m = 0; m < 2; ++m) problem.budgets[m].limit = account.used[m];
  const bitwright::allocation_robustness robust = bitwright::measure_robustness(problem, account);
  std::printf("   %-20s %8.2g %%   ", chosen.name.c_str(), 100 * robust.mean_regret);
  if (robust.close_choices.empty()) std::printf(" none");
  for (std::size_t i = 0; i < std::min<std::size_t>(3, robust.close_choices.size()); ++i) {
    const bitwright::close_choice& close = robust.close_choices[i];
    std::printf(" %s at %d bits (%.0f %%)", problem.layers[close.layer].name.c_str(), candidate_bits[close.candidate],
                100 * close.probability);
  }
  std::printf("\n");
}

/// A plan's or a scheme's integers, and what they cost.
struct stored_network {
  plan_result costs;
  std::vector<integer_weights> layers;
};

stored_network store(const plan& chosen, const bitwright::allocation_problem& problem, const folded_network& net) {
  const std::vector<std::size_t> sizes = net.graph->layer_sizes();
  const auto weight_bits = std::inner_product(sizes.begin(), sizes.end(), chosen.bits.begin(), 0.0);
  const bitwright::allocation account = account_of(problem, chosen);
  stored_network stored{.costs = {.plan = chosen.name,
                                  .scheme = chosen.scheme,
                                  .mean_weight_bits = weight_bits / static_cast<double>(net.graph->weights()),
                                  .size_bytes = account.used[0],
                                  .bops = account.used[1],
                                  .nanoseconds = account.used[2],
                                  .omega = account.objective},
                        .layers = {}};
  auto bits = chosen.bits.begin();
  for (const node& each : net.graph->nodes()) {
    if (!each.has_weights()) continue;
    const std::span<const float> weights = each.weights_in(std::span(net.weights));
    stored.layers.emplace_back(quantize_weights(fit_weights(each, weights, *bits++), weights));
  }
  return stored;
}

stored_network store(const weight_scheme& scheme, const folded_network& net) {
  const layer_cost cost = cost_of(*net.graph, scheme);
  return {.costs = {.plan = scheme.plan,
                    .scheme = scheme.scheme,
                    .mean_weight_bits = static_cast<double>(scheme.bits),
                    .size_bytes = cost.size_bytes,
                    .bops = cost.bops},
          .layers = store_all(net, scheme)};
}

/// The share of test images that the integers classify right.
double top1_of(const integer_network& integer, const labelled_images& test, thread_pool& pool) {
  const wide_codes scores = integer.run(test.pixels, pool);
  // One scale for all classes: the order is the same.
  return top1(std::vector<float>(scores.begin(), scores.end()), test.labels);
}

void print_result(const plan_result& result, double top1_of_8_bits) {
  std::printf("   %s\n", table_line(result, top1_of_8_bits).c_str());
  std::fflush(stdout);
}

/// Runs all of them over the test images, with the biases as they are and with corrected ones, and times them in turns.
/// The first row is the float network's, the second that of 8-bit weights.
std::vector<plan_result> evaluate(std::span<const stored_network> stored, const folded_network& net,
                                  std::span<const std::uint8_t> calibration_pixels,
                                  std::span<const bitwright::range> ranges, const labelled_images& test,
                                  thread_pool& pool) {
  std::vector<activation_quantizer> outputs;
  for (const node& each : net.graph->nodes()) outputs.push_back(fit_outputs(each, ranges[outputs.size()]));
  std::vector<integer_network> networks;
  for (const stored_network& each : stored) networks.emplace_back(*net.graph, each.layers, net.biases, outputs);
  const std::size_t timed = std::min<std::size_t>(64, test.size());
  const std::vector<double> speeds =
      measure_speeds(networks, net, std::span(test.pixels).first(timed * pixels_per_image));
  const std::vector<std::vector<double>> means = mean_outputs(net, calibration_pixels);
  std::vector<std::vector<float>> biases(stored.size());
  pool.parallel_for(stored.size(), [&](std::size_t i) {
    biases[i] = corrected_biases(net, stored[i].layers, outputs, means, calibration_pixels);
  });

  std::vector<plan_result> results{evaluate_float(net, test, pool)};
  results[0].images_per_second = speeds.back();
  std::printf("   %s\n", table_heading().c_str());
  print_result(results[0], 0);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    results.push_back(stored[i].costs);
    results.back().top1_float = results[0].top1_float;
    results.back().top1_integer = top1_of(networks[i], test, pool);
    results.back().top1_corrected = top1_of({*net.graph, stored[i].layers, biases[i], outputs}, test, pool);
    results.back().images_per_second = speeds[i];
    print_result(results.back(), results[1].top1_integer);
  }
  return results;
}

/// How often simulating in float yields another code than the integers do; and whether integers repeat themselves.
void compare_arithmetic(const plan& chosen, const folded_network& net, std::span<const bitwright::range> ranges,
                        const labelled_images& test) {
  const network& graph = *net.graph;
  const quantization codes(graph, net.weights, chosen.bits, ranges);
  const integer_network integer(net, codes);
  const std::size_t images = std::min<std::size_t>(256, test.size());
  const std::span<const std::uint8_t> pixels = std::span(test.pixels).first(images * pixels_per_image);
  const auto simulated = simulated_network(net, codes).node_codes(to_values(pixels));
  const auto exact = integer.node_codes(pixels);

  std::printf("   %s, %zu images      codes that differ   largest difference\n", chosen.name.c_str(), images);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    std::size_t differ = 0;
    int largest = 0;
    for (std::size_t j = 0; j < exact[i].size(); ++j) {
      differ += exact[i][j] != simulated[i][j];
      largest = std::max(largest, std::abs(exact[i][j] - simulated[i][j]));
    }
    std::printf("   %-18s %17.3f %% %11d of %d\n", graph[i].name.c_str(),
                100 * static_cast<double>(differ) / static_cast<double>(exact[i].size()), largest,
                codes.outputs[i].codes().max);
  }

  thread_pool one(1), two(2);
  const bool equal = integer.run(test.pixels, one) == integer.run(test.pixels, two);
  std::printf("   Two integer runs over %zu images, on one thread and on two, are %s bit by bit.\n", test.size(),
              equal ? "equal" : "NOT equal");
}

void print_speeds(const std::vector<speed>& speeds) {
  for (const speed& each : speeds)
    std::printf("   %-28s %9.0f   x %6.2f of the float pass\n", each.name.c_str(), each.images_per_second,
                each.images_per_second / speeds.back().images_per_second);
}

void run_chain(const options& chosen) {
  const auto start = std::chrono::steady_clock::now();
  thread_pool pool(chosen.threads);

  print_step("Data and network");
  const dataset data = load_dataset(chosen.data);
  std::printf(
      "   %zu test images from %s%s\n", data.test.size(), data.directory.string().c_str(),
      data.directory == sample_directory() ? ": the sample that comes with the examples, not the whole data set" : "");
  const network& graph = residual_network();
  const folded_network net = fold(load(graph, chosen.weights), graph);
  std::printf("   %zu layers, %zu weights, %.2f million multiply-accumulates an image; batch norms folded\n",
              graph.layer_sizes().size(), graph.weights(), static_cast<double>(graph.multiply_accumulates()) / 1e6);

  const std::size_t images = std::min(chosen.calibration_images, data.train.size());
  const std::vector<float> pixels = to_values(std::span(data.train.pixels).first(images * pixels_per_image));
  const std::span<const std::uint8_t> labels = std::span(data.train.labels).first(images);

  print_step("Calibration: the range of each node's outputs");
  const std::vector<bitwright::range> ranges = calibrate(net, pixels, pool);
  for (std::size_t i = 0; i < ranges.size(); ++i)
    std::printf("   %-18s [%8.3f, %8.3f]\n", graph[i].name.c_str(), static_cast<double>(ranges[i].min),
                static_cast<double>(ranges[i].max));

  print_step("Sensitivity: the trace of each layer's curvature, and Omega = mean trace * |Q(W) - W|^2");
  const bitwright::trace_report traces = measure_gauss_newton(net, pixels, pool);
  const double sketched = seconds_since(start);
  std::printf("\n   Gauss-Newton sketch: %zu backward passes of one image\n", traces.products);
  const std::size_t few = std::min<std::size_t>(128, images);
  const bitwright::trace_report hessian =
      measure_hessian(net, std::span(pixels).first(few * pixels_per_image), labels.first(few), chosen.probes, pool);
  std::printf("\n   Hessian, same probes for all layers: %zu gradients of %zu images, %.0f seconds\n",
              hessian.gradients, few, seconds_since(start) - sketched);
  const bitwright::latency_table latencies =
      measure_layers(net, ranges, std::span(data.train.pixels).first(pixels_per_image));
  const bitwright::allocation_problem problem = make_problem(net, traces.layers, latencies);
  print_sensitivities(problem, traces, hessian);
  std::printf("   Omegas are from the Gauss-Newton traces; +- is one standard error.\n");

  print_step("Latency: each layer's kernel at each candidate's bits, measured on this machine");
  print_latencies(problem, latencies);

  print_step("Bit allocation: least Omega within size, bit operations and latency at once, proven optimal");
  const std::vector<plan> plans = make_plans(graph, problem);
  std::printf(
      "   Omegas drawn anew within their error bars 200 times: what each plan loses to the best of each draw on\n"
      "   average, and what the best ones rather take, in how many of the draws.\n");
  for (const plan& each : plans)
    if (each.scheme == "mixed") print_robustness(problem, each);
  const bitwright::pareto_frontier frontier(problem, 0);
  std::printf("   The frontier of Omega over size has %zu points.\n", frontier.points().size());

  print_step("Inference over the test images, in integers only");
  std::vector<stored_network> stored;
  for (const plan& each : plans) stored.push_back(store(each, problem, net));
  for (const weight_scheme& each : weight_schemes())
    if (std::ranges::count(chosen.schemes, each.scheme) > 0) stored.push_back(store(each, net));
  const std::vector<plan_result> results =
      evaluate(stored, net, std::span(data.train.pixels).first(few * pixels_per_image), ranges, data.test, pool);
  std::printf(
      "   %.2f %% in float. Sizes are of weights packed at their bit widths; images a second are of one thread, in\n"
      "   turns. Corrected biases take back what layers' mean outputs are shifted by, over %zu training images.\n",
      100 * results[0].top1_float, few);

  print_step("Integers against float simulation");
  compare_arithmetic(plans.front(), net, ranges, data.test);

  print_step("Speed: images a second on one thread, on each path of this processor and in floats");
  const std::size_t timed = std::min<std::size_t>(64, data.test.size());
  print_speeds(measure_speeds(net, quantization(graph, net.weights, plans.front().bits, ranges),
                              std::span(data.test.pixels).first(timed * pixels_per_image)));

  const bool drawn = write_report(results, frontier.points(), chosen.report);
  std::printf("\nReport in %s: report.csv, report.json%s. %.0f seconds in all.\n",
              std::filesystem::absolute(chosen.report).string().c_str(),
              drawn ? ", accuracy.png, frontier.png" : "; no plots, because gnuplot did not run", seconds_since(start));
}

}  // namespace

int main(int argument_count, char** arguments) {
  options chosen;
  std::vector<std::string> known_schemes = scheme_names();
  known_schemes.emplace_back("none");
  CLI::App app("Takes a trained network from float weights to verified integer-only inference.");
  app.add_option("--data", chosen.data, "folder with the four idx.gz files of Fashion-MNIST")->capture_default_str();
  app.add_option("--weights", chosen.weights, "the trained network")->capture_default_str();
  app.add_option("--report", chosen.report, "folder to write the report into")->capture_default_str();
  app.add_option("--schemes", chosen.schemes, "schemes of the weights to run beside uniform codes, or none")
      ->check(CLI::IsMember(known_schemes))
      ->capture_default_str();
  app.add_option("--threads", chosen.threads, "threads to use")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--calibration-images", chosen.calibration_images, "training images to calibrate and measure with")
      ->check(CLI::Range(1, 60000))
      ->capture_default_str();
  app.add_option("--probes", chosen.probes, "most probes for the Hessian's traces")
      ->check(CLI::Range(2, 10000))
      ->capture_default_str();
  CLI11_PARSE(app, argument_count, arguments);
  try {
    run_chain(chosen);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "whole_chain: %s\n", error.what());
    return 1;
  }
}
