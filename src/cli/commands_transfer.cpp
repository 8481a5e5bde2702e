// contextcore export and import: the event log as NDJSON, OTLP files into the store; and how far it has been handed on.

#include <cstdio>

#include "base/file_system.h"
#include "cli/arguments.h"
#include "cli/export_view.h"
#include "cli/otlp_import.h"
#include "cli/task_view.h"
#include "sdk/export_control.h"

namespace contextcore::cli {
namespace {

constexpr int64_t kPageEvents = 5000;
// What one request carries to a server.
constexpr size_t kRequestBytes = 4 << 20;

Result<sdk::ExportControl> export_control(Context& context) {
  CC_ASSIGN(const sdk::Config* config, context.config());
  return sdk::ExportControl(config->get("store"), config->get("server"), real_file_system(),
                            real_clock(), real_network());
}

int export_status(Context& context, const Arguments& arguments) {
  auto control = export_control(context);
  if (!control.ok()) return context.fail(control.error());
  const bool letters = arguments.given("letters");
  auto status = control->status(letters);
  if (!status.ok()) return context.fail(status.error());
  context.print(context.flags.json ? json_line("export_status", *status)
                                   : export_status_text(*status, context.terminal));
  return kDone;
}

int export_retry(Context& context, const Arguments& arguments) {
  auto control = export_control(context);
  if (!control.ok()) return context.fail(control.error());
  auto answer = control->retry(arguments.text_of("destination"));
  if (!answer.ok()) return context.fail(answer.error());
  context.print(context.flags.json ? json_line("export_retry", *answer)
                                   : export_retry_text(*answer));
  return kDone;
}

int export_events(Context& context, const Arguments& arguments) {
  int64_t after = 0;
  while (true) {
    JsonObject args{{"limit", kPageEvents}, {"after", after}};
    if (arguments.given("all_projects")) args.emplace_back("all_projects", true);
    auto page = context.question("log.export", std::move(args));
    if (!page.ok()) return context.fail(page.error());
    for (const Json& event : items_of(*page)) context.print(json_line("event", event));
    const Json* next = page->find("next");
    if (next == nullptr || next->as_int() == nullptr) return kDone;
    after = *next->as_int();
  }
}

// The first part of text to send: whole lines, and whole instants as far as lines of one time
// follow each other.
size_t part_size(std::string_view text) {
  if (text.size() <= kRequestBytes) return text.size();
  const auto time_of = [&](size_t line) {
    const size_t at = text.find("\"time\":\"", line);
    return at == std::string_view::npos ? std::string_view() : text.substr(at, 38);
  };
  size_t end = text.rfind('\n', kRequestBytes);
  if (end == std::string_view::npos) return text.size();
  while (true) {
    const size_t before = text.rfind('\n', end - 1);
    const size_t next = text.find('\n', end + 1);
    if (next == std::string_view::npos) return text.size();
    if (before == std::string_view::npos || time_of(before + 1) != time_of(end + 1)) return end + 1;
    end = next;
  }
}

int import_events(Context& context, const Arguments& arguments) {
  const std::vector<std::string> paths = arguments.texts_of("files");
  if (arguments.given("otlp")) return import_otlp(context, paths);
  if (paths.size() != 1) {
    return context.fail(Error{Code::invalid_argument,
                              "import takes one file of events",
                              "several files at once are for --otlp",
                              {},
                              {}});
  }
  const std::string& path = paths.front();
  Result<std::string> text = context.read_input(path);
  if (!text.ok()) return context.fail(text.error());
  auto backend = context.backend();
  if (!backend.ok()) return context.fail(backend.error());
  int64_t counts[3] = {0, 0, 0};
  static constexpr std::string_view kNames[] = {"imported", "known", "spans"};
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t size = part_size(rest);
    auto answer = (*backend)->import_events(std::string(rest.substr(0, size)));
    if (!answer.ok()) return context.fail(answer.error());
    for (size_t i = 0; i < 3; ++i) {
      const Json* count = answer->find(kNames[i]);
      if (count != nullptr && count->as_int() != nullptr) counts[i] += *count->as_int();
    }
    rest.remove_prefix(size);
  }
  if (context.flags.json) {
    context.print(json_line(
        "import", JsonObject{{"imported", counts[0]}, {"known", counts[1]}, {"spans", counts[2]}}));
  } else {
    context.print("Imported " + std::to_string(counts[0]) + " events (" +
                  std::to_string(counts[1]) + " known already), " + std::to_string(counts[2]) +
                  " spans written.\n");
  }
  return kDone;
}

}  // namespace

void add_transfer_commands(CLI::App& app, Action& chosen) {
  // The command's own action runs last and gives way to that of a word behind it.
  const auto below = std::make_shared<Action>();
  add_command(
      app, "export",
      "Every event of the project as NDJSON: the lossless own format; status and retry: how far "
      "the server has handed telemetry on",
      chosen, [](Arguments& a) { a.flag("--all-projects", "all_projects", "of every project"); },
      [below](Context& context, const Arguments& arguments) {
        return *below ? (*below)(context) : export_events(context, arguments);
      });
  CLI::App& transfer = *app.get_subcommand("export");
  transfer.require_subcommand(0, 1);
  add_command(
      transfer, "status", "How far each destination has come, and what it refused", *below,
      [](Arguments& a) { a.flag("--letters", "letters", "with every dead letter"); },
      export_status);
  add_command(
      transfer, "retry", "Try again at once: dead letters, and what waits for its next attempt",
      *below,
      [](Arguments& a) { a.positional("destination", "one destination (default: all)", false); },
      export_retry);
  add_command(
      app, "import",
      "Add events that export wrote (what is known already changes nothing), or OTLP files", chosen,
      [](Arguments& a) {
        a.flag(
             "--otlp", "otlp",
             "the files are OTLP: JSON or protobuf requests as the OpenTelemetry Collector's file "
             "exporter writes them, also compressed")
            .rest("files", "the file, or - for standard input; several with --otlp");
      },
      import_events);
}

}  // namespace contextcore::cli
