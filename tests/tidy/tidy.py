#!/usr/bin/env python3
"""The house rules that a compiler does not check. Prints each finding as file:line: rule: text.

Rules (errors): include direction between rooms, banned identifiers outside base/, unfinished-work
markers, machine paths and registry hosts, headers without #pragma once, folders without a banner.
Warnings (printed, never failing): files over 600 lines, functions over 70 lines; tables are exempt
where a line says `tidy: table`.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Who may include whom (docs/architecture.md, 2). A room may always include itself and base.
ALLOWED = {
    "base": set(),
    "otlp": {"base"},
    "store": {"otlp", "base"},
    "query": {"store", "otlp", "base"},
    "work": {"store", "otlp", "base"},
    "rules": {"query", "store", "otlp", "base"},
    "client": {"otlp", "base"},
    "export": {"client", "work", "store", "otlp", "base"},
    "sdk": {"export", "client", "work", "rules", "query", "store", "otlp", "base"},
    "api": {"work", "rules", "query", "export", "store", "otlp", "base"},
    "net": {"api", "work", "rules", "query", "export", "store", "otlp", "base"},
    "demo": {"sdk", "work", "store", "base"},
    "cli": {"demo", "sdk", "client", "work", "rules", "query", "store", "otlp", "base"},
}
ROOMS = set(ALLOWED)

BANNED = [  # (pattern, what to use)
    (r"\bstd::(i|o)?fstream\b|\bfopen\s*\(|(?<![\w>])::open\s*\(|\b(pread|pwrite|fsync|fdatasync|mmap)\s*\(", "FileSystem"),
    (r"\bstd::filesystem\b", "FileSystem"),
    (r"\bstd::chrono::\w*_clock\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::time\s*\(", "Clock"),
    (r"\bstd::(jthread|thread|async)\b(?!::)|\bpthread_create\b|\bsleep_for\b|\busleep\s*\(|\bnanosleep\s*\(", "Executor or Clock"),
    (r"\bstd::random_device\b|\bmt19937|\bgetrandom\s*\(|(?<![\w:.>])s?rand\s*\(", "Random"),
    (r"\bstd::regex\b", "RE2"),
    (r"\bgetenv\s*\(", "environment() of base/process.h"),
]
# Files that are the implementation of a seam outside base/, each with its reason.
BANNED_EXEMPT = {
    "src/net/": "the server's sockets and their threads live here",
}
MARKERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|farm|root)/")
REGISTRY = re.compile(r"pypi\.org|crates\.io/|proxy\.golang|registry\.npmjs|deb\.debian\.org|repo1?\.maven", re.I)

errors, warnings = [], []


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         cwd=ROOT, capture_output=True, check=True).stdout
    return [pathlib.Path(p) for p in out.decode().split("\0") if p and (ROOT / p).is_file()]


def strip_comments_and_strings(text):
    """Blanks comments and string literals, keeping line numbers."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def check_includes(path, text):
    parts = path.parts
    if parts[0] != "src" or parts[1] not in ROOMS:
        return
    room = parts[1]
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#include\s+"([^"/]+)/', line)
        if found and found[1] in ROOMS and found[1] != room and found[1] not in ALLOWED[room]:
            errors.append(f"{path}:{number}: include direction: {room} may not include {found[1]}")


def check_banned(path, code):
    name = str(path)
    if not name.startswith("src/") or name.startswith("src/base/"):
        return
    if any(name.startswith(prefix) for prefix in BANNED_EXEMPT):
        return
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, instead in BANNED:
            if re.search(pattern, line):
                errors.append(f"{path}:{number}: banned identifier (use {instead}): {line.strip()[:80]}")


def check_lengths(path, text, code):
    if "tidy: table" in text:
        return
    lines = text.count("\n") + 1
    if lines > 600:
        warnings.append(f"{path}: {lines} lines (600 at most, split by meaning)")
    start = None
    for number, line in enumerate(code.splitlines(), 1):
        if re.match(r"^[A-Za-z_].*\)\s*(const\s*)?(noexcept\s*)?(override\s*)?\{\s*$", line) and not line.startswith(("namespace", "struct", "class", "enum", "extern")):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start > 70:
                warnings.append(f"{path}:{start}: function of {number - start} lines (70 at most)")
            start = None


def main():
    for path in tracked():
        if path.suffix not in {".h", ".cpp", ".py", ".sh", ".cmake", ".txt", ".md", ".yaml", ".json", ".toml", ""}:
            continue
        if path.parts[0] == "fuzz" and "corpus" in path.parts:
            continue
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path.name != "tidy.py":
                if path.suffix in {".h", ".cpp", ".py", ".sh"} and MARKERS.search(line):
                    errors.append(f"{path}:{number}: unfinished work: {line.strip()[:80]}")
                if MACHINE_PATH.search(line):
                    errors.append(f"{path}:{number}: machine path: {line.strip()[:80]}")
                if REGISTRY.search(line):
                    errors.append(f"{path}:{number}: registry host: {line.strip()[:80]}")
        if path.suffix in {".h", ".cpp"}:
            code = strip_comments_and_strings(text)
            check_includes(path, text)
            check_banned(path, code)
            check_lengths(path, text, code)
            if path.suffix == ".h" and "#pragma once" not in text:
                errors.append(f"{path}:1: header without #pragma once")
    for line in warnings:
        print("warning:", line)
    for line in errors:
        print(line)
    print(f"tidy: {len(errors)} errors, {len(warnings)} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
