// SPDX-License-Identifier: MIT
#include "report.hpp"

#include "../write_whole.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string_view>

namespace fashion_mnist {
namespace {

constexpr const char* columns =
    "plan,scheme,mean_weight_bits,size_bytes,bops,top1_float,top1_simulated,top1_integer,images_per_second";

bool quantized(const plan_result& result) { return result.scheme != "float"; }

std::string as_csv(std::span<const plan_result> results) {
  std::ostringstream csv;
  csv << columns << '\n';
  for (const plan_result& r : results) {
    csv << r.plan << ',' << r.scheme << ',' << r.mean_weight_bits << ',' << r.size_bytes << ',' << r.bops << ','
        << r.top1_float << ',';
    if (quantized(r))
      csv << r.top1_simulated << ',' << r.top1_integer;
    else
      csv << ',';
    csv << ',' << r.images_per_second << '\n';
  }
  return csv.str();
}

std::string as_json(std::span<const plan_result> results) {
  nlohmann::ordered_json plans = nlohmann::ordered_json::array();
  for (const plan_result& r : results) {
    nlohmann::ordered_json plan = {{"plan", r.plan},
                                   {"scheme", r.scheme},
                                   {"mean_weight_bits", r.mean_weight_bits},
                                   {"size_bytes", r.size_bytes},
                                   {"bops", r.bops},
                                   {"top1_float", r.top1_float},
                                   {"top1_simulated", r.top1_simulated},
                                   {"top1_integer", r.top1_integer},
                                   {"images_per_second", r.images_per_second}};
    if (!quantized(r)) plan["top1_simulated"] = plan["top1_integer"] = nullptr;
    plans.push_back(std::move(plan));
  }
  return nlohmann::ordered_json{{"plans", std::move(plans)}}.dump(2) + '\n';
}

// Size in kB and top-1 in percent of one scheme's plans, as a data block of gnuplot's.
std::string points(std::span<const plan_result> results, std::string_view scheme) {
  std::ostringstream block;
  block << '$' << scheme << " << END\n";
  for (const plan_result& r : results)
    if (r.scheme == scheme)
      block << static_cast<double>(r.size_bytes) / 1000 << ' ' << 100 * r.top1_integer << " \"" << r.plan << "\"\n";
  block << "END\n";
  return block.str();
}

std::string as_plot(std::span<const plan_result> results, const std::filesystem::path& picture) {
  std::string quoted;  // In gnuplot's single quotes, a quote is written twice.
  for (const char letter : picture.string()) quoted += letter == '\'' ? "''" : std::string(1, letter);
  std::ostringstream script;
  script << "set terminal pngcairo size 960,600 font 'sans,11'\n"
         << "set output '" << quoted << "'\n"
         << "set title 'Integer-only inference on the test images'\n"
         << "set xlabel 'weights, scales and biases (kB)'\nset ylabel 'top-1 (%)'\n"
         << "set key bottom right\nset grid\nset offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05\n"
         << points(results, "uniform") << points(results, "mixed") << "plot " << 100 * results.front().top1_float
         << " with lines dashtype 2 linecolor 'gray40' title 'float', \\\n"
         << "  $uniform using 1:2 with linespoints pointtype 5 linecolor 'orange-red' title 'uniform', \\\n"
         << "  $mixed using 1:2 with points pointtype 7 pointsize 1.3 linecolor 'blue' title 'mixed', \\\n"
         << "  $uniform using 1:2:3 with labels offset 0,-1 font ',9' notitle\n";
  return script.str();
}

}  // namespace

std::string table_heading() {
  return "plan                 weight bits   size kB   MBOPS   float %   simulated %   integer %   images/s";
}

std::string table_line(const plan_result& r) {
  char line[160], measured[40] = "            -           -";
  if (quantized(r))
    std::snprintf(measured, sizeof measured, "%13.2f %11.2f", 100 * r.top1_simulated, 100 * r.top1_integer);
  std::snprintf(line, sizeof line, "%-20s %11.2f %9.1f %7.0f %9.2f %s %10.0f", r.plan.c_str(), r.mean_weight_bits,
                static_cast<double>(r.size_bytes) / 1000, static_cast<double>(r.bops) / 1e6, 100 * r.top1_float,
                measured, r.images_per_second);
  return line;
}

bool write_report(std::span<const plan_result> results, const std::filesystem::path& directory) {
  write_whole(directory / "report.csv", as_csv(results));
  write_whole(directory / "report.json", as_json(results));
  const std::filesystem::path script = directory / "accuracy.gnuplot";
  write_whole(script, as_plot(results, directory / "accuracy.png"));
  return std::system(("gnuplot \"" + script.string() + "\"").c_str()) == 0;
}

}  // namespace fashion_mnist
