// SPDX-License-Identifier: MIT
#include "onednn_reorder.hpp"

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

namespace bitwright::benchmarks {

namespace {

using dnnl::memory;

std::function<void()> reorder(const void* from, memory::data_type from_type, void* to, memory::data_type to_type,
                              std::size_t count, float factor) {
  omp_set_num_threads(1);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const memory::dims shape{static_cast<memory::dim>(count)};
  const memory::desc source(shape, from_type, memory::format_tag::a), target(shape, to_type, memory::format_tag::a);
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(0, {factor});
  const dnnl::reorder primitive(dnnl::reorder::primitive_desc(engine, source, engine, target, attributes));
  const memory input(source, engine, const_cast<void*>(from)), output(target, engine, to);
  return [primitive, input, output, stream = dnnl::stream(engine)]() mutable {
    primitive.execute(stream, {{DNNL_ARG_FROM, input}, {DNNL_ARG_TO, output}});
    stream.wait();
  };
}

}  // namespace

std::function<void()> onednn_quantize(const float* values, std::int8_t* codes, std::size_t count, float scale) {
  return reorder(values, memory::data_type::f32, codes, memory::data_type::s8, count, 1 / scale);
}

std::function<void()> onednn_dequantize(const std::int8_t* codes, float* values, std::size_t count, float scale) {
  return reorder(codes, memory::data_type::s8, values, memory::data_type::f32, count, scale);
}

}  // namespace bitwright::benchmarks
