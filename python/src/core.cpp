// The Python package's only C++: Backend and configuration, JSON text in and out. Classes, names
// and exceptions that users see are Python (contextcore/*.py). Every call releases the interpreter
// lock.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "base/process.h"
#include "base/random.h"
#include "base/time.h"
#include "otlp/json.h"
#include "sdk/backend.h"
#include "sdk/config.h"

namespace py = pybind11;
using namespace contextcore;

namespace {

// Raised in Python as contextcore._core.CoreError(code, message, hint, candidates).
struct CoreError {
  Error error;
};

template <typename T>
T unwrap(Result<T> result) {
  if (!result.ok()) throw CoreError{std::move(result).error()};
  return std::move(result).value();
}

Json found_json(const std::vector<sdk::FoundTrace>& traces) {
  JsonArray out;
  for (const sdk::FoundTrace& trace : traces) {
    JsonArray spans;
    for (const sdk::FoundSpan& span : trace.spans) {
      JsonObject attributes;
      for (const auto& [key, value] : span.attributes) attributes.emplace_back(key, value);
      spans.push_back(JsonObject{{"span_id", span.span_id},
                                 {"name", span.name},
                                 {"start_ns", span.start_ns},
                                 {"duration_ns", span.duration_ns},
                                 {"attributes", std::move(attributes)}});
    }
    out.push_back(JsonObject{{"trace_id", trace.trace_id},
                             {"root_service", trace.root_service},
                             {"root_name", trace.root_name},
                             {"start_ns", trace.start_ns},
                             {"duration_ns", trace.duration_ns},
                             {"matched", trace.matched},
                             {"spans", std::move(spans)}});
  }
  return out;
}

Json labels_json(const sdk::Labels& labels) {
  JsonObject out;
  for (const auto& [name, value] : labels) out.emplace_back(name, value);
  return out;
}

Json logs_json(const sdk::LogAnswer& answer) {
  JsonArray lines, series;
  for (const sdk::LogLine& line : answer.lines) {
    lines.push_back(JsonObject{
        {"time_ns", line.time_ns}, {"labels", labels_json(line.labels)}, {"line", line.line}});
  }
  for (const sdk::Series& one : answer.series) {
    JsonArray samples;
    for (const auto& [time_ns, value] : one.samples) samples.push_back(JsonArray{time_ns, value});
    series.push_back(
        JsonObject{{"labels", labels_json(one.labels)}, {"samples", std::move(samples)}});
  }
  return JsonObject{
      {"type", answer.type}, {"lines", std::move(lines)}, {"series", std::move(series)}};
}

class PyBackend {
 public:
  PyBackend(const std::string& store, const std::string& server, const std::string& emit_mode,
            int64_t lease_seconds, const std::string& durability) {
    sdk::BackendOptions options;
    options.store = store;
    options.server = server;
    options.work.emit_mode = emit_mode;
    options.work.lease_seconds = lease_seconds;
    options.durability = durability;
    backend_ = sdk::Backend::make(std::move(options));
  }
  std::string command(const std::string& json) {
    const py::gil_scoped_release release;
    const work::Command command = unwrap(work::command_from_json(unwrap(parse_json(json))));
    return to_string(unwrap(backend_->command(command)));
  }
  std::string question(const std::string& json) {
    const py::gil_scoped_release release;
    const work::Question question = unwrap(work::question_from_json(unwrap(parse_json(json))));
    return to_string(unwrap(backend_->question(question)));
  }
  std::string search(const std::string& traceql, int64_t start_ns, int64_t end_ns, int64_t limit,
                     int64_t spans_per_trace) {
    const py::gil_scoped_release release;
    return to_string(
        found_json(unwrap(backend_->search(traceql, {start_ns, end_ns, limit, spans_per_trace}))));
  }
  std::string logs(const std::string& logql, int64_t start_ns, int64_t end_ns, int64_t limit,
                   bool backward) {
    const py::gil_scoped_release release;
    sdk::LogOptions options;
    options.start_ns = start_ns;
    options.end_ns = end_ns;
    options.limit = limit;
    options.backward = backward;
    return to_string(logs_json(unwrap(backend_->logs(logql, options))));
  }
  // OTLP JSON, or "" when there is no such trace.
  std::string trace(const std::string& hex) {
    const py::gil_scoped_release release;
    otlp::TraceId id;
    if (!otlp::parse_hex(hex, id))
      throw CoreError{{Code::invalid_argument, "not a trace id: " + hex, {}, {}, {}}};
    const auto trace = unwrap(backend_->trace(id));
    return trace ? otlp::encode_json(*trace) : std::string();
  }
  std::string rebuild() {
    const py::gil_scoped_release release;
    return to_string(unwrap(backend_->rebuild()));
  }
  std::string describe() {
    const py::gil_scoped_release release;
    return backend_->describe();
  }
  bool created_store() const { return backend_->created_store(); }

 private:
  std::unique_ptr<sdk::Backend> backend_;
};

// name → (value, origin) of every setting.
std::map<std::string, std::pair<std::string, std::string>> load_config(const std::string& store,
                                                                       const std::string& project,
                                                                       const std::string& agent,
                                                                       const std::string& session,
                                                                       const std::string& server) {
  sdk::ConfigFlags flags{store, project, agent, session, server};
  const std::string directory = unwrap(current_directory());
  const sdk::Config config = unwrap(sdk::load_config(real_file_system(), directory, flags));
  std::map<std::string, std::pair<std::string, std::string>> out;
  for (const sdk::Setting& setting : config.settings)
    out[setting.name] = {setting.value, setting.origin};
  return out;
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The ContextCore engine";
  static PyObject* exception =
      PyErr_NewException("contextcore._core.CoreError", PyExc_Exception, nullptr);
  module.attr("CoreError") = py::handle(exception);
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const CoreError& failure) {
      const py::tuple arguments =
          py::make_tuple(std::string(code_name(failure.error.code)), failure.error.message,
                         failure.error.hint, failure.error.candidates);
      PyErr_SetObject(exception, arguments.ptr());
    }
  });
  py::class_<PyBackend>(module, "Backend")
      .def(py::init<const std::string&, const std::string&, const std::string&, int64_t,
                    const std::string&>(),
           py::arg("store"), py::arg("server"), py::arg("emit_mode"), py::arg("lease_seconds"),
           py::arg("durability"))
      .def("command", &PyBackend::command)
      .def("question", &PyBackend::question)
      .def("search", &PyBackend::search)
      .def("logs", &PyBackend::logs)
      .def("trace", &PyBackend::trace)
      .def("rebuild", &PyBackend::rebuild)
      .def("describe", &PyBackend::describe)
      .def("created_store", &PyBackend::created_store);
  module.def("load_config", &load_config);
  module.def("make_session", [] { return uuid_v7(real_clock().wall_ns(), real_random()); });
  module.def("parse_time", [](const std::string& text) {
    return unwrap(parse_time(text, real_clock().wall_ns()));
  });
}
