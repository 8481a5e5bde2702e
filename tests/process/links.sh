#!/usr/bin/env bash
# The command line links libc, libm and the loader dynamically, and nothing else.
set -euo pipefail
others=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so\.6|libm\.so\.6|ld-linux.*)$' || true)
[ -z "$others" ] || { echo "$1 links: $others"; exit 1; }
readelf -d "$1" | grep NEEDED
