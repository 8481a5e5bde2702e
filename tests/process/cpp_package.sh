#!/usr/bin/env bash
# Installs the C++ library into a folder, builds the example against it with find_package, and runs it.
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=$PWD/build/test-prefix
rm -rf "$prefix" build/test-example
cmake --install build/release --prefix "$prefix" --component sdk >/dev/null
cmake -S examples/cpp -B build/test-example -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build build/test-example
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
export CONTEXTCORE_STORE=$store/store
build/test-example/contextcore-example
build/release/bin/contextcore --json task show PROJ-123 --project my-project | grep -q '"status":"done"'
