// SPDX-License-Identifier: MIT
// Running a plan allocates nothing: operator new is replaced by one that counts.
#include <bitwright/layers/convolution.hpp>
#include <bitwright/layers/linear.hpp>
#include <bitwright/layers/pooling.hpp>
#include <bitwright/layers/residual_add.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <vector>

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
  const std::vector<std::int8_t> weights(2 * 3 * 3 * 4, 1);
  const std::vector<affine_scale> maps{{1}};
  const affine_scale one{1};
  const linear<> multiply(
      {.input = one, .weights = tensor_view<const std::int8_t>(weights, {2, 36}), .weight_maps = maps, .output = one});
  const convolution<> convolve({.input = one,
                                .image = {5, 5},
                                .weights = tensor_view<const std::int8_t>(weights, {2, 3, 3, 4}),
                                .weight_maps = maps,
                                .padding = image_padding::on_all_sides(1),
                                .output = one});
  const residual_add<> add({.left = one, .right = one, .output = one});
  const pooling_window window{.image = {5, 5}, .channels = 4, .kernel = {3, 3}};
  const max_pooling<> greatest(window);
  const average_pooling<> average({.input = one, .window = window, .output = one});

  const std::vector<std::uint8_t> rows(5 * 36), image(convolve.input_size());
  std::vector<std::uint8_t> products(10), convolved(convolve.output_size()), sum(100), pooled(greatest.output_size());
  std::vector<std::byte> workspace(std::max(multiply.workspace_bytes(), convolve.workspace_bytes()));
  const auto run = [&](const auto& pool) {
    return allocations_of([&] {
      multiply.run(rows, products, workspace, pool);
      convolve.run(image, convolved, workspace, pool);
      add.run(image, image, sum, pool);
      greatest.run(image, pooled, pool);
      average.run(image, pooled, pool);
    });
  };
  EXPECT_EQ(run(serial_executor()), 0u);
  EXPECT_EQ(run(type_erased()), 0u);
}

}  // namespace
}  // namespace bitwright
