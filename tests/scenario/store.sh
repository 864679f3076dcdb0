#!/bin/bash
# SPDX-License-Identifier: MIT
# store.sh CULPRIT [-n KILLS] [-s SENSORS] [-l]: the store with many users, after trouble, and after kill -9.
exec python3 "$(dirname "$0")/store.py" "$@"
