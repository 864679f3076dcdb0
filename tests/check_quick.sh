#!/bin/bash
# SPDX-License-Identifier: MIT
# What to run while working: units, layers, the command line, and each scenario of the host once by the first sensor that
# works here. No sanitizers, engines, logs, other kernels: tests/check.sh has all. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
ROOT=$PWD
. tests/steps.sh
trap clear_up EXIT

step "build, warnings are errors" build build -Dwerror=true
step "layers" tests/check_layers.sh
step "what the packages are built with" tests/package_deps.sh
step "unit" unit build
step "command line" tests/cli/run.sh "$ROOT/build/culprit"
if [ "$(id -u)" != 0 ]; then
    echo "check: not root: the tests on the real kernel cannot run" >&2
    fail 1
else
    step "exit statuses, filters, CI" tests/cli/observe.sh "$ROOT/build/culprit"
    step "scenarios on this kernel" tests/scenario/run.sh "$ROOT/build/culprit" -s first --together --engines none
fi
summary
