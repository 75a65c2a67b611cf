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
    "plan,scheme,mean_weight_bits,size_bytes,bops,top1_float,top1_integer,top1_corrected,images_per_second";

bool quantized(const plan_result& result) { return result.scheme != "float"; }

std::string as_csv(std::span<const plan_result> results) {
  std::ostringstream csv;
  csv << columns << '\n';
  for (const plan_result& r : results) {
    csv << r.plan << ',' << r.scheme << ',' << r.mean_weight_bits << ',' << r.size_bytes << ',' << r.bops << ','
        << r.top1_float << ',';
    if (quantized(r)) csv << r.top1_integer;
    csv << ',';
    if (quantized(r)) csv << r.top1_corrected;
    csv << ',' << r.images_per_second << '\n';
  }
  return csv.str();
}

std::string as_json(std::span<const plan_result> results, std::span<const bitwright::frontier_point> frontier) {
  nlohmann::ordered_json plans = nlohmann::ordered_json::array();
  for (const plan_result& r : results) {
    nlohmann::ordered_json plan = {{"plan", r.plan},
                                   {"scheme", r.scheme},
                                   {"mean_weight_bits", r.mean_weight_bits},
                                   {"size_bytes", r.size_bytes},
                                   {"bops", r.bops},
                                   {"nanoseconds", r.nanoseconds},
                                   {"omega", r.omega},
                                   {"top1_float", r.top1_float},
                                   {"top1_integer", r.top1_integer},
                                   {"top1_corrected", r.top1_corrected},
                                   {"images_per_second", r.images_per_second}};
    if (r.nanoseconds == 0)
      for (const char* unknown : {"nanoseconds", "omega"}) plan[unknown] = nullptr;
    if (!quantized(r))
      for (const char* unknown : {"top1_integer", "top1_corrected"}) plan[unknown] = nullptr;
    plans.push_back(std::move(plan));
  }
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const bitwright::frontier_point& point : frontier)
    points.push_back({{"size_bytes", point.cost}, {"omega", point.omega}});
  return nlohmann::ordered_json{{"plans", std::move(plans)}, {"frontier", std::move(points)}}.dump(1) + '\n';
}

// One scheme's plans as a data block of gnuplot's: size in kB, a value, name.
std::string points(std::span<const plan_result> results, std::string_view scheme, double (*value)(const plan_result&)) {
  std::ostringstream block;
  block << '$' << scheme << " << END\n";
  for (const plan_result& r : results)
    if (r.scheme == scheme)
      block << static_cast<double>(r.size_bytes) / 1000 << ' ' << value(r) << " \"" << r.plan << "\"\n";
  block << "END\n";
  return block.str();
}

std::string plot_heading(const std::filesystem::path& picture, std::string_view title) {
  std::string quoted;  // In gnuplot's single quotes, a quote is written twice.
  for (const char letter : picture.string()) quoted += letter == '\'' ? "''" : std::string(1, letter);
  std::ostringstream script;
  script << "set terminal pngcairo size 960,600 font 'sans,11'\n"
         << "set output '" << quoted << "'\n"
         << "set title '" << title << "'\n"
         << "set xlabel 'weights, scales and biases (kB)'\n"
         << "set grid\nset offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05\n";
  return script.str();
}

constexpr const char* plot_of_plans =
    "  $uniform using 1:2 with linespoints pointtype 5 linecolor 'orange-red' title 'uniform', \\\n"
    "  $mixed using 1:2 with points pointtype 7 pointsize 1.3 linecolor 'blue' title 'mixed', \\\n"
    "  $uniform using 1:2:3 with labels offset 0,-1 font ',9' notitle\n";

std::string accuracy_plot(std::span<const plan_result> results, const std::filesystem::path& picture) {
  const auto percent = [](const plan_result& r) { return 100 * r.top1_integer; };
  std::ostringstream script;
  script << plot_heading(picture, "Integer-only inference on the test images")
         << "set ylabel 'top-1 (%)'\nset key bottom right\n"
         << points(results, "uniform", percent) << points(results, "mixed", percent) << "plot "
         << 100 * results.front().top1_float << " with lines dashtype 2 linecolor 'gray40' title 'float', \\\n"
         << plot_of_plans;
  return script.str();
}

std::string frontier_plot(std::span<const plan_result> results, std::span<const bitwright::frontier_point> frontier,
                          const std::filesystem::path& picture) {
  const auto omega = [](const plan_result& r) { return r.omega; };
  std::ostringstream script;
  script << plot_heading(picture, "The least sum of Omegas for each size, and the plans")
         << "set ylabel 'sum of Omegas'\nset logscale y\nset format y '%g'\nset key top right\n"
         << points(results, "uniform", omega) << points(results, "mixed", omega) << "$frontier << END\n";
  for (const bitwright::frontier_point& point : frontier)
    script << static_cast<double>(point.cost) / 1000 << ' ' << point.omega << '\n';
  script << "END\nplot $frontier using 1:2 with steps linecolor 'gray40' title 'exact frontier', \\\n" << plot_of_plans;
  return script.str();
}

bool draw(const std::filesystem::path& script, const std::string& text) {
  write_whole(script, text);
  return std::system(("gnuplot \"" + script.string() + "\"").c_str()) == 0;
}

}  // namespace

std::string table_heading() {
  return "plan                 weight bits   size kB   MBOPS   integer %   to W8A8   corrected %   to W8A8   images/s";
}

std::string table_line(const plan_result& r, double top1_of_8_bits) {
  char line[160], accuracies[80];
  if (quantized(r))
    std::snprintf(accuracies, sizeof accuracies, "%11.2f %+9.2f %13.2f %+9.2f", 100 * r.top1_integer,
                  100 * (r.top1_integer - top1_of_8_bits), 100 * r.top1_corrected,
                  100 * (r.top1_corrected - top1_of_8_bits));
  else
    std::snprintf(accuracies, sizeof accuracies, "%11s %9s %13s %9s", "float", "", "", "");
  std::snprintf(line, sizeof line, "%-20s %11.2f %9.1f %7.0f %s %10.0f", r.plan.c_str(), r.mean_weight_bits,
                static_cast<double>(r.size_bytes) / 1000, static_cast<double>(r.bops) / 1e6, accuracies,
                r.images_per_second);
  return line;
}

bool write_report(std::span<const plan_result> results, std::span<const bitwright::frontier_point> frontier,
                  const std::filesystem::path& directory) {
  write_whole(directory / "report.csv", as_csv(results));
  write_whole(directory / "report.json", as_json(results, frontier));
  return draw(directory / "accuracy.gnuplot", accuracy_plot(results, directory / "accuracy.png")) &&
         draw(directory / "frontier.gnuplot", frontier_plot(results, frontier, directory / "frontier.png"));
}

}  // namespace fashion_mnist
