// SPDX-License-Identifier: MIT
#include "dataset.hpp"

#include "../write_whole.hpp"
#include <bitwright/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>

namespace fashion_mnist {
namespace {

// An idx file: a magic number, a length for each dimension, all 32 bits big-endian, and then the bytes.
// The magic number is 0x0800 (for unsigned bytes) plus the number of dimensions.
constexpr std::uint32_t images_magic = 0x0803, labels_magic = 0x0801;

struct files {
  std::filesystem::path images, labels;
};
files train_files(const std::filesystem::path& directory) {
  return {directory / "train-images-idx3-ubyte.gz", directory / "train-labels-idx1-ubyte.gz"};
}
files test_files(const std::filesystem::path& directory) {
  return {directory / "t10k-images-idx3-ubyte.gz", directory / "t10k-labels-idx1-ubyte.gz"};
}

using bytes = std::vector<std::uint8_t>;
using gzip_file = std::unique_ptr<gzFile_s, decltype(&gzclose)>;

bytes read_gzip(const std::filesystem::path& path) {
  // More than the whole data set: a file that unpacks to no end is not read to its end.
  constexpr std::size_t limit = std::size_t{1} << 26, step = std::size_t{1} << 20;
  bitwright::require(std::filesystem::is_regular_file(path), "load_dataset: file", path.string(),
                     "a file that exists; Debian's package dataset-fashion-mnist has it");
  const gzip_file file(gzopen(path.c_str(), "rb"), gzclose);
  bitwright::require(file != nullptr, "load_dataset: file", path.string(), "a file that can be read");
  bytes content;
  int count = 0;
  do {
    const std::size_t size = content.size();
    content.resize(size + step);
    count = gzread(file.get(), content.data() + size, step);
    content.resize(size + static_cast<std::size_t>(std::max(count, 0)));
  } while (count > 0 && content.size() <= limit);
  int error = Z_OK;
  gzerror(file.get(), &error);  // Z_BUF_ERROR where the file ends too early.
  bitwright::require(count == 0 && error == Z_OK, "load_dataset: file", path.string(),
                     "gzipped data, whole and unbroken, of at most 64 MiB");
  return content;
}

// The bytes behind the header, which has to be `magic`, any number of items, and then `item_sizes`.
bytes read_idx(const std::filesystem::path& path, std::uint32_t magic, std::span<const std::uint32_t> item_sizes) {
  bytes content = read_gzip(path);
  const std::string file = "load_dataset: " + path.string();
  const std::size_t header = 4 * (2 + item_sizes.size());
  bitwright::require(content.size() >= header, file + ": bytes", content.size(), "a header of ", header, " bytes");
  const auto word = [&content](std::size_t index) {
    const std::uint8_t* const at = content.data() + 4 * index;
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | std::uint32_t{at[3]};
  };
  bitwright::require(word(0) == magic, file + ": magic number", word(0), magic);
  std::size_t expected = word(1);
  bitwright::require(expected > 0, file + ": items", expected, "at least 1");
  for (std::size_t i = 0; i < item_sizes.size(); ++i) {
    bitwright::require(word(2 + i) == item_sizes[i], file + ": size of an item", word(2 + i), item_sizes[i]);
    expected *= item_sizes[i];
  }
  bitwright::require(content.size() - header == expected, file + ": bytes behind the header", content.size() - header,
                     expected, ", as the header says");
  content.erase(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(header));
  return content;
}

labelled_images load(const files& from) {
  constexpr std::uint32_t sizes[] = {image_size, image_size};
  labelled_images result{read_idx(from.images, images_magic, sizes), read_idx(from.labels, labels_magic, {})};
  const std::string labels = "load_dataset: " + from.labels.string() + ": ";
  bitwright::require(result.pixels.size() == result.size() * pixels_per_image, labels + "items", result.size(),
                     "one for each of the ", result.pixels.size() / pixels_per_image, " images");
  const std::uint8_t largest = std::ranges::max(result.labels);
  bitwright::require(largest < classes, labels + "largest label", int{largest}, "at most ", classes - 1);
  return result;
}

void write_idx(const std::filesystem::path& path, std::uint32_t magic, std::span<const std::uint32_t> item_sizes,
               std::span<const std::uint8_t> items) {
  std::vector<std::uint32_t> words{magic, 0};
  words.insert(words.end(), item_sizes.begin(), item_sizes.end());
  std::size_t item = 1;
  for (const std::uint32_t size : item_sizes) item *= size;
  words[1] = static_cast<std::uint32_t>(items.size() / item);

  std::string content;
  for (const std::uint32_t word : words)
    for (int shift = 24; shift >= 0; shift -= 8) content += static_cast<char>(word >> shift & 255);
  content.append(items.begin(), items.end());

  std::filesystem::path partial = path;
  partial += ".partial";
  gzip_file file(gzopen(partial.c_str(), "wb9"), gzclose);
  const bool written =
      file != nullptr && gzwrite(file.get(), content.data(), static_cast<unsigned>(content.size())) > 0;
  bitwright::require(gzclose(file.release()) == Z_OK && written, "write_sample: file", path.string(),
                     "a place that can be written");
  std::filesystem::rename(partial, path);
}

void write_first(const labelled_images& all, std::size_t count, const files& to, const char* argument) {
  bitwright::require(count > 0 && count <= all.size(), argument, count, "from 1 to the data set's ", all.size());
  constexpr std::uint32_t sizes[] = {image_size, image_size};
  write_idx(to.images, images_magic, sizes, std::span(all.pixels).first(count * pixels_per_image));
  write_idx(to.labels, labels_magic, {}, std::span(all.labels).first(count));
}

}  // namespace

std::filesystem::path sample_directory() {
  return std::filesystem::path(BITWRIGHT_EXAMPLES_DIR) / "fashion_mnist" / "sample";
}

std::filesystem::path default_directory() {
  const std::filesystem::path debian = "/usr/share/datasets/fashion-mnist";
  return std::filesystem::is_directory(debian) ? debian : sample_directory();
}

dataset load_dataset(const std::filesystem::path& directory) {
  return {.train = load(train_files(directory)), .test = load(test_files(directory)), .directory = directory};
}

void write_sample(const dataset& whole, std::size_t train, std::size_t test, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  write_first(whole.train, train, train_files(directory), "write_sample: train");
  write_first(whole.test, test, test_files(directory), "write_sample: test");
}

std::vector<float> to_values(std::span<const std::uint8_t> pixels) {
  std::vector<float> values(pixels.size());
  std::ranges::transform(pixels, values.begin(), [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255; });
  return values;
}

}  // namespace fashion_mnist
