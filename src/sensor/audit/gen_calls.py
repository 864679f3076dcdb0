#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gen_calls.py CALL_H FOREIGN OUTPUT CC...: the numbers of the calls listed in call.h, as C tables: first for the
architectures that a program on this machine may use, by the compiler's kernel headers; then for others, whose logs
may be read here. FOREIGN is a program that prints "ARCH NAME NUMBER" lines, by libaudit's tables."""
import re
import subprocess
import sys

# Architecture, its header, and the machine whose programs use it.
NATIVE = [
    ('AUDIT_ARCH_X86_64', 'asm/unistd_64.h', '__x86_64__'),
    ('AUDIT_ARCH_I386', 'asm/unistd_32.h', '__x86_64__'),
    ('AUDIT_ARCH_AARCH64', 'asm/unistd.h', '__aarch64__'),
]
# These have no numbers of their own (include/uapi/asm-generic/unistd.h), and no renameat (since Linux 4.15).
LIKE_AARCH64 = ['AUDIT_ARCH_RISCV64', 'AUDIT_ARCH_LOONGARCH64']
# From 424 on a number is the same on all architectures (Documentation/process/adding-syscalls.rst):
# calls that are newer than the headers of older distributions.
SINCE = {'fchmodat2': 452, 'setxattrat': 463, 'removexattrat': 466, 'file_setattr': 469}


def native_numbers(cc, header, only_if):
    source = f'#ifndef {only_if}\n#error other machine\n#endif\n#include <{header}>\n'
    run = subprocess.run(cc + ['-E', '-dM', '-x', 'c', '-'], input=source, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found = re.findall(r'^#define __NR_(\w+) (\d+)$', run.stdout, re.M) if run.returncode == 0 else []
    return {name: int(number) for name, number in found}


def foreign_numbers(program):
    arches = {}
    for line in subprocess.run([program], text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines():
        arch, name, number = line.split()
        arches.setdefault(arch, {})[name] = int(number)
    for arch in LIKE_AARCH64:
        arches[arch] = {k: v for k, v in arches.get('AUDIT_ARCH_AARCH64', {}).items() if k != 'renameat'}
    return arches


def main():
    call_h, foreign, output, cc = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    with open(call_h, encoding='ascii') as f:
        calls = re.findall(r'^\s+X\((\w+), \w+\)', f.read(), re.M)
    lines = ['/* Made by gen_calls.py from the kernel headers of the build machine and from libaudit. */']
    arches = []
    tables = {arch: native_numbers(cc, header, only_if) for arch, header, only_if in NATIVE}
    tables = {arch: known for arch, known in tables.items() if known}
    lines.append(f'#define NATIVE_TABLES {len(tables)}')
    for arch, known in foreign_numbers(foreign).items():
        tables.setdefault(arch, known)
    for arch, known in tables.items():
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
