// SPDX-License-Identifier: MIT
/// \file
/// Errors: bad input is refused with a message that names the argument, its value and what was expected.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bitwright {

/// What every refusal in bitwright throws: an argument's name, its value and what was expected.
class invalid_argument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Receives the message where exceptions are switched off (`-fno-exceptions`); when it returns, the program aborts.
using error_handler = void (*)(const char* message);

/// The handler in force: prints to the standard error stream until a program assigns its own.
inline error_handler on_error = [](const char* message) { std::fprintf(stderr, "bitwright: %s\n", message); };

/// Ends the call with `message`: throws invalid_argument, or without exceptions calls `on_error` and aborts.
[[noreturn]] inline void fail(const std::string& message) {
#if defined(__cpp_exceptions)
  throw invalid_argument(message);
#else
  on_error(message.c_str());
  std::abort();
#endif
}

/// A value as an error message shows it: numbers in the fewest digits that read back the same, ranges as [a, b, c].
template <class Value>
std::string describe(const Value& value) {
  if constexpr (std::convertible_to<Value, std::string_view>) {
    return '"' + std::string(std::string_view(value)) + '"';
  } else if constexpr (std::ranges::input_range<Value>) {
    std::string text = "[";
    for (const auto& element : value) text += (text.size() > 1 ? ", " : "") + describe(element);
    return text + "]";
  } else if constexpr (std::same_as<Value, bool>) {
    return value ? "true" : "false";
  } else {
    char digits[32];  // The longest double takes 24.
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
}

/// Refuses a call: "<argument> is <value>, expected <expected>". `argument` reads "function: argument"; `expected` is
/// joined from strings, which stand as they are, and values, which are described.
template <class Value, class... Expected>
[[noreturn]] void fail(std::string_view argument, const Value& value, const Expected&... expected) {
  std::string message = std::string(argument) + " is " + describe(value) + ", expected ";
  const auto append = [&message]<class Part>(const Part& part) {
    if constexpr (std::convertible_to<Part, std::string_view>)
      message += std::string_view(part);
    else
      message += describe(part);
  };
  (append(expected), ...);
  fail(message);
}

/// Refuses the call unless `ok`, with the message of fail(). Nothing is put together unless it fails.
template <class Value, class... Expected>
constexpr void require(bool ok, std::string_view argument, const Value& value, const Expected&... expected) {
  if (!ok) [[unlikely]]
    fail(argument, value, expected...);
}

}  // namespace bitwright
