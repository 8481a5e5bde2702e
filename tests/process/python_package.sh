#!/usr/bin/env bash
# Installs the Python package into a fresh virtual environment and runs the tests that need it.
# Exit code 77: what was lacking is on the last line.
# CONTEXTCORE_PYTHON_WHOLE=1 compiles all of it, as a user's `pip install ./python` does; otherwise the module links the
# archive of build/release, which has the same flags.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
venv=build/test-venv
rm -rf "$venv"
python3 -m venv "$venv"
prebuilt=("--config-settings=cmake.define.CONTEXTCORE_PREBUILT=$PWD/build/release")
[ -n "${CONTEXTCORE_PYTHON_WHOLE:-}" ] && prebuilt=()
if ! "$venv/bin/pip" install --quiet --disable-pip-version-check "${prebuilt[@]}" ./python; then
  "$venv/bin/pip" download --quiet --no-deps -d build/pip-probe scikit-build-core >/dev/null 2>&1 ||
    { echo "the Python package registry is not reachable, so the build tools cannot be installed"; exit 77; }
  exit 1
fi
CONTEXTCORE_VENV_PYTHON=$PWD/$venv/bin/python python3 tests/process/run_all.py test_samples test_clients test_grpc test_historical
