// SPDX-License-Identifier: MIT
/// \file
/// Writing a file whole or not at all: a reader never meets half of one.
#pragma once

#include <bitwright/core/error.hpp>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

/// Writes `contents` beside `file` and renames it into place; missing folders are made.
/// Throws bitwright::invalid_argument where that cannot be done; then an older `file` is as it was.
inline void write_whole(const std::filesystem::path& file, std::string_view contents) {
  std::error_code failure;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), failure);
  std::filesystem::path partial = file;
  partial += ".partial";
  std::ofstream stream(partial, std::ios::binary);
  stream.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  stream.close();
  if (stream) std::filesystem::rename(partial, file, failure);
  if (stream && !failure) return;
  std::filesystem::remove(partial, failure);
  bitwright::fail("write_whole: file", file.string(), "a place that can be written");
}
