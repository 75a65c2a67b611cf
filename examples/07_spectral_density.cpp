// SPDX-License-Identifier: MIT
// How the curvature of a model is spread: the density of its Hessian's eigenvalues, and the largest of them, from a
// gradient function alone. Writes spectral_density.csv, and spectral_density.png where gnuplot is installed.
#include <bitwright/mixed_precision/hessian_vector_product.hpp>
#include <bitwright/mixed_precision/spectral_density.hpp>
#include <bitwright/mixed_precision/top_eigenvalues.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <vector>

/// The gradient of the mean squared error / 2 of W2 tanh(W1 x) against a smooth function of x.
void gradient(std::span<const double> weights, std::span<double> result) {
  constexpr std::size_t inputs = 8, hidden = 24, samples = 128, second = hidden * inputs;
  for (double& entry : result) entry = 0;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    double x[inputs], activation[hidden], error = -std::cos(static_cast<double>(sample));
    for (std::size_t i = 0; i < inputs; ++i) x[i] = std::sin(static_cast<double>((sample + 1) * (2 * i + 3)));
    for (std::size_t h = 0; h < hidden; ++h) {
      double sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) sum += weights[h * inputs + i] * x[i];
      activation[h] = std::tanh(sum);
      error += weights[second + h] * activation[h];
    }
    for (std::size_t h = 0; h < hidden; ++h) {
      result[second + h] += error * activation[h] / samples;
      const double back = error * weights[second + h] * (1 - activation[h] * activation[h]) / samples;
      for (std::size_t i = 0; i < inputs; ++i) result[h * inputs + i] += back * x[i];
    }
  }
}

int main() {
  std::vector<double> weights(24 * 8 + 24);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::cos(static_cast<double>(i * i)) / 2;
  bitwright::central_difference product(weights, gradient);

  const auto density = bitwright::estimate_spectral_density<double>(product, weights.size());
  const auto top = bitwright::top_eigenvalues<double>(product, weights.size(), {.count = 3});
  const double mean = density.mean([](double x) { return x; });
  std::printf("%zu weights, %zu gradients; mean eigenvalue %.4f, deviation %.4f\n", weights.size(), product.gradients(),
              mean, std::sqrt(density.mean([mean](double x) { return (x - mean) * (x - mean); })));
  for (const bitwright::eigenvalue_estimate& eigenvalue : top.values)
    std::printf("eigenvalue %.4f, within %.1e\n", eigenvalue.value, eigenvalue.error_bound);

  const auto [least, greatest] = std::ranges::minmax(density.nodes, {}, &bitwright::spectral_node::value);
  const double width = (greatest.value - least.value) / 100, margin = 5 * width;
  std::ofstream file("spectral_density.csv");
  file << "eigenvalue,density\n";
  for (double x = least.value - margin; x <= greatest.value + margin; x += width / 2)
    file << x << ',' << density(x, width) << '\n';
  file.close();
  const bool drawn = std::system(
                         "gnuplot -e \"set terminal pngcairo size 800,500; set output 'spectral_density.png';"
                         " set datafile separator ','; set logscale y; set yrange [1e-4:*]; set grid;"
                         " set xlabel 'eigenvalue'; set ylabel 'density'; plot 'spectral_density.csv'"
                         " using 1:2 skip 1 with filledcurves y1=1e-4 notitle\" 2>&1") == 0;
  std::printf("spectral_density.csv%s\n",
              drawn ? " and spectral_density.png" : "; no plot, because gnuplot did not run");
  return file ? 0 : 1;
}
