// SPDX-License-Identifier: MIT
#include "fashion_mnist/trained_network.hpp"

#include "refusal.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

namespace fashion_mnist {
namespace {

using bitwright::reference::refusal;

network tiny_network() {
  network net(1, 1);
  net.linear("two", net.convolution("one", 0, 1, {}), 1);
  return net;
}

class weights_file : public testing::Test {
 protected:
  void SetUp() override {
    trained_.weights = {1.5f, -2};
    trained_.gamma[0] = 3;
    trained_.beta = {0.25f, 7};
    trained_.mean[0] = -1;
    trained_.variance[0] = 4;
    save(trained_, net_, path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string content() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string message() const {
    return refusal([this] { load(net_, path_); });
  }

  const network net_ = tiny_network();
  trained_network trained_{net_};
  const std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(weights_file, is_read_as_it_was_written) {
  const trained_network read = load(net_, path_);
  EXPECT_EQ(read.weights, trained_.weights);
  EXPECT_EQ(read.gamma, trained_.gamma);
  EXPECT_EQ(read.beta, trained_.beta);
  EXPECT_EQ(read.mean, trained_.mean);
  EXPECT_EQ(read.variance, trained_.variance);
}

TEST_F(weights_file, has_the_documented_bytes) {
  using namespace std::string_literals;
  const std::string expected =
      "bwfloats\1\0\0\0\7\0\0\0"
      "\13\0\0\0one.weights\4\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0\xC0\x3F"s;  // 1.5f is 0x3FC00000.
  EXPECT_EQ(content().substr(0, expected.size()), expected);
  // 16 at the front; for each tensor 8, its name, 4 a dimension and 4 a value; 4 at the end.
  EXPECT_EQ(content().size(), 16u + (8 + 11 + 20) + (8 + 9 + 8) + (8 + 8 + 8) + (8 + 8 + 8) + (8 + 12 + 8) +
                                  (8 + 11 + 20) + (8 + 8 + 8) + 4);
}

TEST_F(weights_file, is_missed_by_name) {
  std::filesystem::remove(path_);
  EXPECT_EQ(message(), "load: file is \"" + path_.string() + "\", expected a file that exists");
}

TEST_F(weights_file, is_refused_wherever_it_ends_too_early) {
  const std::string whole = content();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    EXPECT_NE(message().find(path_.string()), std::string::npos) << size << ": " << message();
  }
}

TEST_F(weights_file, is_refused_with_any_byte_changed_or_added) {
  const std::string whole = content();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write(changed);
    EXPECT_NE(message(), "nothing was refused") << i;
  }
  write(whole + '\0');
  EXPECT_NE(message(), "nothing was refused");
}

TEST_F(weights_file, of_another_network_is_refused) {
  network other(1, 1);
  other.linear("two", other.convolution("one", 0, 2, {}), 1);
  EXPECT_EQ(refusal([&] { load(other, path_); }),
            "load: " + path_.string() + ": a dimension of one.weights is 1, expected 2");
  network renamed(1, 1);
  renamed.linear("two", renamed.convolution("won", 0, 1, {}), 1);
  EXPECT_EQ(refusal([&] { load(renamed, path_); }),
            "load: " + path_.string() + ": tensor is \"one.weights\", expected won.weights");
}

TEST_F(weights_file, with_values_that_no_network_has_is_refused) {
  trained_.variance[0] = -1;
  save(trained_, net_, path_);
  EXPECT_EQ(message(), "load: " + path_.string() + ": the least variance is -1, expected at least 0");
  trained_.weights[1] = std::numeric_limits<float>::infinity();
  save(trained_, net_, path_);
  EXPECT_EQ(message(), "load: " + path_.string() + ": a value of two.weights is inf, expected a finite number");
}

TEST_F(weights_file, stays_as_it_was_where_none_can_be_written) {
  EXPECT_THROW(save(trained_, net_, path_ / "below a file"), bitwright::invalid_argument);
  EXPECT_EQ(load(net_, path_).weights, trained_.weights);
}

}  // namespace
}  // namespace fashion_mnist
