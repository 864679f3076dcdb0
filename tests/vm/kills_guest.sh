# SPDX-License-Identifier: MIT
# In the guest: kills_guest.sh CULPRIT KILLS SENSORS. An emulated processor is slow: fewer changes, and more time until it is ready.
cd "$(dirname "$0")/../.." || exit 2
mkdir -p /run/culprit
exec python3 bench/kills.py "$1" -n "$2" -s "$3" --rate 50 --seconds 1 4 --ready 300 -o /out/rows
