#!/bin/bash
# SPDX-License-Identifier: MIT
# guard.sh BUILD [VERSION]: what `culprit guard --method bpf` costs whoever it does not concern, in instructions of the calling process.
# Ratios within one boot, each with its limit. Some ten minutes.
. "$(dirname "$0")/boot.sh"
counted "$PWD/bench/guard_guest.sh" "$BUILD" "${PAIRS:-2000}"
