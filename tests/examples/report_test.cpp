// SPDX-License-Identifier: MIT
#include "fashion_mnist/report.hpp"

#include "refusal.hpp"
#include "write_whole.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace fashion_mnist {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A folder of the test's own, with a quote in its name, that goes away with it.
class report_test : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_ = fs::path(testing::TempDir()) /
                     (std::string("bitwright's ") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<plan_result> results_ = {{.plan = "fp32",
                                        .scheme = "float",
                                        .mean_weight_bits = 32,
                                        .size_bytes = 100000,
                                        .bops = 3000000,
                                        .top1_float = 0.93,
                                        .images_per_second = 1000},
                                       {.plan = "W4A8",
                                        .scheme = "uniform",
                                        .mean_weight_bits = 4,
                                        .size_bytes = 12500,
                                        .bops = 100000,
                                        .nanoseconds = 7000,
                                        .omega = 0.25,
                                        .top1_float = 0.93,
                                        .top1_integer = 0.9125,
                                        .top1_corrected = 0.92,
                                        .images_per_second = 900}};
  std::vector<bitwright::frontier_point> frontier_ = {{10000, 2, 0.5}, {12500, 1, 0.25}};
};

TEST_F(report_test, leaves_out_what_only_plans_have) {
  plan_result codebook = results_[1];
  codebook.plan = "W4 codebook";
  codebook.scheme = "codebook";
  codebook.nanoseconds = 0;
  results_ = {results_[0], codebook};
  write_report(results_, frontier_, folder_);
  const std::string csv = content(folder_ / "report.csv");
  EXPECT_TRUE(csv.ends_with("\nW4 codebook,codebook,4,12500,100000,0.93,0.9125,0.92,900\n")) << csv;
  const auto json = nlohmann::json::parse(content(folder_ / "report.json"));
  for (const char* unknown : {"nanoseconds", "omega"}) EXPECT_TRUE(json["plans"][1][unknown].is_null()) << unknown;
  EXPECT_EQ(json["plans"][1]["top1_corrected"], 0.92);
  EXPECT_EQ(
      table_line(codebook, 0.9),
      "W4 codebook                 4.00      12.5       0       91.25     +1.25         92.00     +2.00        900");
}

TEST_F(report_test, csv_has_a_line_for_each_plan_and_no_accuracy_that_was_not_measured) {
  write_report(results_, frontier_, folder_);
  EXPECT_EQ(content(folder_ / "report.csv"),
            "plan,scheme,mean_weight_bits,size_bytes,bops,top1_float,top1_integer,top1_corrected,images_per_second\n"
            "fp32,float,32,100000,3000000,0.93,,,1000\n"
            "W4A8,uniform,4,12500,100000,0.93,0.9125,0.92,900\n");
}

TEST_F(report_test, json_holds_the_same_and_more) {
  write_report(results_, frontier_, folder_);
  const auto report = nlohmann::json::parse(content(folder_ / "report.json"));
  const auto& plans = report.at("plans");
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_TRUE(plans[0].at("top1_integer").is_null());
  EXPECT_EQ(plans[1].at("plan"), "W4A8");
  EXPECT_EQ(plans[1].at("size_bytes"), 12500);
  EXPECT_EQ(plans[1].at("top1_integer"), 0.9125);
  EXPECT_TRUE(plans[0].at("omega").is_null());
  EXPECT_EQ(plans[1].at("omega"), 0.25);
  EXPECT_EQ(plans[1].at("nanoseconds"), 7000);
  EXPECT_EQ(report.at("frontier").dump(), R"([{"omega":0.5,"size_bytes":10000},{"omega":0.25,"size_bytes":12500}])");
}

TEST_F(report_test, draws_plots_exactly_if_it_says_so) {
  const bool drawn = write_report(results_, frontier_, folder_);
  EXPECT_EQ(drawn, fs::exists(folder_ / "accuracy.png") && fs::exists(folder_ / "frontier.png"));
}

TEST_F(report_test, table_lines_are_as_wide_as_their_heading) {
  for (const plan_result& result : results_) EXPECT_EQ(table_line(result, 0.9).size(), table_heading().size());
}

TEST_F(report_test, a_file_is_written_whole_or_not_at_all) {
  write_whole(folder_ / "new" / "file", "one");
  write_whole(folder_ / "new" / "file", "two");
  EXPECT_EQ(content(folder_ / "new" / "file"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "new"), {}), 1);
  // A file cannot be a folder, and a folder cannot be replaced by a file.
  const fs::path below = folder_ / "new" / "file" / "below";
  EXPECT_EQ(bitwright::reference::refusal([&] { write_whole(below, "three"); }),
            "write_whole: file is \"" + below.string() + "\", expected a place that can be written");
  EXPECT_THROW(write_whole(folder_ / "new", "three"), bitwright::invalid_argument);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace fashion_mnist
