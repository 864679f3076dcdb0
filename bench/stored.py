#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stored.py BUILD [EVENTS [ROUNDS]]: a store with so many events, as the daemon's background work leaves it; the best of ROUNDS counts, and
the processor's time, since the machine is not alone. Asserted: who of a file, and of the directory that holds all of it, in 50 ms, search --store --raw at 500,000 events
a second, memory of each at most 50 MB; of as many events of a month, as hosts have them (bench/past), 40 bytes of the store each."""
import os
import resource
import subprocess
import sys
import tempfile

BUILD = os.path.realpath(sys.argv[1])
CULPRIT = f"{BUILD}/culprit"
EVENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
WHO, SEARCH, MEMORY, SIZE = 0.050, 500000, 50 * 1024, 40 # seconds; events a second; kB; bytes an event


def best(*words):
    """Seconds of a processor."""
    times = []
    for _ in range(ROUNDS):
        before = os.times()
        done = subprocess.run([CULPRIT, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert done.returncode in (0, 4), (words, done)
    return min(times)


def main():
    subprocess.run(["ninja", "-C", BUILD, "culprit", "bench/fill", "bench/past"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="culprit-stored.", dir="/var/tmp") as work:
        store = f"{work}/db"
        print(subprocess.run([f"{BUILD}/bench/fill", store, str(EVENTS), "1000", "0", "blocks"], check=True, capture_output=True,
                             text=True).stdout.strip())
        one = best("who", "--store", store, "/srv/data/d0007/file7.txt")
        all_of_it = best("who", "--store", store, "/srv/data")
        search = EVENTS / best("search", "--store", store, "--raw")
        month = f"{work}/month"
        subprocess.run([f"{BUILD}/bench/past", month, str(EVENTS), "30"], check=True, stdout=subprocess.DEVNULL)
        size = os.stat(month).st_size / EVENTS
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{EVENTS} events of a month, {size:.1f} bytes each (wanted: {SIZE})")
    print(f"who of a file {one * 1000:.0f} ms, of all of it {all_of_it * 1000:.0f} ms (wanted: {WHO * 1000:.0f})")
    print(f"search --store --raw {search:.0f} events/s (wanted: {SEARCH}); memory at its highest {memory / 1024:.0f} MB (wanted: {MEMORY / 1024:.0f})")
    assert one <= WHO and all_of_it <= WHO and search >= SEARCH and memory <= MEMORY and size <= SIZE, "not what is wanted"


main()
