# SPDX-License-Identifier: MIT
# What one header costs the program that includes it: seconds to compile a use of it, and bytes of the stripped program.
# Run as: cmake -P benchmarks/compile_time.cmake, on an idle machine. Each line is the fastest of three.
set(root "${CMAKE_CURRENT_LIST_DIR}/..")
set(work "${CMAKE_CURRENT_BINARY_DIR}/compile_time")
file(MAKE_DIRECTORY "${work}")

set(empty "")
set(include_gemm "#include <bitwright/kernels/gemm.hpp>\n")
set(use_gemm "${include_gemm}
int main() {
  const auto& path = bitwright::best_path(
      bitwright::kernels::gemm_paths<std::uint8_t, std::uint8_t, bitwright::half_to_even>);
  bitwright::kernels::gemm_arguments<std::uint8_t, std::uint8_t> call{};
  path.run(call, 0, 0);
}
")
set(include_linear "#include <bitwright/layers/linear.hpp>\n")
set(use_linear "${include_linear}
int main() {
  const std::int8_t weight = 1;
  const bitwright::affine_scale one{1};
  const bitwright::linear<> layer(
      {.input = one, .weights = {{&weight, 1}, {1, 1}}, .weight_maps = {&one, 1}, .output = one});
  return static_cast<int>(layer.input_size()) - 1;
}
")
foreach(only IN ITEMS empty include_gemm include_linear)
  string(APPEND ${only} "int main() {}\n")
endforeach()

foreach(compiler IN ITEMS g++ clang++-16 clang++)
  find_program(found_${compiler} ${compiler})
  if(NOT found_${compiler})
    continue()
  endif()
  foreach(program IN ITEMS empty include_gemm use_gemm include_linear use_linear)
    file(WRITE "${work}/${program}.cpp" "${${program}}")
    set(fastest 1000000)
    foreach(repetition RANGE 2)
      string(TIMESTAMP before "%s%f")
      execute_process(COMMAND ${found_${compiler}} -std=c++20 -O2 -s -I "${root}/include" "${work}/${program}.cpp"
        -o "${work}/${program}" COMMAND_ERROR_IS_FATAL ANY)
      string(TIMESTAMP after "%s%f")
      math(EXPR milliseconds "(${after} - ${before}) / 1000")
      if(milliseconds LESS fastest)
        set(fastest ${milliseconds})
      endif()
    endforeach()
    file(SIZE "${work}/${program}" bytes)
    message("${compiler}  ${program}: ${fastest} ms, ${bytes} bytes")
  endforeach()
endforeach()
