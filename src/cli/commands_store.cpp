// contextcore store verify, backup, restore, stats, retention, compact: care of the files of a store. All
// but the last read the files themselves, beside a server or without one.

#include <fmt/format.h>

#include "base/process.h"
#include "cli/arguments.h"
#include "cli/progress.h"
#include "cli/store_view.h"
#include "demo/demo_store.h"
#include "sdk/store_settings.h"
#include "sdk/tenant_config.h"
#include "store/backup.h"
#include "store/breakdown.h"
#include "store/store.h"
#include "work/hooks.h"

namespace contextcore::cli {
namespace {

int64_t integer(uint64_t number) { return static_cast<int64_t>(number); }

Json damage_json(const store::Damage& damage) {
  JsonArray affected;
  for (const std::string& name : damage.affected) affected.emplace_back(name);
  return JsonObject{{"file", damage.file}, {"part", damage.part},         {"rows", damage.rows},
                    {"what", damage.what}, {"affected", std::move(affected)}, {"remedy", damage.remedy}};
}

JsonObject report_json(const std::string& path, const store::VerifyReport& report) {
  JsonArray damages, notes;
  for (const store::Damage& damage : report.damages) damages.push_back(damage_json(damage));
  for (const std::string& note : report.notes) notes.emplace_back(note);
  return JsonObject{{"store", path},
                    {"store_id", report.store_id},
                    {"sound", report.sound()},
                    {"edit", integer(report.edit)},
                    {"sequence", integer(report.sequence)},
                    {"files", integer(report.files)},
                    {"bytes", integer(report.bytes)},
                    {"pages", integer(report.pages)},
                    {"span_rows", integer(report.span_rows)},
                    {"log_rows", integer(report.log_rows)},
                    {"masked_rows", integer(report.masked_rows)},
                    {"metric_samples", integer(report.metric_samples)},
                    {"work_rows", integer(report.work_rows)},
                    {"commands", integer(report.commands)},
                    {"digests", integer(report.digests)},
                    {"frames", integer(report.frames)},
                    {"damaged", integer(report.damages.size() + report.more_damages)},
                    {"damages", std::move(damages)},
                    {"notes", std::move(notes)}};
}

void print_damages(Context& context, const store::VerifyReport& report) {
  for (const store::Damage& damage : report.damages) {
    context.print(context.terminal.paint(Style::red, "damaged") + "  " + damage.file + "\n");
    std::string place = damage.part;
    if (!damage.rows.empty()) place += (place.empty() ? "rows " : ", rows ") + damage.rows;
    context.print("         " + (place.empty() ? "" : place + ": ") + damage.what + "\n");
    if (!damage.affected.empty()) {
      std::string names;
      for (const std::string& name : damage.affected) names += (names.empty() ? "" : ", ") + name;
      context.print("         of " + names + (damage.affected.size() == store::kAffectedMax ? " …" : "") + "\n");
    }
    context.print("         " + damage.remedy + "\n");
  }
  if (report.more_damages > 0) context.print(fmt::format("… and {} more\n", report.more_damages));
  for (const std::string& note : report.notes) context.print("note     " + note + "\n");
}

std::string checked_text(const store::VerifyReport& report) {
  return fmt::format("{} files, {}, {} pages; {} spans, {} log records, {} samples, {} index rows, {} transactions of the log",
                     report.files, size_text(report.bytes), report.pages, report.span_rows, report.log_rows,
                     report.metric_samples, report.work_rows, report.frames);
}

int verify(Context& context, const Arguments&) {
  const auto path = store_path(context);
  if (!path.ok()) return context.fail(path.error());
  ProgressBar bar;
  store::VerifyOptions options;
  options.path = *path;
  options.hooks = work::hooks();
  options.progress = [&](double share, const std::string& file) { bar.show(context, share, file); };
  const auto report = store::verify_store(options);
  bar.clear();
  if (!report.ok()) return context.fail(report.error());
  const int code = report->sound() ? kDone : kInternal;
  if (context.flags.json) {
    context.print(json_line("store_verify", report_json(*path, *report)));
    return code;
  }
  print_damages(context, *report);
  context.print((report->sound() ? context.terminal.paint(Style::green, "sound") + "    " : std::string()) + *path + "\n" +
                "checked  " + checked_text(*report) + "\n");
  if (!report->sound()) {
    context.print(fmt::format("{} damaged places\n", report->damages.size() + report->more_damages));
  }
  return code;
}

JsonObject copy_json(const store::CopyReport& report, const std::string& from, const std::string& to) {
  return JsonObject{{"source", from},
                    {"destination", to},
                    {"store_id", report.store_id},
                    {"sequence", integer(report.sequence)},
                    {"added_to", report.added_to},
                    {"files", integer(report.files)},
                    {"bytes", integer(report.bytes)},
                    {"linked", integer(report.linked)},
                    {"copied", integer(report.copied)},
                    {"kept", integer(report.kept)},
                    {"removed", integer(report.removed)},
                    {"copied_bytes", integer(report.copied_bytes)}};
}

// Relative names are of the working directory.
Result<std::string> absolute(const std::string& path) {
  CC_ASSIGN(const std::string directory, current_directory());
  std::string out = join_path(directory, path);
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

int backup(Context& context, const Arguments& arguments) {
  const auto path = store_path(context);
  if (!path.ok()) return context.fail(path.error());
  const auto destination = absolute(arguments.text_of("destination"));
  if (!destination.ok()) return context.fail(destination.error());
  ProgressBar bar;
  store::CopyOptions options;
  options.source = *path;
  options.destination = *destination;
  options.progress = [&](double share, const std::string& file) { bar.show(context, share, file); };
  const auto report = store::backup_store(options);
  bar.clear();
  if (!report.ok()) return context.fail(report.error());
  if (context.flags.json) {
    context.print(json_line("store_backup", copy_json(*report, *path, *destination)));
    return kDone;
  }
  context.print(fmt::format("Backed up {} to {}, up to transaction {}.\n", *path, *destination, report->sequence));
  context.print(fmt::format("{} files of {}: {} linked, {} copied ({}), {} were there; {} removed.\n", report->files,
                            size_text(report->bytes), report->linked, report->copied, size_text(report->copied_bytes),
                            report->kept, report->removed));
  if (report->linked > 0) {
    context.print("Linked files are the same bytes on the same disk: they survive what is done to the store, not the disk.\n");
  }
  return kDone;
}

constexpr const char* kCursorsRemark =
    "Exports go on from where the backup was: what was sent after it is sent again, under the same ids.";

int restore(Context& context, const Arguments& arguments) {
  const auto source = absolute(arguments.text_of("source"));
  if (!source.ok()) return context.fail(source.error());
  const auto destination = absolute(arguments.text_of("destination"));
  if (!destination.ok()) return context.fail(destination.error());
  raise_open_file_limit();
  ProgressBar bar;
  store::CopyOptions options;
  options.source = *source;
  options.destination = *destination;
  options.hooks = work::hooks();
  options.even_if_damaged = arguments.given("damaged");
  options.progress = [&](double share, const std::string& file) { bar.show(context, share, file); };
  const auto report = store::restore_store(options);
  bar.clear();
  if (!report.ok()) return context.fail(report.error());
  const bool sound = report->verified.sound();
  const bool written = sound || options.even_if_damaged;
  const int code = sound ? kDone : kInternal;
  if (context.flags.json) {
    JsonObject out = copy_json(*report, *source, *destination);
    out.emplace_back("restored", written);
    out.emplace_back("verified", report_json(written ? *destination : *source, report->verified));
    if (written) out.emplace_back("exports", kCursorsRemark);
    context.print(json_line("store_restore", out));
    return code;
  }
  print_damages(context, report->verified);
  if (!written) {
    context.print(*source + " is damaged; nothing was restored. --damaged restores it as it is.\n");
    return code;
  }
  context.print(fmt::format("Restored {} to {}, up to transaction {}: store {}.\n", *source, *destination,
                            report->sequence, report->store_id));
  context.print("checked  " + checked_text(report->verified) + "\n");
  context.print(std::string(kCursorsRemark) + "\n");
  return code;
}

const char* class_name(store::SegmentClass segment_class) {
  return segment_class == store::SegmentClass::work ? "work" : "received";
}

double per_row(uint64_t bytes, uint64_t rows) {
  return rows == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(rows);
}

Json stats_json(const std::string& path, const store::StoreBreakdown& parts, const store::StoreStats& head) {
  JsonArray segments;
  for (const store::SegmentsBreakdown& one : parts.segments) {
    JsonArray columns;
    for (const store::ColumnBytes& column : one.columns) {
      columns.push_back(JsonObject{{"name", column.name},
                                   {"bytes", integer(column.bytes)},
                                   {"pages", integer(column.pages)},
                                   {"bytes_per_row", per_row(column.bytes, one.rows)}});
    }
    segments.push_back(JsonObject{{"kind", kind_name(one.kind)},
                                  {"class", class_name(one.segment_class)},
                                  {"segments", integer(one.segments)},
                                  {"rows", integer(one.rows)},
                                  {"masked_rows", integer(one.masked_rows)},
                                  {"bytes", integer(one.bytes)},
                                  {"bytes_per_row", per_row(one.bytes, one.rows)},
                                  {"columns", std::move(columns)}});
  }
  const auto files_json = [](const store::StoreBreakdown::Files& files) {
    return JsonObject{{"files", integer(files.files)}, {"bytes", integer(files.bytes)}};
  };
  JsonObject work = files_json(parts.work_table);
  work.emplace_back("rows", integer(parts.work_rows));
  return JsonObject{{"store", path},
                    {"store_id", parts.store_id},
                    {"sequence", integer(parts.sequence)},
                    {"bytes", integer(parts.total_bytes)},
                    {"segments", std::move(segments)},
                    {"work_table", std::move(work)},
                    {"masks", files_json(parts.masks)},
                    {"commands", files_json(parts.commands)},
                    {"digests", files_json(parts.digests)},
                    {"forwards", files_json(parts.forwards)},
                    {"trace_runs", files_json(parts.trace_runs)},
                    {"log", JsonObject{{"bytes", integer(parts.log_bytes)}}},
                    {"head", JsonObject{{"span_rows", integer(head.head_span_rows)},
                                        {"log_rows", integer(head.head_log_rows)},
                                        {"metric_series", integer(head.head_metric_series)},
                                        {"metric_samples", integer(head.head_metric_samples)}}}};
}

void print_stats(Context& context, const std::string& path, const store::StoreBreakdown& parts,
                 const store::StoreStats& head, size_t columns_max) {
  context.print(fmt::format("store    {}\n         {}, transaction {}, {}\n\n", path, parts.store_id, parts.sequence,
                            size_text(parts.total_bytes)));
  Table table({"WHAT", "CLASS", "FILES", "ROWS", "MASKED", "BYTES", "PER ROW"});
  for (const store::SegmentsBreakdown& one : parts.segments) {
    table.row({kind_name(one.kind), class_name(one.segment_class), std::to_string(one.segments), std::to_string(one.rows),
               std::to_string(one.masked_rows), size_text(one.bytes), fmt::format("{:.1f} B", per_row(one.bytes, one.rows))});
  }
  const auto small = [&](const char* name, const store::StoreBreakdown::Files& files, uint64_t rows) {
    if (files.files == 0) return;
    table.row({name, "", std::to_string(files.files), rows > 0 ? std::to_string(rows) : "", "", size_text(files.bytes),
               rows > 0 ? fmt::format("{:.1f} B", per_row(files.bytes, rows)) : ""});
  };
  small("work index", parts.work_table, parts.work_rows);
  small("masks", parts.masks, 0);
  small("commands", parts.commands, 0);
  small("digests", parts.digests, 0);
  small("forwards", parts.forwards, 0);
  small("traces", parts.trace_runs, 0);
  table.row({"log", "", "1", "", "", size_text(parts.log_bytes), ""});
  context.print(table.render(context.terminal));
  context.print(fmt::format("\nhead     {} spans, {} log records, {} samples of {} series: in the log, not in segments yet\n",
                            head.head_span_rows, head.head_log_rows, head.head_metric_samples, head.head_metric_series));
  for (const store::SegmentsBreakdown& one : parts.segments) {
    if (one.rows == 0) continue;
    context.print(fmt::format("\n{} ({}), {:.1f} B a row:\n", kind_name(one.kind), class_name(one.segment_class),
                              per_row(one.bytes, one.rows)));
    Table columns({"COLUMN", "BYTES", "PER ROW", "SHARE"});
    size_t shown = 0;
    uint64_t rest = 0;
    for (const store::ColumnBytes& column : one.columns) {
      if (shown++ >= columns_max) {
        rest += column.bytes;
        continue;
      }
      columns.row({column.name, size_text(column.bytes), fmt::format("{:.2f} B", per_row(column.bytes, one.rows)),
                   fmt::format("{:.1f} %", 100 * per_row(column.bytes, one.bytes))});
    }
    if (rest > 0) {
      columns.row({fmt::format("… {} more", one.columns.size() - columns_max), size_text(rest),
                   fmt::format("{:.2f} B", per_row(rest, one.rows)), fmt::format("{:.1f} %", 100 * per_row(rest, one.bytes))});
    }
    context.print(columns.render(context.terminal));
  }
}

int stats(Context& context, const Arguments& arguments) {
  constexpr size_t kColumnsShown = 12;
  const auto path = store_path(context);
  if (!path.ok()) return context.fail(path.error());
  const auto parts = store::break_down(real_file_system(), real_clock(), *path);
  if (!parts.ok()) return context.fail(parts.error());
  store::StoreOptions options;
  options.path = *path;
  options.mode = store::StoreMode::read_only;
  options.create = false;
  options.hooks = work::hooks();
  const auto opened = store::Store::open(std::move(options));
  if (!opened.ok()) return context.fail(opened.error());
  if (const auto read = (*opened)->read(); !read.ok()) return context.fail(read.error());
  const store::StoreStats head = (*opened)->stats();
  if (context.flags.json) {
    context.print(json_line("store_stats", stats_json(*path, *parts, head)));
    return kDone;
  }
  print_stats(context, *path, *parts, head, arguments.given("all") ? SIZE_MAX : kColumnsShown);
  return kDone;
}

// What a server does by itself, for a store that has none.
int compact(Context& context, const Arguments& arguments) {
  const auto path = store_path(context);
  if (!path.ok()) return context.fail(path.error());
  const bool expire = arguments.given("expire");
  if (expire && demo::is_demo_store(real_file_system(), *path)) {
    return context.fail({Code::failed_precondition, *path + " is a DEMO store, whose history was made up for a time that has passed",
                         "leave --expire out", {}, {}});
  }
  store::StoreOptions options;
  options.path = *path;
  options.create = false;
  options.mode = store::StoreMode::server;
  options.background = true;
  options.hooks = work::hooks();
  const auto config = context.config();
  if (!config.ok()) return context.fail(config.error());
  options.retention = sdk::retention_of(**config);
  options.tenants = sdk::tenant_limits_of(**config);
  options.drops_expired = expire;
  if (expire) {
    const auto wanted = sdk::arrivals_wanted_of(**config, real_file_system(), *path);
    if (!wanted.ok()) return context.fail(wanted.error());
    options.arrivals_wanted = [wanted = *wanted] { return wanted; };
  }
  const auto opened = store::Store::open(std::move(options));
  if (!opened.ok()) return context.fail(opened.error());
  store::Store& store = **opened;
  const store::StoreStats before = store.stats();
  Status status = store.cut();
  if (status.ok()) status = store.compact();
  const store::StoreStats after = store.stats();
  const Status closed = store.close();
  if (!status.ok()) return context.fail(status.error());
  if (!closed.ok()) return context.fail(closed.error());
  if (context.flags.json) {
    context.print(json_line("store_compact", JsonObject{{"store", *path},
                                                        {"segments_before", integer(before.segments)},
                                                        {"segments", integer(after.segments)},
                                                        {"bytes_before", integer(before.segment_bytes)},
                                                        {"bytes", integer(after.segment_bytes)},
                                                        {"merges", integer(after.compactions)},
                                                        {"expired_rows", integer(after.expired_rows)},
                                                        {"held_segments", integer(after.held_segments)}}));
    return kDone;
  }
  context.print(fmt::format("{} segments of {} before, {} of {} now; {} merges", before.segments, size_text(before.segment_bytes),
                            after.segments, size_text(after.segment_bytes), after.compactions));
  context.print(expire ? fmt::format(", {} rows were older than they are kept.\n", after.expired_rows) : std::string(".\n"));
  if (after.held_segments > 0) {
    context.print(fmt::format("{} older segments stay until exports have sent them (contextcore export status).\n",
                              after.held_segments));
  }
  return kDone;
}

}  // namespace

void add_store_commands(CLI::App& app, Action& chosen) {
  CLI::App* store = app.add_subcommand("store", "Care of the store's files: verify, backup, restore, stats, retention, compact");
  store->require_subcommand(1);
  add_command(
      *store, "verify", "Read everything with its checksums; exit code 1 when something is damaged", chosen,
      [](Arguments&) {}, verify);
  add_command(
      *store, "backup", "Copy the store as it is now, also while it is written; again into the same folder: what is new",
      chosen, [](Arguments& a) { a.positional("destination", "folder of the backup; itself a store"); }, backup);
  add_command(
      *store, "restore", "Copy a backup to a folder that is empty, and check all of it", chosen,
      [](Arguments& a) {
        a.positional("source", "folder of a backup")
            .positional("destination", "folder of the new store")
            .flag("--damaged", "damaged", "also when the backup is damaged: what is readable");
      },
      restore);
  add_command(
      *store, "stats", "Rows and bytes by kind, class and column", chosen,
      [](Arguments& a) { a.flag("--all", "all", "all columns"); }, stats);
  add_command(
      *store, "retention", "How long received data is kept, by tenant, and what goes next", chosen, [](Arguments&) {},
      [](Context& context, const Arguments&) { return show_retention(context); });
  add_command(
      *store, "compact", "Merge small segments, as a server does by itself; needs the store for itself", chosen,
      [](Arguments& a) {
        a.flag("--expire", "expire", "also drop received data that is older than retention_spans, _logs, _metrics");
      },
      compact);
}

}  // namespace contextcore::cli
