#!/bin/bash
# SPDX-License-Identifier: MIT
# copies.sh BUILD [VERSION]: an open for reading of a file of which a copy is kept, in instructions, compared with a watch without copies. Some minutes.
# All else about copies is copies.py's, on a quiet machine.
. "$(dirname "$0")/boot.sh"
counted "$PWD/bench/copies_guest.sh" "$BUILD"
