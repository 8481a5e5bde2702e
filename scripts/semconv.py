#!/usr/bin/env python3
"""Generates what follows from the registry in semconv/, or checks it (--check).

Needs the standard library only: the registry's YAML is a small kind (block mappings and lists,
one-line flow mappings and lists, quoted or bare scalars), which the reader below understands.
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ATTRIBUTE_FILES = ["resource.yaml", "task.yaml", "phase.yaml", "sprint.yaml", "insight.yaml", "link.yaml", "run.yaml", "server.yaml"]
TYPES = {"string", "string[]", "int", "double", "boolean", "template"}
STABILITIES = {"stable", "development", "internal"}
METRIC_TYPES = {"gauge", "counter", "histogram"}


class RegistryError(Exception):
    pass


# ---- reading ---------------------------------------------------------------------------------

class Flow:
    """One flow value: scalar, [..] or {..}."""

    def __init__(self, text, where):
        self.text, self.at, self.where = text, 0, where

    def fail(self, what):
        raise RegistryError(f"{self.where}: {what} at column {self.at + 1} of {self.text!r}")

    def blanks(self):
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def whole(self):
        value = self.value("")
        self.blanks()
        if self.at != len(self.text):
            self.fail("unexpected text")
        return value

    def value(self, stops):
        self.blanks()
        here = self.text[self.at:self.at + 1]
        if here == "{":
            return self.mapping()
        if here == "[":
            return self.sequence()
        if here == '"':
            try:
                value, end = json.JSONDecoder().raw_decode(self.text, self.at)
            except ValueError:
                self.fail("unfinished string")
            self.at = end
            return value
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in stops:
            self.at += 1
        word = self.text[start:self.at].strip()
        if not word:
            self.fail("a value is missing")
        if word in ("true", "false"):
            return word == "true"
        if re.fullmatch(r"-?\d+", word):
            return int(word)
        if re.fullmatch(r"-?\d+\.\d+", word):
            return float(word)
        return word

    def mapping(self):
        result = {}
        self.at += 1
        while True:
            self.blanks()
            match = re.match(r"([A-Za-z_]+):", self.text[self.at:])
            if not match:
                self.fail("a key is missing")
            self.at += match.end()
            if match.group(1) in result:
                self.fail(f"{match.group(1)} stands twice")
            result[match.group(1)] = self.value(",}")
            if self.separator("}"):
                return result

    def sequence(self):
        result = []
        self.at += 1
        while True:
            result.append(self.value(",]"))
            if self.separator("]"):
                return result

    def separator(self, end):
        self.blanks()
        here = self.text[self.at:self.at + 1]
        if here not in (",", end):
            self.fail(f"',' or '{end}' is missing")
        self.at += 1
        return here == end


def read_yaml(path):
    lines = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if raw.strip() and not raw.lstrip().startswith("#"):
            indent = len(raw) - len(raw.lstrip(" "))
            lines.append((indent, raw.strip(), f"{path.name}:{number}"))
    value, rest = read_block(lines, 0)
    if rest != len(lines):
        raise RegistryError(f"{lines[rest][2]}: unexpected indentation")
    return value


def read_block(lines, at):
    indent = lines[at][0]
    if lines[at][1].startswith("- "):
        result = []
        while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
            inner, where = lines[at][1][2:], lines[at][2]
            if inner.startswith(("{", '"', "[")):
                result.append(Flow(inner, where).whole())
                at += 1
            else:
                lines[at] = (indent + 2, inner, where)
                item, at = read_block(lines, at)
                result.append(item)
        return result, at
    result = {}
    while at < len(lines) and lines[at][0] == indent:
        match = re.match(r"([A-Za-z_]+):\s*(.*)$", lines[at][1])
        if not match:
            raise RegistryError(f"{lines[at][2]}: `key: value` expected")
        if match.group(1) in result:
            raise RegistryError(f"{lines[at][2]}: {match.group(1)} stands twice")
        if match.group(2):
            result[match.group(1)] = Flow(match.group(2), lines[at][2]).whole()
            at += 1
        else:
            if at + 1 >= len(lines) or lines[at + 1][0] <= indent:
                raise RegistryError(f"{lines[at][2]}: nothing below {match.group(1)}")
            result[match.group(1)], at = read_block(lines, at + 1)
    return result, at


def check_type(item, where):
    if item.get("type") not in TYPES:
        raise RegistryError(f"{where}: type of {item['id']} is {item.get('type')!r}, not one of {sorted(TYPES)}")
    if not item.get("brief"):
        raise RegistryError(f"{where}: {item['id']} has no brief")


def load():
    groups, seen = [], {}
    for name in ATTRIBUTE_FILES:
        for group in read_yaml(ROOT / "semconv" / name)["groups"]:
            if group.get("stability") not in STABILITIES:
                raise RegistryError(f"{name}: group {group['id']} has no stability")
            for item in group["attributes"]:
                check_type(item, name)
                item.setdefault("stability", group["stability"])
                if item["stability"] not in STABILITIES or not item.get("examples"):
                    raise RegistryError(f"{name}: {item['id']} needs examples and a known stability")
                if item["id"] in seen:
                    raise RegistryError(f"{name}: {item['id']} is in {seen[item['id']]} already")
                seen[item["id"]] = name
            groups.append(group)
    events = read_yaml(ROOT / "semconv" / "events.yaml")
    for item in events["fields"] + events["metadata"]:
        check_type(item, "events.yaml")
    fields = [f["id"] for f in events["fields"]]
    for listing in (fields, [m["id"] for m in events["metadata"]], [e["id"] for e in events["events"]]):
        if len(set(listing)) != len(listing):
            raise RegistryError("events.yaml: a name stands twice")
    both = set(fields) & {m["id"] for m in events["metadata"]}
    if both:
        raise RegistryError(f"events.yaml: {sorted(both)} would have two homes")
    for event in events["events"]:
        for field in event["fields"]:
            if field not in fields:
                raise RegistryError(f"events.yaml: {event['id']} names the unknown field {field}")
    return groups, events


def load_metrics():
    metrics = read_yaml(ROOT / "semconv" / "metrics.yaml")
    labels = [label["id"] for label in metrics["labels"]]
    seen = set()
    for metric in metrics["metrics"]:
        if metric["type"] not in METRIC_TYPES or not metric.get("brief") or metric["id"] in seen:
            raise RegistryError(f"metrics.yaml: {metric['id']} needs a known type and a brief, and stands once")
        seen.add(metric["id"])
        for label in metric["labels"]:
            if label not in labels:
                raise RegistryError(f"metrics.yaml: {metric['id']} names the unknown label {label}")
    bounds = metrics["bucket_seconds"]
    if bounds != sorted(set(bounds)):
        raise RegistryError("metrics.yaml: bucket_seconds do not rise")
    return metrics


# ---- writing ---------------------------------------------------------------------------------

def camel(name):
    return "k" + "".join(part.capitalize() for part in re.split(r"[._]", name))


def cpp_section(name, brief, items):
    lines = [f"// {brief}", f"namespace {name} {{"]
    for item in items:
        value = item["id"] + ("." if item.get("type") == "template" else "")
        lines.append(f'inline constexpr std::string_view {camel(item["id"])} = "{value}";')
    return lines + [f"}}  // namespace {name}", ""]


def write_cpp(groups, events):
    attributes = [item for group in groups for item in group["attributes"]]
    lines = ["#pragma once",
             "// Generated by scripts/semconv.py from semconv/. Do not edit.",
             "//",
             "// Names on the wire. Templates end in a dot; the key follows.",
             "", "#include <string_view>", "", "namespace contextcore::work::names {", ""]
    lines += cpp_section("attr", "Attributes of spans, span events, links and resources.", attributes)
    lines += cpp_section("event", "Names of log events.", events["events"])
    lines += cpp_section("field", "Fields of a log event's line.", events["fields"])
    lines += cpp_section("meta", "Attributes of a log event's record.", events["metadata"])
    lines += ["}  // namespace contextcore::work::names"]
    return "\n".join(lines) + "\n"


def write_metrics_cpp(metrics):
    lines = ["#pragma once",
             "// Generated by scripts/semconv.py from semconv/metrics.yaml. Do not edit.",
             "//",
             "// Metrics and their labels.",
             "", "#include <array>", "#include <cstdint>", "#include <string_view>", "",
             "namespace contextcore::work::names {", ""]
    lines += cpp_section("metric", "Names of metrics; of histograms without _bucket, _sum and _count.",
                         metrics["metrics"])
    lines += cpp_section("label", "Labels of metrics.", metrics["labels"])
    lines += ["struct MetricInfo {", "  std::string_view name, type, unit, brief;", "};",
              f"inline constexpr std::array<MetricInfo, {len(metrics['metrics'])}> kMetrics = {{{{"]
    for item in metrics["metrics"]:
        lines.append(f'    {{metric::{camel(item["id"])}, "{item["type"]}", "{item["unit"]}",')
        lines.append(f'     {json.dumps(item["brief"])}}},')
    bounds = metrics["bucket_seconds"]
    lines += ["}};", "",
              f"inline constexpr std::array<int64_t, {len(bounds)}> kBucketSeconds = {{",
              "    " + ", ".join(str(bound) for bound in bounds) + ",", "};",
              f"inline constexpr int64_t kMetricGridSeconds = {metrics['grid_seconds']};", "",
              "}  // namespace contextcore::work::names"]
    return "\n".join(lines) + "\n"


def write_python(groups, events, metrics):
    lines = ['"""Names on the wire. Generated by scripts/semconv.py from semconv/. Do not edit."""', ""]
    sections = [("ATTR", [i for g in groups for i in g["attributes"]]), ("EVENT", events["events"]),
                ("FIELD", events["fields"]), ("META", events["metadata"]), ("METRIC", metrics["metrics"])]
    for prefix, items in sections:
        for item in items:
            name = re.sub(r"[._]", "_", item["id"]).upper()
            value = item["id"] + ("." if item.get("type") == "template" else "")
            lines.append(f'{prefix}_{name} = "{value}"')
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def cell(text):
    return str(text).replace("|", "\\|")


def examples(item):
    shown = []
    for example in item.get("examples", []):
        shown.append(f"`{example if isinstance(example, str) else json.dumps(example)}`")
    return ", ".join(shown)


IDENTITY = """## Identity

- `span_id` = first 8 bytes of SHA-256(`"contextcore.span.v1" 0x00 kind 0x00 project_id 0x00 id`), kind one of
  `task sprint phase insight handoff guidance session run`. Phases append `0x00 ordinal` (decimal, id = the task's);
  later lives of an exported span append `0x00 "#" life`; facts about an insight append `0x00 fact`.
- `trace_id` = first 16 bytes of SHA-256(`"contextcore.trace.v1" 0x00 kind 0x00 project_id 0x00 root_id`).
- An all-zero result is hashed again with a trailing 0x01.
- A task without parent is its own root; a child lives in its parent's trace, so the trace id of a child comes
  from the store, not from its name. An insight with a task lives in the task's trace.

Test vectors: `semconv/ids.json`.
"""


def write_docs(groups, events, metrics):
    out = ["# Semantic conventions", "",
           "<!-- Generated by scripts/semconv.py from semconv/. Do not edit. -->", "",
           "Every name that ContextCore puts on the wire. One attribute has one type.", "", IDENTITY]
    for group in groups:
        out += [f"## {group['id'].replace('_', ' ').capitalize()}", "", group["brief"], ""]
        if group["type"] == "span":
            out += [f"Span name `{group['name']}`, kind {group['span_kind'].upper()}, scope `{group['scope']}`.", ""]
        out += ["| Attribute | Type | Brief | Examples | When | Stability |", "|---|---|---|---|---|---|"]
        for item in group["attributes"]:
            name = item["id"] + (".<key>" if item["type"] == "template" else "")
            kind = "any" if item["type"] == "template" else item["type"]
            out.append(f"| `{name}` | {kind} | {cell(item['brief'])} | {cell(examples(item))} | "
                       f"{item.get('requirement', '')} | {item['stability']} |")
        out.append("")
    out += ["## Log events", "",
            "An OTLP log record each: `event_name`, trace and span id of the span that it is about, severity INFO unless",
            "said otherwise, and as body one flat JSON line. One command makes one revision: one or more events that share",
            "time and revision. The span is the fold of its events.", "",
            "Stream labels: `service_name`, `service`, `job`, `project_id`.", "",
            "| Structured metadata | Type | Brief |", "|---|---|---|"]
    out += [f"| `{m['id']}` | {m['type']} | {cell(m['brief'])} |" for m in events["metadata"]]
    out += ["", "Every line has these fields (absent values are left out):", "",
            "| Field | Type | Brief |", "|---|---|---|"]
    out += [f"| `{f['id']}` | {f['type']} | {cell(f['brief'])} |" for f in events["fields"] if f.get("common")]
    out += ["", "| Event | Severity | Brief | Further fields |", "|---|---|---|---|"]
    for event in events["events"]:
        fields = " ".join(f"`{f}`" for f in event["fields"])
        out.append(f"| `{event['id']}` | {event.get('severity', 'INFO')} | {cell(event['brief'])} | {fields} |")
    out += ["", "| Field | Type | Brief |", "|---|---|---|"]
    out += [f"| `{f['id']}` | {f['type']} | {cell(f['brief'])} |" for f in events["fields"] if not f.get("common")]
    out += ["", "## Metrics", "",
            "Views over the log, for any time since a project's first event: a sample every "
            f"{metrics['grid_seconds']} s on the aligned grid,",
            "from one step before the first event to now. Gauges are what the fold of the log says at that time; counters",
            "are cumulative and begin with 0; a histogram is `_bucket`, `_sum` and `_count`. Event counts count what the",
            "log says, also of tasks that were reopened or deleted later; gauges leave deleted tasks out.", "",
            "| Metric | Type | Unit | Labels | Brief |", "|---|---|---|---|---|"]
    out += [f"| `{m['id']}` | {m['type']} | {m['unit']} | {' '.join(f'`{label}`' for label in m['labels'])} | "
            f"{cell(m['brief'])} |" for m in metrics["metrics"]]
    out += ["", "| Label | Brief |", "|---|---|"]
    out += [f"| `{label['id']}` | {cell(label['brief'])} |" for label in metrics["labels"]]
    out += ["", "Buckets (`le`, seconds): " + ", ".join(str(b) for b in metrics["bucket_seconds"]) + ", +Inf."]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file has drifted")
    check = parser.parse_args().check
    try:
        groups, events = load()
        metrics = load_metrics()
    except (RegistryError, KeyError) as error:
        sys.exit(f"semconv: {error}")
    outputs = {"src/work/names.h": write_cpp(groups, events),
               "src/work/metric_names.h": write_metrics_cpp(metrics),
               "python/contextcore/_names.py": write_python(groups, events, metrics),
               "docs/semantic-conventions.md": write_docs(groups, events, metrics)}
    drifted = []
    for name, text in outputs.items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        drifted.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if check and drifted:
        sys.exit(f"semconv: {', '.join(drifted)} differ from semconv/: run python3 scripts/semconv.py")


if __name__ == "__main__":
    main()
