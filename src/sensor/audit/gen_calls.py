#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gen_calls.py CALL_H OUTPUT CC...: the numbers of the calls listed in call.h, for every architecture
that this compiler's kernel headers describe, as C tables."""
import re
import subprocess
import sys

# Architecture, its headers (the first that exists), and how many bits of the machine's own binaries.
ARCHES = [
    ('AUDIT_ARCH_X86_64', ['asm/unistd_64.h'], '__x86_64__'),
    ('AUDIT_ARCH_I386', ['asm/unistd_32.h'], '__x86_64__'),
    ('AUDIT_ARCH_AARCH64', ['asm/unistd.h'], '__aarch64__'),
]
# From 424 on a number is the same on all architectures (Documentation/process/adding-syscalls.rst):
# calls that are newer than the headers of older distributions.
SINCE = {'fchmodat2': 452, 'setxattrat': 463, 'removexattrat': 466, 'file_setattr': 469}


def numbers(cc, headers, only_if):
    for header in headers:
        source = f'#ifndef {only_if}\n#error other machine\n#endif\n#include <{header}>\n'
        run = subprocess.run(cc + ['-E', '-dM', '-x', 'c', '-'], input=source, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if run.returncode == 0:
            found = re.findall(r'^#define __NR_(\w+) (\d+)$', run.stdout, re.M)
            return {name: int(number) for name, number in found}
    return {}


def main():
    call_h, output, cc = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(call_h, encoding='ascii') as f:
        calls = re.findall(r'^\s+X\((\w+), \w+\)', f.read(), re.M)
    lines = ['/* Made by gen_calls.py from the kernel headers of the build machine. */']
    arches = []
    for arch, headers, only_if in ARCHES:
        known = numbers(cc, headers, only_if)
        if not known:
            continue
        for name, number in SINCE.items():
            known.setdefault(name, number)
        table = f'numbers_{arch.lower()}'
        arches.append((arch, table))
        lines.append(f'static const int16_t {table}[AUDIT_CALL_COUNT] = {{')
        lines.append('    [AUDIT_CALL_none] = -1,')
        for call in calls:
            lines.append(f'    [AUDIT_CALL_{call}] = {known.get(call, -1)},')
        lines.append('};')
        reverse = table.replace('numbers', 'calls')
        lines.append(f'static const uint8_t {reverse}[] = {{')
        for call in calls:
            if call in known:
                lines.append(f'    [{known[call]}] = AUDIT_CALL_{call},')
        lines.append('};')
    lines.append('static const struct call_table tables[] = {')
    for arch, table in arches:
        reverse = table.replace('numbers', 'calls')
        lines.append(f'    {{ {arch}, {table}, {reverse}, sizeof({reverse}) }},')
    lines.append('    { 0, NULL, NULL, 0 },')
    lines.append('};')
    with open(output, 'w', encoding='ascii') as f:
        f.write('\n'.join(lines) + '\n')


main()
