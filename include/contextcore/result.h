#pragma once
// Errors are values. Status is success or an Error; Result<T> is a T or an Error.
//
// An Error carries one code of a closed list, a message for people that names the offending input,
// and optionally a hint (what to do), candidates ("did you mean") and a position in the input.
// Exceptions of third-party code are caught at the file that wraps it.

#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace contextcore {

enum class Code : uint8_t {
  invalid_argument,     // the input is wrong whatever the state is
  not_found,            // the thing named does not exist
  already_exists,       // it exists with other content
  conflict,             // stale revision, token or claim: re-read and decide again
  failed_precondition,  // the state forbids it (ended task, open children, ...)
  resource_exhausted,   // a limit or quota; may be retried later
  unavailable,          // cannot be served now; may be retried
  deadline_exceeded,    // took longer than allowed
  cancelled,            // the caller went away
  permission_denied,    // not allowed for this caller
  unsupported,          // understood, but not built in this version
  corruption,           // stored bytes fail their checksum or their format
  io_error,             // the operating system said no
  internal,             // a defect of ours
};

// Stable snake_case name of a code, as used in JSON errors.
std::string_view code_name(Code code);

struct Error {
  Code code = Code::internal;
  std::string message;
  std::string hint;                     // what to do about it; may be empty
  std::vector<std::string> candidates;  // close matches; may be empty
  std::optional<int64_t> position;      // byte offset in the offending input, if it has one

  // "message (hint)" for logs and terminals.
  std::string to_string() const;
};

// Success or an Error. One word; the error lives on the heap.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT: implicit
  Status(Code code, std::string message) : Status(Error{code, std::move(message), {}, {}, {}}) {}
  Status(const Status& other)
      : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  // REQUIRES: !ok()
  const Error& error() const& {
    assert(error_);
    return *error_;
  }
  Error error() && {
    assert(error_);
    return std::move(*error_);
  }

 private:
  std::unique_ptr<Error> error_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(Error error)
      : state_(std::in_place_index<1>, std::make_unique<Error>(std::move(error))) {}  // NOLINT
  Result(Code code, std::string message) : Result(Error{code, std::move(message), {}, {}, {}}) {}
  // REQUIRES: !status.ok()
  Result(Status status) : Result(std::move(status).error()) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // REQUIRES for the following: ok()
  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) && { return ok() ? std::move(value()) : std::move(other); }
  // REQUIRES: !ok()
  const Error& error() const& {
    assert(!ok());
    return **std::get_if<1>(&state_);
  }
  Error error() && {
    assert(!ok());
    return std::move(**std::get_if<1>(&state_));
  }
  Status status() const { return ok() ? Status() : Status(error()); }

 private:
  std::variant<T, std::unique_ptr<Error>> state_;
};

// CC_TRY(expr): returns the error of a Status (or Result) expression from the enclosing function.
#define CC_TRY(expr)                                          \
  do {                                                        \
    if (auto cc_try_status_ = (expr); !cc_try_status_.ok()) { \
      return std::move(cc_try_status_).error();               \
    }                                                         \
  } while (false)

#define CC_CONCAT_INNER(a, b) a##b
#define CC_CONCAT(a, b) CC_CONCAT_INNER(a, b)
// CC_ASSIGN(auto x, expr): declares x from a Result, or returns its error.
#define CC_ASSIGN(decl, expr) CC_ASSIGN_IMPL(CC_CONCAT(cc_result_, __LINE__), decl, expr)
#define CC_ASSIGN_IMPL(tmp, decl, expr)         \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp).error(); \
  decl = std::move(tmp).value()

}  // namespace contextcore
