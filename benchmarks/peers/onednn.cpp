// SPDX-License-Identifier: MIT
#include "peers.hpp"

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

namespace bitwright::benchmarks::onednn {

namespace {

using dnnl::memory;
using data = memory::data_type;
using tag = memory::format_tag;

/// One thread, as everybody here.
dnnl::engine& engine() {
  static dnnl::engine one = [] {
    omp_set_num_threads(1);
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return one;
}

memory::dim dim(std::size_t size) { return static_cast<memory::dim>(size); }

/// A primitive with its memory, ready to run.
struct prepared {
  dnnl::stream stream{engine()};
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;

  void run() {
    primitive.execute(stream, arguments);
    stream.wait();
  }

  std::vector<std::uint8_t> codes() const {
    const memory& output = arguments.at(DNNL_ARG_DST);
    const auto* first = static_cast<const std::uint8_t*>(output.get_data_handle());
    return {first, first + output.get_desc().get_size()};
  }
};

template <class Values>
memory filled(const memory::desc& layout, const Values& values) {
  memory result(layout, engine());
  std::memcpy(result.get_data_handle(), values.data(), values.size() * sizeof(values[0]));
  return result;
}

/// The values in the layout that a primitive asks for.
template <class Values>
memory packed(const memory::desc& plain, const Values& values, const memory::desc& wanted) {
  memory source = filled(plain, values), result(wanted, engine());
  dnnl::stream stream(engine());
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

contestant entry(std::shared_ptr<prepared> call, const std::string& name, const char* implementation, double work,
                 bool has_codes) {
  contestant one{.name = name, .path = implementation, .run = [call] { call->run(); }, .work = work};
  if (has_codes) one.codes = [call] { return call->codes(); };
  return one;
}

/// The types of one of oneDNN's ways to do it.
struct types {
  const char* name;
  data activations, weights, bias, outputs;
};
constexpr types in_8_bits{"oneDNN", data::u8, data::s8, data::s32, data::u8};
constexpr types in_floats{"oneDNN fp32", data::f32, data::f32, data::f32, data::f32};

template <class Values>
memory filled_as(data type, const memory::desc& layout, const Values& values) {
  if (type != data::f32) return filled(layout, values);
  return filled(layout, std::vector<float>(values.begin(), values.end()));
}

template <class Values>
memory packed_as(data type, const memory::desc& plain, const Values& values, const memory::desc& wanted) {
  if (type != data::f32) return packed(plain, values, wanted);
  return packed(plain, std::vector<float>(values.begin(), values.end()), wanted);
}

/// Makes and fills what a weighted sum's primitive descriptor describes.
template <class Primitive, class Description>
void add_prepared(const weighted_problem& problem, const types& kind, const Description& description,
                  const memory::desc& plain_weights, std::vector<contestant>& all) {
  auto call = std::make_shared<prepared>();
  call->primitive = Primitive(description);
  call->arguments = {
      {DNNL_ARG_SRC, filled_as(kind.activations, description.src_desc(), problem.activations)},
      {DNNL_ARG_WEIGHTS, packed_as(kind.weights, plain_weights, problem.weights, description.weights_desc())},
      {DNNL_ARG_BIAS, filled_as(kind.bias, description.bias_desc(), problem.bias)},
      {DNNL_ARG_DST, memory(description.dst_desc(), engine())}};
  all.push_back(entry(call, kind.name, description.impl_info_str(), problem.operations(), kind.outputs == data::u8));
}

dnnl::primitive_attr requantization(const weighted_problem& problem, const types& kind) {
  dnnl::primitive_attr attributes;
  if (kind.outputs == data::u8) attributes.set_output_scales(1 << 1, problem.float_factors());
  return attributes;
}

void add_inner_product(const weighted_problem& problem, const types& kind, std::vector<contestant>& all) {
  const memory::dim rows = dim(problem.rows), inputs = dim(problem.inputs()), outputs = dim(problem.outputs);
  const dnnl::inner_product_forward::desc wanted(
      dnnl::prop_kind::forward_inference, {{rows, inputs}, kind.activations, tag::ab},
      {{outputs, inputs}, kind.weights, tag::any}, {{outputs}, kind.bias, tag::a},
      {{rows, outputs}, kind.outputs, tag::ab});
  const dnnl::inner_product_forward::primitive_desc description(wanted, requantization(problem, kind), engine());
  add_prepared<dnnl::inner_product_forward>(problem, kind, description, {{outputs, inputs}, kind.weights, tag::ab},
                                            all);
}

void add_matmul(const weighted_problem& problem, const types& kind, std::vector<contestant>& all) {
  const memory::dim rows = dim(problem.rows), inputs = dim(problem.inputs()), outputs = dim(problem.outputs);
  const dnnl::matmul::desc wanted({{rows, inputs}, kind.activations, tag::ab},
                                  {{inputs, outputs}, kind.weights, tag::any}, {{1, outputs}, kind.bias, tag::ab},
                                  {{rows, outputs}, kind.outputs, tag::ab});
  const dnnl::matmul::primitive_desc description(wanted, requantization(problem, kind), engine());
  add_prepared<dnnl::matmul>(problem, kind, description, {{inputs, outputs}, kind.weights, tag::ba}, all);
}

void add_convolution(const weighted_problem& problem, const types& kind, std::vector<contestant>& all) {
  const auto& [image, kernel, stride, padding] = problem.window;
  const memory::dim pixels = dim(image), taps = dim(kernel), results = dim(problem.window.output()), pad = dim(padding);
  const memory::dim groups = dim(problem.groups), channels = dim(problem.group_channels),
                    outputs = dim(problem.outputs);
  const bool grouped = problem.groups > 1;
  const memory::dims shape = grouped ? memory::dims{groups, outputs / groups, channels, taps, taps}
                                     : memory::dims{outputs, channels, taps, taps};
  const memory::desc plain(shape, kind.weights, grouped ? tag::goihw : tag::oihw);
  const memory::desc ours(shape, kind.weights, grouped ? tag::abdec : tag::acdb);
  const dnnl::convolution_forward::desc wanted(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                               {{1, groups * channels, pixels, pixels}, kind.activations, tag::nhwc},
                                               {shape, kind.weights, tag::any}, {{outputs}, kind.bias, tag::a},
                                               {{1, outputs, results, results}, kind.outputs, tag::nhwc},
                                               {dim(stride), dim(stride)}, {pad, pad}, {pad, pad});
  const dnnl::convolution_forward::primitive_desc description(wanted, requantization(problem, kind), engine());
  // A depthwise weight has one input channel: height, width and nothing else follow the group in both orders.
  add_prepared<dnnl::convolution_forward>(problem, kind, description, grouped ? plain : ours, all);
}

/// Of the entries from `first` on, keeps the fastest.
void keep_the_fastest(std::vector<contestant>& all, std::size_t first) {
  std::vector<contestant> rivals(all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
  hold(rivals, 0.02);
  auto best = std::max_element(rivals.begin(), rivals.end(), [](const contestant& a, const contestant& b) {
    return quantile(a.rates, 0.5) < quantile(b.rates, 0.5);
  });
  best->rates.clear();
  all.resize(first);
  all.push_back(*best);
}

}  // namespace

void keep_to(std::string_view path) {
  if (path == "avx2") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  if (path == "avx_vnni") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2_vnni);
  if (path == "avx512_vnni" || path == "avx512_vpopcntdq") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_vnni);
}

void add(const weighted_problem& problem, std::vector<contestant>& all) {
  for (const types& kind : {in_8_bits, in_floats}) {
    if (!problem.is_gemm) {
      add_convolution(problem, kind, all);
      continue;
    }
    const std::size_t first = all.size();
    add_inner_product(problem, kind, all);
    add_matmul(problem, kind, all);
    keep_the_fastest(all, first);
  }
}

void add(const binary_problem& problem, std::vector<contestant>& all) {
  const std::size_t first = all.size();
  add_inner_product(problem.wide, in_floats, all);
  add_matmul(problem.wide, in_floats, all);
  keep_the_fastest(all, first);
}

void add(const pooling_problem& problem, std::vector<contestant>& all) {
  const memory::dim pixels = dim(problem.window.image), results = dim(problem.window.output()),
                    channels = dim(problem.channels), taps = dim(problem.window.kernel),
                    stride = dim(problem.window.stride), pad = dim(problem.window.padding);
  const bool maximum = problem.kind == pooling_problem::kinds::maximum;
  const dnnl::pooling_forward::desc wanted(
      dnnl::prop_kind::forward_inference,
      maximum ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding,
      {{1, channels, pixels, pixels}, data::u8, tag::nhwc}, {{1, channels, results, results}, data::u8, tag::nhwc},
      {stride, stride}, {taps, taps}, {pad, pad}, {pad, pad});
  const dnnl::pooling_forward::primitive_desc description(wanted, engine());
  auto call = std::make_shared<prepared>();
  call->primitive = dnnl::pooling_forward(description);
  call->arguments = {{DNNL_ARG_SRC, filled(description.src_desc(), problem.activations)},
                     {DNNL_ARG_DST, memory(description.dst_desc(), engine())}};
  all.push_back(entry(call, "oneDNN", description.impl_info_str(), problem.bytes(), true));
}

void add(const addition_problem& problem, std::vector<contestant>& all) {
  const memory::desc codes({1, dim(problem.left.size())}, data::u8, tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scales(DNNL_ARG_SRC_0, 0, {problem.left_factor});
  attributes.set_scales(DNNL_ARG_SRC_1, 0, {problem.right_factor});
  const dnnl::binary::primitive_desc description({dnnl::algorithm::binary_add, codes, codes, codes}, attributes,
                                                 engine());
  auto call = std::make_shared<prepared>();
  call->primitive = dnnl::binary(description);
  call->arguments = {{DNNL_ARG_SRC_0, filled(codes, problem.left)},
                     {DNNL_ARG_SRC_1, filled(codes, problem.right)},
                     {DNNL_ARG_DST, memory(codes, engine())}};
  all.push_back(entry(call, "oneDNN", description.impl_info_str(), problem.bytes(), true));
}

}  // namespace bitwright::benchmarks::onednn
