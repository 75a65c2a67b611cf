// SPDX-License-Identifier: MIT
// Which scheme loses least at which bits? Every quantizer on Gaussian, Laplacian and even samples and on the weights of
// the examples' network, each fitted as its authors would; below them the floor: the levels of least squared error,
// which no scheme of as many levels can beat (Lloyd-Max).
#include "fashion_mnist/folded_network.hpp"
#include "fashion_mnist/network.hpp"
#include "fashion_mnist/plan.hpp"
#include "fashion_mnist/trained_network.hpp"
#include "write_whole.hpp"
#include <bitwright/calibration/least_error.hpp>
#include <bitwright/core/distortion.hpp>
#include <bitwright/core/range.hpp>
#include <bitwright/quantizers.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace bitwright;

/// Values in tensors, each of which gets a quantizer of its own.
struct data_set {
  std::string name;
  std::vector<std::vector<float>> tensors;
};

/// The quantiles of a distribution at even shares, in random order: samples without the luck of the draw.
template <class Quantile>
data_set samples_of(std::string name, Quantile quantile) {
  constexpr std::size_t count = 16384;
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(quantile((static_cast<double>(i) + 0.5) / static_cast<double>(count)));
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < count; ++i) std::swap(values[i], values[i + random() % (count - i)]);
  return {std::move(name), {std::move(values)}};
}

double gaussian_quantile(double share) {
  double low = -9, high = 9;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < share ? low : high) = middle;
  }
  return low;
}

double laplacian_quantile(double share) { return share < 0.5 ? std::log(2 * share) : -std::log(2 * (1 - share)); }

data_set network_weights() {
  using namespace fashion_mnist;
  const network& graph = residual_network();
  const std::filesystem::path file =
      std::filesystem::path(BITWRIGHT_EXAMPLES_DIR) / "fashion_mnist" / "network.weights";
  const folded_network net = fold(load(graph, file), graph);
  data_set weights{"network", {}};
  for (const node& layer : layers_of(graph)) {
    const auto values = layer.weights_in(std::span(net.weights));
    weights.tensors.emplace_back(values.begin(), values.end());
  }
  return weights;
}

/// What values become when `q` has stored them.
std::vector<float> stored_by(const quantizer auto& q, std::span<const float> values) {
  std::vector<typename std::remove_cvref_t<decltype(q)>::code_type> codes(values.size());
  std::vector<float> restored(values.size());
  q.quantize(values, codes);
  q.dequantize(codes, restored);
  return restored;
}

/// A way to store values at some bits each.
struct scheme {
  std::string name;
  double bits;
  std::function<std::vector<float>(std::span<const float>)> store;
};

template <class Fit>
scheme stored(std::string name, double bits, Fit fit) {
  return {std::move(name), bits, [fit](std::span<const float> values) { return stored_by(fit(values), values); }};
}

/// Fitted to the range, clipped where that pays.
template <class Fit>
scheme clipped(std::string name, double bits, Fit fit) {
  return stored(std::move(name), bits,
                [fit](std::span<const float> values) { return fit_least_error(values, 2, fit); });
}

/// The limit that loses least, of 100, 95, ... 40 % of the largest magnitude.
piecewise_linear<> clipped_pieces(std::span<const float> values, int piece_bits, std::size_t breakpoints) {
  piecewise_linear<> best = search_breakpoints(values, piece_bits, breakpoints);
  const float largest = best.limit();
  const auto error = [values](const piecewise_linear<>& q) {
    return measure_distortion(values, stored_by(q, values)).mse;
  };
  for (int percent = 95; percent >= 40; percent -= 5) {
    const auto clipped =
        search_breakpoints(values, piece_bits, breakpoints, largest * static_cast<float>(percent) / 100);
    if (error(clipped) < error(best)) best = clipped;
  }
  return best;
}

void add_levels(std::vector<scheme>& all, int bits) {
  const std::size_t count = std::size_t{1} << bits;
  all.push_back(
      stored("Lloyd-Max floor", bits, [count](auto values) { return codebook<256>(optimal_levels(values, count)); }));
  all.push_back(stored("k-means", bits, [count](auto values) { return codebook<256>(k_means(values, count)); }));
  if (bits <= 4)
    all.push_back(stored("learned bases", bits, [bits](auto values) { return learned_bases::fit(values, bits); }));
}

void add_grids(std::vector<scheme>& all, int bits) {
  using integers = uniform<dynamic_bits, std::int16_t>;
  all.push_back(stored("uniform, whole range", bits,
                       [bits](auto values) { return integers::symmetric(range_of(values), bits); }));
  all.push_back(clipped("uniform, clipped", bits, [bits](range values) { return integers::symmetric(values, bits); }));
  // As many shifts and adds a value as a code of these bits could need, but stored in more: not to be compared by
  // memory.
  const auto terms = static_cast<std::size_t>(8 * (bits - 1));
  all.push_back(stored("term: bits - 1 shift-adds, stored in 9", bits, [terms](auto values) {
    return term<>::symmetric(range_of(values), 8, {8, terms});
  }));
  if (bits >= 3)
    all.push_back(
        stored("piecewise linear", bits, [bits](auto values) { return clipped_pieces(values, bits - 1, 1); }));
  if (bits >= 4)
    all.push_back(stored("piecewise linear, 3 breakpoints", bits,
                         [bits](auto values) { return clipped_pieces(values, bits - 2, 3); }));
}

void add_powers(std::vector<scheme>& all, int bits) {
  if (bits <= 7)
    all.push_back(
        clipped("logarithmic", bits, [bits](range values) { return logarithmic<>::symmetric(values, bits); }));
  if (bits <= 7)
    all.push_back(clipped("logarithmic, base sqrt(2)", bits,
                          [bits](range values) { return logarithmic<base_sqrt_two>::symmetric(values, bits); }));
  all.push_back(clipped("power of two", bits, [bits](range values) { return power_of_two::symmetric(values, bits); }));
}

template <int Bits>
void add_additive_powers(std::vector<scheme>& all) {
  all.push_back(clipped("additive power of two", Bits,
                        [](range values) { return additive_power_of_two<Bits>::symmetric(values); }));
}

/// Formats of one width, and those whose width is part of the type.
void add_single(std::vector<scheme>& all) {
  add_additive_powers<3>(all);
  add_additive_powers<4>(all);
  add_additive_powers<5>(all);
  add_additive_powers<6>(all);
  add_additive_powers<7>(all);
  all.push_back(stored("MXFP4, groups of 32", 4.25, [](auto values) {
    return fit_microscaling<mxfp4>(tensor_view<const float>(values, {values.size()}));
  }));
  all.push_back(stored("binary", 1, binary::fit));
  all.push_back(stored("ternary", std::log2(3), ternary::optimal));
  all.push_back(stored("NF4, groups of 64", 4.5, [](auto values) {
    return fit_slices(tensor_view<const float>(values, {values.size()}), per_group{64},
                      [](auto group) { return normal_float4(range_of(group).limit()); });
  }));
  const auto format = [&all]<class Format>(const char* name) {
    all.push_back(clipped(name, Format().bits(), [](range values) { return Format::symmetric(values); }));
  };
  format.operator()<fp4_e2m1>("minifloat");
  format.operator()<fp6_e2m3>("minifloat");
  format.operator()<fp8_e4m3>("minifloat");
}

std::vector<scheme> every_scheme() {
  std::vector<scheme> all;
  add_levels(all, 1);
  for (int bits = 2; bits <= 8; ++bits) {
    add_levels(all, bits);
    add_grids(all, bits);
    add_powers(all, bits);
  }
  add_single(all);
  std::ranges::stable_sort(all, {}, &scheme::name);
  return all;
}

/// The squared error beside the squares of the values themselves: 1 for a scheme that stores zeros.
double relative_error(const scheme& of, const data_set& data) {
  double error = 0, energy = 0;
  for (const std::vector<float>& values : data.tensors) {
    error += measure_distortion(values, of.store(values)).squared_error;
    for (const float value : values) energy += double{value} * value;
  }
  return error / energy;
}

/// Errors of each scheme, by data set.
struct measurement {
  scheme of;
  std::vector<double> errors;
};

void print(const std::vector<measurement>& all, const std::vector<data_set>& data) {
  std::printf("%-34s %5s", "squared error / squares", "bits");
  for (const data_set& each : data) std::printf(" %11s", each.name.c_str());
  for (const measurement& row : all) {
    std::printf("\n%-34s %5.3g", row.of.name.c_str(), row.of.bits);
    for (const double error : row.errors) std::printf(" %11.3e", error);
  }
  std::printf("\n");
}

std::string as_csv(const std::vector<measurement>& all, const std::vector<data_set>& data) {
  std::ostringstream csv;
  csv << "scheme,bits";
  for (const data_set& each : data) csv << ',' << each.name;
  for (const measurement& row : all) {
    csv << "\n\"" << row.of.name << "\"," << row.of.bits;
    for (const double error : row.errors) csv << ',' << error;
  }
  return csv.str() + '\n';
}

/// A colour and a mark for each; the floor is a broad line, and what is not measured by memory a dashed one.
std::string style_of(const std::string& name, std::size_t index) {
  if (name == "Lloyd-Max floor") return "lines linewidth 4 linecolor 'gray70'";
  constexpr std::array colours = {"#000000", "#e69f00", "#56b4e9", "#009e73", "#aa7700",
                                  "#0072b2", "#d55e00", "#cc79a7", "#7030a0"};
  return "linespoints pointsize 0.8 pointtype " + std::to_string(index + 1) + " linecolor '" +
         colours[index % colours.size()] + "'" + (name.starts_with("term") ? " dashtype 2" : "");
}

/// A panel for each data set, a line for each scheme; each panel names a part of them.
std::string as_plot(const std::vector<measurement>& all, const std::vector<data_set>& data) {
  std::ostringstream script;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].of.name != all[i - 1].of.name) {
      if (i > 0) script << "END\n";
      names.push_back(all[i].of.name);
      script << "$scheme" << names.size() << " << END\n";
    }
    script << all[i].of.bits;
    for (const double error : all[i].errors) script << ' ' << 10 * std::log10(std::max(error, 1e-9));
    script << '\n';
  }
  script << "END\nset terminal pngcairo size 1200,1000 font 'sans,10'\nset output 'distortion.png'\n"
         << "set multiplot layout 2,2 title 'What quantization loses' font ',13'\n"
         << "set xlabel 'bits a value'\nset ylabel 'squared error / squares (dB)'\nset grid\nset xrange [1:8]\n"
         << "set yrange [-45:0]\nset key top right font ',8' samplen 2 spacing 0.9\n";
  for (std::size_t panel = 0; panel < data.size(); ++panel) {
    script << "set title '" << data[panel].name << "'\nplot";
    for (std::size_t i = 0; i < names.size(); ++i) {
      script << (i == 0 ? " " : ", ") << "$scheme" << i + 1 << " using 1:" << panel + 2 << " with "
             << style_of(names[i], i) << (i % data.size() == panel ? " title '" + names[i] + "'" : " notitle");
    }
    script << '\n';
  }
  return script.str();
}

void compare(const std::filesystem::path& report) {
  const std::vector<data_set> data = {
      samples_of("Gaussian", gaussian_quantile), samples_of("Laplacian", laplacian_quantile),
      samples_of("uniform", [](double share) { return 2 * share - 1; }), network_weights()};
  std::vector<measurement> all;
  for (const scheme& each : every_scheme()) {
    all.push_back({each, {}});
    for (const data_set& values : data) all.back().errors.push_back(relative_error(each, values));
  }
  print(all, data);
  write_whole(report / "distortion.csv", as_csv(all, data));
  write_whole(report / "distortion.gnuplot", as_plot(all, data));
  const bool drawn = std::system(("cd \"" + report.string() + "\" && gnuplot distortion.gnuplot").c_str()) == 0;
  std::printf("Report in %s: distortion.csv%s.\n", std::filesystem::absolute(report).string().c_str(),
              drawn ? ", distortion.png" : "; no plot, because gnuplot did not run");
}

}  // namespace

int main(int argument_count, char** arguments) {
  std::filesystem::path report = "distortion";
  CLI::App app("Measures what every quantizer loses at every bit width.");
  app.add_option("--report", report, "folder to write the report into")->capture_default_str();
  CLI11_PARSE(app, argument_count, arguments);
  try {
    compare(report);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "distortion: %s\n", error.what());
    return 1;
  }
}
