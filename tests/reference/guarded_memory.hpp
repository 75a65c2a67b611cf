// SPDX-License-Identifier: MIT
/// \file
/// Memory with a page beside it that nobody may touch: a read or write outside ends the program, and says what ran.
/// For systems with mmap.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace bitwright::reference {

/// Which end of the memory lies at the page without access.
enum class fence { before, after };

/// `count` elements. Where an alignment greater than the type's leaves bytes between the last element and the fence
/// after it, these bytes are checked for writes only.
template <class T>
class guarded_memory {
 public:
  guarded_memory(std::size_t count, fence side, std::size_t alignment = alignof(T))
      : count_(count), page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    const std::size_t bytes = count * sizeof(T), room = (bytes + page_ - 1) / page_ * page_;
    mapped_ = room + 2 * page_;
    void* const pages = ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    start_ = static_cast<std::byte*>(pages);
    if (room > 0 && ::mprotect(start_ + page_, room, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    std::memset(start_ + page_, untouched, room);
    first_ = start_ + page_ + (side == fence::before ? 0 : (room - bytes) / alignment * alignment);
  }

  guarded_memory(const std::vector<T>& values, fence side) : guarded_memory(values.size(), side) {
    std::ranges::copy(values, data());
  }

  guarded_memory(const guarded_memory&) = delete;
  guarded_memory& operator=(const guarded_memory&) = delete;
  ~guarded_memory() { ::munmap(start_, mapped_); }

  T* data() const { return reinterpret_cast<T*>(first_); }
  std::span<T> elements() const { return {data(), count_}; }

  /// Whether all bytes on the pages around the elements are as they were.
  bool is_intact_around() const {
    const std::byte* const last = first_ + count_ * sizeof(T);
    const auto is_untouched = [](std::byte byte) { return byte == std::byte{untouched}; };
    return std::all_of(static_cast<const std::byte*>(start_ + page_), static_cast<const std::byte*>(first_),
                       is_untouched) &&
           std::all_of(last, static_cast<const std::byte*>(start_ + mapped_ - page_), is_untouched);
  }

 private:
  static constexpr unsigned char untouched = 0xa5;

  std::size_t count_;
  std::size_t page_;
  std::size_t mapped_;
  std::byte* start_;
  std::byte* first_;
};

/// What a program that is ended by a fence writes last.
class fenced_call {
 public:
  /// From now on, and until the next, `what` is running.
  static void is(const std::string& what) {
    std::signal(SIGSEGV, touched);
    const std::size_t length = std::min(what.size(), sizeof(name) - 2);
    std::copy_n(what.data(), length, name);
    name[length] = '\n', name[length + 1] = '\0';
  }

 private:
  static void touched(int) {
    static constexpr char message[] = "memory outside of a buffer was touched by ";
    if (::write(STDERR_FILENO, message, sizeof(message) - 1) < 0 || ::write(STDERR_FILENO, name, std::strlen(name)) < 0)
      std::_Exit(EXIT_FAILURE + 1);
    std::_Exit(EXIT_FAILURE);
  }

  static inline char name[200];
};

}  // namespace bitwright::reference
