// SPDX-License-Identifier: MIT
// Running a plan allocates nothing: operator new is replaced by one that counts.
#include "every_plan.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>

namespace {

std::atomic<std::size_t> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  // aligned_alloc takes whole multiples of the alignment.
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

// Never inlined: a compiler that sees free() meet new takes it for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace bitwright {
namespace {

/// An executor that, like many, takes its work in a std::function.
struct type_erased {
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& work) const {
    for (std::size_t i = 0; i < count; ++i) work(i);
  }
};

template <class Call>
std::size_t allocations_of(Call call) {
  const std::size_t before = allocations;
  call();
  return allocations - before;
}

// By direct calls: a compiler may leave out what a container allocates and nobody reads, and clang does.
TEST(allocations, are_counted) {
  EXPECT_EQ(allocations_of([] { operator delete(operator new(10)); }), 1u);
  constexpr std::align_val_t alignment{64};
  EXPECT_EQ(allocations_of([] { operator delete(operator new(10, alignment), alignment); }), 1u);
}

TEST(allocations, are_none_when_a_plan_runs) {
  for (const std::string& path : reference::names_of_paths()) {
    const reference::every_plan plan(path);
    reference::every_output outputs = plan.outputs();
    EXPECT_EQ(allocations_of([&] { plan.run(outputs); }), 0u) << path;
    EXPECT_EQ(allocations_of([&] { plan.run(outputs, type_erased()); }), 0u) << path;
  }
}

}  // namespace
}  // namespace bitwright
