// SPDX-License-Identifier: MIT
// How fast are the kernels, beside the best other libraries and beside what the core can do? One thread; ours, each
// peer and each limit in turns, in slices of a millisecond, so that ratios stand where a single figure moves with the
// machine. A row for each operation, shape, available path and peer. Peers that have paths are kept to ours.
#include "kernels/binary_gemm.hpp"
#include "kernels/contest.hpp"
#include "kernels/group_gemm.hpp"
#include "kernels/limits.hpp"
#include "kernels/ours.hpp"
#include "kernels/problem.hpp"
#include "kernels/shift_add.hpp"
#include "kernels/summed_gemm.hpp"
#include "peers/peers.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace bitwright::benchmarks;
namespace kernels = bitwright::kernels;
using nlohmann::json;

struct options {
  std::string json_file;
  std::regex filter;
  double seconds = 0.3;
};

/// The path's arithmetic.
std::vector<contestant> limits_of(const weighted_problem& problem, std::string_view path) {
  std::vector<contestant> found;
  const int weight_bits = problem.against ? 4 : problem.operation.find("W7") == std::string::npos ? 8 : 7;
  for (const limits::arithmetic& each : limits::all)
    if (each.path == path && each.weight_bits >= weight_bits)
      found.push_back({.name = "limit", .path = std::string(each.sequence), .run = each.run, .work = each.operations});
  return found;
}

/// What takes no arithmetic to speak of is bounded by moving its bytes.
std::vector<contestant> moving(const std::vector<std::uint8_t>& input, std::size_t more, std::size_t output) {
  auto memory = std::make_shared<std::vector<std::byte>>(input.size() + more + output);
  const std::size_t read = input.size() + more;
  return {{.name = "limit",
           .path = "moving bytes",
           .run = [=] { limits::move(memory->data(), read, memory->data() + read, output); },
           .work = static_cast<double>(read + output)}};
}
/// Where each weight is used once, reading the weights; where each activation is, a depthwise convolution, moving them.
std::vector<contestant> bandwidths_of(const weighted_problem& problem) {
  if (problem.groups > 1) {
    std::vector<contestant> all = moving(problem.activations, 0, problem.output_codes());
    all[0].work = problem.operations();
    return all;
  }
  if (problem.pixels() > 1) return {};
  const auto* weights = reinterpret_cast<const std::byte*>(problem.weights.data());
  const std::size_t bytes = problem.weights.size() * static_cast<std::size_t>(problem.index_bits) / 8;
  return {{.name = "limit",
           .path = "reading weights",
           .run = [=] { limits::read(weights, bytes); },
           .work = problem.operations()}};
}

std::vector<contestant> limits_of(const pooling_problem& problem, std::string_view) {
  return moving(problem.activations, 0, problem.output_codes());
}
std::vector<contestant> limits_of(const addition_problem& problem, std::string_view) {
  return moving(problem.left, problem.right.size(), problem.left.size());
}
std::vector<contestant> limits_of(const lookup_problem& problem, std::string_view) {
  return moving(problem.codes, 0, problem.codes.size());
}
std::vector<contestant> limits_of(const transpose_problem& problem, std::string_view) {
  return moving(problem.codes, 0, problem.codes.size());
}
template <class Problem>
std::vector<contestant> bandwidths_of(const Problem&) {
  return {};
}

/// What peers have.
template <class Problem>
inline constexpr bool has_peers =
    !std::is_same_v<Problem, lookup_problem> && !std::is_same_v<Problem, transpose_problem>;

template <class Format>
inline constexpr bool has_peers<group_problem<Format>> = false;

template <class Problem>
std::vector<contestant> peers_of([[maybe_unused]] const Problem& problem, [[maybe_unused]] std::string_view path) {
  std::vector<contestant> found;
  if (path == "scalar") return found;
  if constexpr (std::is_same_v<Problem, weighted_problem>)
    if (problem.against) {
      found.push_back(ours(*problem.against, path).value());
      found.back().path = problem.against->operation, found.back().codes = {};
      return found;
    }
  if constexpr (has_peers<Problem>) {
#ifdef BITWRIGHT_WITH_ONEDNN
    onednn::add(problem, found);
#endif
#ifdef BITWRIGHT_WITH_XNNPACK
    if constexpr (requires { xnnpack::add(problem, found); })
      if (path == our_paths().front()) xnnpack::add(problem, found);
#endif
  }
#ifdef BITWRIGHT_WITH_GEMMLOWP
  if constexpr (std::is_same_v<Problem, weighted_problem>) gemmlowp_peer::add(problem, found);
#endif
  return found;
}

/// The highest limit of each kind; the lowest of these bounds the work.
double lowest_of(const std::vector<contestant>& all, std::size_t first, std::size_t arithmetic, std::size_t last) {
  double fastest = 0, bound = 0;
  for (std::size_t i = first; i < first + arithmetic; ++i) fastest = std::max(fastest, quantile(all[i].rates, 0.5));
  bound = fastest;
  for (std::size_t i = first + arithmetic; i < last; ++i) {
    const double rate = quantile(all[i].rates, 0.5);
    bound = bound == 0 ? rate : std::min(bound, rate);
  }
  return bound;
}

/// How far a peer's codes lie from ours: one code by rounding in floats, more where it saturates on the way.
int largest_difference(const contestant& one, const contestant& other) {
  const std::vector<std::uint8_t> a = one.codes(), b = other.codes();
  int largest = a.size() == b.size() ? 0 : 256;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

void print(const json& row, const char* unit) {
  const auto text = [&row](const char* name) { return row[name].is_string() ? row[name].get<std::string>() : "-"; };
  const auto number = [&row](const char* name) { return row[name].is_number() ? row[name].get<double>() : 0.0; };
  std::printf("%-22s %-22s %-12s %8.1f %s %8.1f", text("operation").c_str(), text("shape").c_str(),
              text("path").c_str(), number("gops"), unit, number("limit_gops"));
  if (row["peer"].is_string())
    std::printf("  %-11s %-26s %8.1f  x %5.2f [%.2f, %.2f]", text("peer").c_str(), text("peer_path").c_str(),
                number("peer_gops"), number("ratio"), row["ratio_quartiles"][0].get<double>(),
                row["ratio_quartiles"][1].get<double>());
  if (row["peer_difference"].is_number() && row["peer_difference"] > 1)
    std::printf("  differs by %d", row["peer_difference"].get<int>());
  std::printf("\n");
  std::fflush(stdout);
}

template <class Problem>
void measure(const Problem& problem, const std::string& operation, const std::string& shape, const std::string& path,
             const char* unit, const options& chosen, json& rows) {
  if (!std::regex_search(operation + " " + shape + " " + path, chosen.filter)) return;
  const auto us = ours(problem, path);
  if (!us) return;
  std::vector<contestant> all{*us};
  for (contestant& peer : peers_of(problem, path)) all.push_back(std::move(peer));
  const std::size_t first_limit = all.size();
  for (contestant& limit : limits_of(problem, path)) all.push_back(std::move(limit));
  const std::size_t arithmetic = all.size() - first_limit;
  for (contestant& limit : bandwidths_of(problem)) all.push_back(std::move(limit));
  hold(all, chosen.seconds);

  json row{{"operation", operation},
           {"shape", shape},
           {"path", path},
           {"unit", unit},
           {"gops", quantile(all[0].rates, 0.5)},
           {"limit_gops", nullptr},
           {"peer", nullptr},
           {"peer_path", nullptr},
           {"peer_gops", nullptr},
           {"ratio", nullptr},
           {"ratio_quartiles", nullptr},
           {"peer_difference", nullptr}};
  const double limit = lowest_of(all, first_limit, arithmetic, all.size());
  if (limit > 0) row["limit_gops"] = limit;
  for (std::size_t i = 1; i < first_limit; ++i) {
    const ratio_of_rounds ratio(all[0], all[i]);
    row["peer"] = all[i].name, row["peer_path"] = all[i].path, row["peer_gops"] = quantile(all[i].rates, 0.5);
    row["ratio"] = ratio.median, row["ratio_quartiles"] = {ratio.lower_quartile, ratio.upper_quartile};
    row["peer_difference"] = all[i].codes ? json(largest_difference(all[0], all[i])) : json(nullptr);
    print(row, unit), rows.push_back(row);
  }
  if (first_limit == 1) print(row, unit), rows.push_back(row);
}

void measure_weighted(const weighted_problem& problem, const std::string& path, const options& chosen, json& rows) {
  measure(problem, problem.operation, problem.shape, path, "GOPS", chosen, rows);
}

/// Weights of less than 8 bits beside our own of 8, and those that are looked up beside uniform ones.
void measure_narrow(const std::string& path, const options& chosen, json& rows) {
  const auto uniform = [](int bits) {
    std::vector<std::int8_t> levels;
    for (int level = -(1 << (bits - 1)); level < 1 << (bits - 1); ++level)
      levels.push_back(static_cast<std::int8_t>(level));
    return levels;
  };
  const narrow_codes four{"W4A8", uniform(4), 4};
  const narrow_codes small[] = {four,
                                {"W4A4", uniform(4), 4, 15},
                                {"W2A8", uniform(2), 2},
                                {"ternary W2A8", {-1, 0, 1}, 2},
                                {"binary W1A8", {-1, 1}, 1}};
  const narrow_codes looked_up[] = {
      {"power-of-two W4A8", {-8, -4, -2, -1, 0, 1, 2, 4, 8}, 4},
      {"additive W4A8", {-10, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 10}, 4},
      {"logarithmic W4A8", {-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64}, 4},
      {"nf4 W4A8", {-64, -45, -34, -25, -18, -12, -6, 0, 5, 10, 16, 22, 28, 36, 46, 64}, 4}};
  std::vector<weighted_problem> wide;
  for (const auto& [m, k, n] : std::initializer_list<std::array<std::size_t, 3>>{
           {1, 1024, 1024}, {1, 4096, 4096}, {16, 768, 3072}, {128, 768, 3072}, {512, 1024, 1024}, {784, 1152, 128}})
    wide.push_back(make_gemm(m, k, n, 8));
  wide.push_back(make_convolution({28, 3, 1, 1}, 1, 128, 128));
  for (const weighted_problem& problem : wide) {
    for (const narrow_codes& codes : small) measure_weighted(narrowed(problem, codes), path, chosen, rows);
    const weighted_problem beside = narrowed(problem, four);
    for (const narrow_codes& codes : looked_up) measure_weighted(narrowed(beside, codes), path, chosen, rows);
  }
}

template <class Format>
void measure_groups(const std::string& path, const options& chosen, json& rows) {
  for (const std::size_t m : {std::size_t{1}, std::size_t{16}, std::size_t{128}}) {
    group_problem<Format> problem(m, 4096, 4096);
    if (!std::regex_search(problem.operation() + " " + problem.shape() + " " + path, chosen.filter)) continue;
    problem.fill();
    measure(problem, problem.operation(), problem.shape(), path, "GOPS", chosen, rows);
  }
}

/// Everything on one path, with the peers kept to it.
json measure_all(const std::string& path, const options& chosen) {
  json rows = json::array();
#ifdef BITWRIGHT_WITH_ONEDNN
  onednn::keep_to(path);
#endif
  struct gemm_shape {
    std::size_t rows, inputs, outputs;
  };
  for (const int weight_bits : {8, 7})
    for (const auto& [m, k, n] : std::initializer_list<gemm_shape>{{1, 768, 768},
                                                                   {1, 4096, 4096},
                                                                   {16, 768, 3072},
                                                                   {128, 768, 768},
                                                                   {128, 768, 3072},
                                                                   {512, 1024, 1024},
                                                                   {1024, 1024, 1024},
                                                                   {12544, 147, 64},
                                                                   {3136, 576, 64},
                                                                   {784, 1152, 128},
                                                                   {196, 2304, 256},
                                                                   {49, 4608, 512}})
      measure_weighted(make_gemm(m, k, n, weight_bits), path, chosen, rows);
  for (const auto& [m, k, n] :
       std::initializer_list<gemm_shape>{{1, 4096, 4096}, {128, 768, 3072}, {512, 1024, 1024}, {784, 1152, 128}}) {
    const binary_problem problem(m, k, n);
    measure(problem, "gemm W1A1", problem.wide.shape, path, "GOPS", chosen, rows);
  }
  if (path != "scalar") {
    measure_narrow(path, chosen, rows);
    measure_groups<kernels::four_bit_groups>(path, chosen, rows);
    measure_groups<kernels::four_bit_groups_with_zero_points>(path, chosen, rows);
    measure_groups<kernels::eight_bit_groups>(path, chosen, rows);
  }
  for (const std::size_t m : {std::size_t{1}, std::size_t{128}})
    for (const std::size_t terms : {std::size_t{1}, std::size_t{3}}) {
      const shift_add_problem problem(m, 768, 768, terms);
      measure(problem, problem.operation, problem.decoded.shape, path, "GOPS", chosen, rows);
    }
  for (const auto& [m, k, n] : std::initializer_list<gemm_shape>{{1, 4096, 4096}, {128, 768, 768}}) {
    const std::string operation = "piecewise linear W4A8", shape = make_gemm(m, k, n, 8).shape;
    if (!std::regex_search(operation + " " + shape + " " + path, chosen.filter)) continue;
    const summed_problem problem(m, k, n);
    measure(problem, operation, shape, path, "GOPS", chosen, rows);
  }
  measure_weighted(make_convolution({56, 3, 1, 1}, 1, 64, 64), path, chosen, rows);
  measure_weighted(make_convolution({28, 3, 1, 1}, 1, 128, 128), path, chosen, rows);
  measure_weighted(make_convolution({14, 3, 1, 1}, 1, 256, 256), path, chosen, rows);
  measure_weighted(make_convolution({7, 3, 1, 1}, 1, 512, 512), path, chosen, rows);
  measure_weighted(make_convolution({224, 7, 2, 3}, 1, 3, 64), path, chosen, rows);
  measure_weighted(make_convolution({112, 3, 1, 1}, 32, 1, 32), path, chosen, rows);
  measure_weighted(make_convolution({14, 3, 1, 1}, 384, 1, 384), path, chosen, rows);
  for (const std::size_t count : {std::size_t{56 * 56 * 64}, std::size_t{14 * 14 * 256}, std::size_t{1} << 24}) {
    const addition_problem problem(count);
    measure(problem, "residual add", problem.shape(), path, "GB/s", chosen, rows);
  }
  using kinds = pooling_problem::kinds;
  for (const pooling_problem& problem :
       {pooling_problem(kinds::maximum, {112, 3, 2, 1}, 64), pooling_problem(kinds::maximum, {28, 2, 2, 0}, 128),
        pooling_problem(kinds::average, {28, 2, 2, 0}, 128), pooling_problem(kinds::average, {7, 7, 1, 0}, 512)})
    measure(problem, problem.operation(), problem.shape(), path, "GB/s", chosen, rows);
  for (const std::size_t count : {std::size_t{14 * 14 * 256}, std::size_t{56 * 56 * 64}}) {
    const lookup_problem problem(count);
    measure(problem, "lookup, rescale", problem.shape(), path, "GB/s", chosen, rows);
  }
  for (const transpose_problem& problem : {transpose_problem(3, 224 * 224), transpose_problem(256, 14 * 14)})
    measure(problem, "transpose", problem.shape(), path, "GB/s", chosen, rows);
  return rows;
}

/// In a process of its own, as some peers choose their instruction set once and for all.
json measure_apart(const std::string& path, const options& chosen) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("kernels_benchmark: no pipe");
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const std::string text = measure_all(path, chosen).dump();
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t written = ::write(ends[1], text.data() + sent, text.size() - sent);
      if (written <= 0) std::_Exit(EXIT_FAILURE);
      sent += static_cast<std::size_t>(written);
    }
    std::_Exit(EXIT_SUCCESS);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("kernels_benchmark: " + path + " ended early");
  return json::parse(text);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program("The kernels beside other libraries and beside the core's limits");
  std::string filter, json_file;
  options chosen;
  program.add_option("--json", json_file, "Write all rows to this file");
  program.add_option("--filter", filter, "Only rows whose \"operation shape path\" holds this regular expression");
  program.add_option("--seconds", chosen.seconds, "Processor time of a row")->capture_default_str();
  CLI11_PARSE(program, argc, argv);
  chosen.filter = std::regex(filter);

  std::printf("%-22s %-22s %-12s %8s %s %8s  %-11s %-26s %8s  ratio [quartiles]\n", "operation", "shape", "path",
              "ours", "    ", "limit", "peer", "its path", "peer's");
  json rows = json::array();
  for (const std::string& path : our_paths())
    for (json& row : measure_apart(path, chosen)) rows.push_back(std::move(row));
  if (!json_file.empty()) std::ofstream(json_file) << rows.dump(2) << '\n';
}
