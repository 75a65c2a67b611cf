// SPDX-License-Identifier: MIT
/// \file
/// Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): grey images of 28 x 28 pixels, each of one of ten kinds of clothing,
/// in four gzipped idx files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace fashion_mnist {

inline constexpr std::size_t image_size = 28;  ///< Height, and width.
inline constexpr std::size_t pixels_per_image = image_size * image_size;
inline constexpr std::size_t classes = 10;
inline constexpr std::array<const char*, classes> class_names = {
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"};

/// Images with the class of each.
struct labelled_images {
  std::vector<std::uint8_t> pixels;  ///< [images][28][28], row by row.
  std::vector<std::uint8_t> labels;  ///< [images], each below `classes`.

  std::size_t size() const { return labels.size(); }
};

struct dataset {
  labelled_images train, test;
  std::filesystem::path directory;  ///< Where it was found.
};

/// The sample that comes with the examples: the first 512 images to train on and the first 2,000 to test with.
std::filesystem::path sample_directory();

/// Where Debian's package dataset-fashion-mnist puts the whole data set, or the sample where that is not installed.
std::filesystem::path default_directory();

/// Reads the four files of `directory`.
/// Throws bitwright::invalid_argument, naming the file, where one is missing, broken, or holds something else.
dataset load_dataset(const std::filesystem::path& directory = default_directory());

/// Writes the first `train` and `test` images of `whole` as a data set of the same form: this makes the sample.
/// Throws bitwright::invalid_argument where there are fewer, or a file cannot be written.
void write_sample(const dataset& whole, std::size_t train, std::size_t test, const std::filesystem::path& directory);

/// Pixels as the network takes them: pixel / 255, in [0, 1].
std::vector<float> to_values(std::span<const std::uint8_t> pixels);

}  // namespace fashion_mnist
