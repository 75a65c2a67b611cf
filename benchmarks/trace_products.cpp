// SPDX-License-Identifier: MIT
// How many Hessian-vector products does a trace cost to within 1 %? True errors, on matrices of 2000 weights whose
// spectra are known, over many seeds; and what the usual rule of stopping, when the running mean has changed by less
// than 0.1 %, leaves of them.
#include <bitwright/mixed_precision/model_trace.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

constexpr Eigen::Index outer = 40, inner = 50, weights = outer * inner;

/// Dense in every respect that matters here, and quick: two rounds of an orthogonal Kronecker product and a shuffle.
class orthogonal {
 public:
  orthogonal() : left_(random_basis(inner)), right_(random_basis(outer)), order_(weights) {
    order_.setIdentity();
    std::shuffle(order_.indices().begin(), order_.indices().end(), random_);
  }
  Eigen::VectorXd times(Eigen::VectorXd x) const {
    for (int round = 0; round < 2; ++round) {
      const Eigen::MatrixXd mixed = left_ * x.reshaped(inner, outer) * right_.transpose();
      x = order_ * mixed.reshaped();
    }
    return x;
  }
  Eigen::VectorXd transpose_times(Eigen::VectorXd x) const {
    for (int round = 0; round < 2; ++round) {
      const Eigen::VectorXd ordered = order_.transpose() * x;
      const Eigen::MatrixXd mixed = left_.transpose() * ordered.reshaped(inner, outer) * right_;
      x = mixed.reshaped();
    }
    return x;
  }

 private:
  Eigen::MatrixXd random_basis(Eigen::Index size) {
    Eigen::MatrixXd gaussian(size, size);
    for (double& entry : gaussian.reshaped()) entry = std::normal_distribution()(random_);
    return Eigen::HouseholderQR<Eigen::MatrixXd>(gaussian).householderQ();
  }

  std::mt19937 random_{1};
  Eigen::MatrixXd left_, right_;
  Eigen::PermutationMatrix<Eigen::Dynamic> order_;
};

struct spectrum {
  const char* name;
  std::function<double(double)> eigenvalue;
  bool semidefinite = true;
};

const std::vector<spectrum> spectra{
    {"flat", [](double) { return 1.0; }},
    {"0.7^i", [](double i) { return std::pow(0.7, i); }},
    {"exp(-i/100)", [](double i) { return std::exp(-i / 100); }},
    {"1/i", [](double i) { return 1 / (i + 1); }},
    {"1/i^2", [](double i) { return 1 / ((i + 1) * (i + 1)); }},
    // Ten eigenvalues from 100 to 50 above a bulk in [0, 0.2], and in [-0.2, 0.2].
    {"10 outliers", [](double i) { return i < 10 ? 100 - 5 * i : 0.2 * (i - 10) / 1990; }},
    {"10, indefinite", [](double i) { return i < 10 ? 100 - 5 * i : 0.4 * (i - 10) / 1990 - 0.2; }, false},
};

double quantile(std::vector<double> values, double share) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, place);
  return *place;
}

/// The budgets of products that are tried.
const std::vector<std::size_t> budgets{6, 12, 18, 24, 30, 36, 48, 66, 96, 132, 192, 264, 384, 528, 768, 1056, 1536};

using bitwright::trace_method;

class question {
 public:
  question(const orthogonal& basis, const spectrum& shape) : basis_(basis), eigenvalues_(weights) {
    for (Eigen::Index i = 0; i < weights; ++i) eigenvalues_(i) = shape.eigenvalue(static_cast<double>(i));
  }

  void operator()(std::span<const double> direction, std::span<double> result) const {
    const Eigen::VectorXd along = basis_.transpose_times(Eigen::VectorXd::Map(direction.data(), weights));
    Eigen::VectorXd::Map(result.data(), weights) = basis_.times(eigenvalues_.cwiseProduct(along));
  }

  double error(double trace) const { return std::abs(trace / eigenvalues_.sum() - 1); }

  /// Runs a method to the end of its budget, and tells `observe` of every step.
  void run(trace_method method, std::size_t products, std::uint64_t seed,
           const std::function<bool(const bitwright::model_trace_progress&)>& observe) const {
    bitwright::model_trace_options options;
    options.relative_tolerance = 0;
    options.maximum_products = products;
    options.method = method;
    options.seed = seed;
    options.progress = observe;
    bitwright::model_trace<double>(*this, static_cast<std::size_t>(weights), options);
  }

  /// The relative error at each budget up to `most`.
  std::vector<double> errors(trace_method method, std::size_t most, std::uint64_t seed) const {
    std::vector<double> result;
    if (method ==
        trace_method::hutch_plus_plus) {  // What it does with the first product depends on how many there are.
      for (const std::size_t budget : budgets)
        if (budget <= most)
          run(method, budget, seed, [&, at = result.size()](const bitwright::model_trace_progress& progress) {
            result.resize(at + 1);
            result[at] = error(progress.estimate.trace);
            return true;
          });
      return result;
    }
    double last = 1;
    run(method, most, seed, [&](const bitwright::model_trace_progress& progress) {
      last = error(progress.estimate.trace);
      if (progress.products == budgets[result.size()]) result.push_back(last);
      return true;
    });
    return result;
  }

 private:
  const orthogonal& basis_;
  Eigen::VectorXd eigenvalues_;
};

/// "median / 90th percentile" of the products to 1 %: the least budgets at which that many seeds are as near.
std::string products_needed(const question& asked, trace_method method, std::size_t most, std::size_t seeds) {
  std::vector<std::vector<double>> errors;
  for (std::size_t seed = 0; seed < seeds; ++seed) errors.push_back(asked.errors(method, most, seed));
  const auto least_budget = [&](double share) {
    for (std::size_t i = 0; i < budgets.size() && budgets[i] <= most; ++i) {
      std::vector<double> at_budget;
      for (const std::vector<double>& run : errors) at_budget.push_back(run[i]);
      if (quantile(at_budget, share) <= 0.01) return std::to_string(budgets[i]);
    }
    return "> " + std::to_string(most);
  };
  return least_budget(0.5) + " / " + least_budget(0.9);
}

/// Hutchinson stopped as it is usually stopped: products, and the median and 90th percentile of the error left.
std::string usual_stop(const question& asked, std::size_t seeds) {
  std::vector<double> products, errors;
  for (std::size_t seed = 0; seed < seeds; ++seed) {
    double before = 0;
    asked.run(trace_method::hutchinson, 100, seed, [&](const bitwright::model_trace_progress& progress) {
      const double trace = progress.estimate.trace, change = std::abs(trace - before) / (std::abs(before) + 1e-6);
      before = trace;
      const bool stop = progress.products > 1 && change < 1e-3;
      if (stop || progress.products == 100) {
        products.push_back(static_cast<double>(progress.products));
        errors.push_back(asked.error(trace));
      }
      return !stop;
    });
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.0f: %.1f / %.1f %%", quantile(products, 0.5), 100 * quantile(errors, 0.5),
                100 * quantile(errors, 0.9));
  return text;
}

/// How often the estimate after 48 products is within 1.96 of its standard errors.
std::string coverage(const question& asked, trace_method method, std::size_t seeds) {
  double covered = 0;
  for (std::size_t seed = 0; seed < seeds; ++seed)
    asked.run(method, 48, seed, [&](const bitwright::model_trace_progress& progress) {
      // Rounding, and the shift of XNysTrace, are all that is left of some errors: 1e-6 at most.
      const bitwright::trace_estimate& estimate = progress.estimate;
      if (progress.products == 48)
        covered += asked.error(estimate.trace) <= 1.96 * estimate.standard_error / std::abs(estimate.trace) + 1e-6;
      return true;
    });
  return std::to_string(static_cast<int>(std::lround(100 * covered / static_cast<double>(seeds)))) + " %";
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t seeds = count > 1 ? static_cast<std::size_t>(std::atoi(arguments[1])) : 40;
  const orthogonal basis;
  std::printf("Products until the error is at most 1 %%, median / 90th percentile of %zu seeds, %d weights.\n", seeds,
              static_cast<int>(weights));
  std::printf(
      "Usual stop: Hutchinson until the mean changes by less than 0.1 %%: products: error left, median / 90 %%.\n");
  std::printf("Covers: how often 1.96 standard errors after 48 products hold the trace.\n\n");
  std::printf("%-15s %15s %15s %13s %13s %22s %8s %8s %8s\n", "spectrum", "hutchinson", "hutch++", "xtrace",
              "xnystrace", "usual stop", "covers:", "xtrace", "xnys");
  for (const spectrum& shape : spectra) {
    const question asked(basis, shape);
    const auto needed = [&](trace_method method, std::size_t most) {
      return products_needed(asked, method, most, seeds);
    };
    std::printf("%-15s %15s %15s %13s %13s %22s %8s %8s %8s\n", shape.name,
                needed(trace_method::hutchinson, 1536).c_str(), needed(trace_method::hutch_plus_plus, 192).c_str(),
                needed(trace_method::xtrace, 132).c_str(),
                shape.semidefinite ? needed(trace_method::xnystrace, 132).c_str() : "-",
                usual_stop(asked, seeds).c_str(), "", coverage(asked, trace_method::xtrace, seeds).c_str(),
                shape.semidefinite ? coverage(asked, trace_method::xnystrace, seeds).c_str() : "-");
    std::fflush(stdout);
  }
}
