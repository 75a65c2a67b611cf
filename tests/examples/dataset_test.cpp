// SPDX-License-Identifier: MIT
#include "fashion_mnist/dataset.hpp"

#include "refusal.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace fashion_mnist {
namespace {

using bitwright::reference::refusal;
namespace fs = std::filesystem;

/// A folder with ten images of each kind, to spoil.
class dataset_files : public testing::Test {
 protected:
  void SetUp() override { write_sample(load_dataset(sample_directory()), 10, 10, directory_); }
  void TearDown() override { fs::remove_all(directory_); }

  std::string message() const {
    return refusal([this] { load_dataset(directory_); });
  }

  /// Packs `content` as the test images or labels.
  void write(const char* name, const std::string& content) const {
    const gzFile file = gzopen((directory_ / name).c_str(), "wb1");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
  }

  const fs::path directory_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  const fs::path images_ = directory_ / "t10k-images-idx3-ubyte.gz";
};

constexpr const char* labels = "t10k-labels-idx1-ubyte.gz";
std::string label_header(char magic, char items) { return {0, 0, 8, magic, 0, 0, 0, items}; }

TEST(dataset, comes_with_a_sample_of_all_classes) {
  const dataset sample = load_dataset(sample_directory());
  EXPECT_EQ(sample.directory, sample_directory());
  EXPECT_EQ(sample.train.size(), 512u);
  EXPECT_EQ(sample.test.size(), 2000u);
  EXPECT_EQ(sample.test.pixels.size(), 2000u * 784);
  // The data set begins its training images with an ankle boot and two T-shirts, its test images with an ankle boot.
  EXPECT_EQ(sample.train.labels[0], 9);
  EXPECT_EQ(sample.train.labels[1], 0);
  EXPECT_EQ(sample.train.labels[2], 0);
  EXPECT_EQ(sample.test.labels[0], 9);
  for (std::uint8_t label = 0; label < classes; ++label) EXPECT_GT(std::ranges::count(sample.test.labels, label), 150);
}

TEST(dataset, scales_pixels_to_one) {
  EXPECT_EQ(to_values(std::vector<std::uint8_t>{0, 51, 255}), (std::vector{0.0f, 0.2f, 1.0f}));
}

TEST_F(dataset_files, are_read_as_they_were_written) {
  const dataset sample = load_dataset(sample_directory()), copy = load_dataset(directory_);
  EXPECT_TRUE(std::ranges::equal(copy.train.pixels, std::span(sample.train.pixels).first(10 * 784)));
  EXPECT_TRUE(std::ranges::equal(copy.test.labels, std::span(sample.test.labels).first(10)));
}

TEST_F(dataset_files, are_missed_by_name) {
  fs::remove(images_);
  EXPECT_EQ(message(), "load_dataset: file is \"" + images_.string() +
                           "\", expected a file that exists; Debian's package dataset-fashion-mnist has it");
}

TEST_F(dataset_files, are_refused_where_they_end_too_early) {
  for (std::uintmax_t size = fs::file_size(images_); size > 0;) {
    fs::resize_file(images_, size -= std::min<std::uintmax_t>(size, 61));
    EXPECT_NE(message().find(images_.string()), std::string::npos) << size << ": " << message();
  }
}

TEST_F(dataset_files, are_refused_with_a_byte_changed) {
  std::fstream file(images_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(1000);
  file.put('x').put('y').put('z');
  file.close();
  EXPECT_EQ(message(), "load_dataset: file is \"" + images_.string() +
                           "\", expected gzipped data, whole and unbroken, of at most 64 MiB");
}

TEST_F(dataset_files, of_another_kind_are_refused) {
  const std::string file = "load_dataset: " + (directory_ / labels).string();
  write(labels, "an essay");  // "an e" is 0x616e2065.
  EXPECT_EQ(message(), file + ": magic number is 1634607205, expected 2049");
  write(labels, "an");
  EXPECT_EQ(message(), file + ": bytes is 2, expected a header of 8 bytes");
  write(labels, label_header(1, 9) + std::string(10, '\1'));
  EXPECT_EQ(message(), file + ": bytes behind the header is 10, expected 9, as the header says");
  write(labels, label_header(1, 0));
  EXPECT_EQ(message(), file + ": items is 0, expected at least 1");
  write(labels, label_header(1, 9) + std::string(9, '\1'));
  EXPECT_EQ(message(), file + ": items is 9, expected one for each of the 10 images");
  write(labels, label_header(1, 10) + std::string(9, '\1') + '\12');
  EXPECT_EQ(message(), file + ": largest label is 10, expected at most 9");
  fs::copy_file(images_, directory_ / labels, fs::copy_options::overwrite_existing);
  EXPECT_EQ(message(), file + ": magic number is 2051, expected 2049");
}

TEST_F(dataset_files, with_images_of_another_size_are_refused) {
  write("t10k-images-idx3-ubyte.gz", label_header(3, 1) + std::string{0, 0, 0, 32, 0, 0, 0, 32});
  EXPECT_EQ(message(), "load_dataset: " + images_.string() + ": size of an item is 32, expected 28");
}

TEST_F(dataset_files, that_unpack_to_no_end_are_not_read_to_it) {
  write(labels, label_header(1, 10) + std::string(std::size_t{65} << 20, '\1'));
  EXPECT_EQ(message(), "load_dataset: file is \"" + (directory_ / labels).string() +
                           "\", expected gzipped data, whole and unbroken, of at most 64 MiB");
}

TEST_F(dataset_files, are_not_made_of_more_images_than_there_are) {
  const dataset ten = load_dataset(directory_);
  EXPECT_EQ(refusal([&] { write_sample(ten, 10, 11, directory_); }),
            "write_sample: test is 11, expected from 1 to the data set's 10");
}

}  // namespace
}  // namespace fashion_mnist
