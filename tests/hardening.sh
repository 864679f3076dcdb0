#!/bin/bash
# SPDX-License-Identifier: MIT
# hardening.sh CULPRIT: what the compiler and the linker can do against a mistake of ours is in the program that was
# built: asked of the ELF file, not of the options.
set -u
CULPRIT=$(readlink -f "$1")
CC=${CC:-cc}
. "$(dirname "$(readlink -f "$0")")/scenario/lib/test.sh"

segments=$(readelf -lW "$CULPRIT")
dynamic=$(readelf -dW "$CULPRIT")
symbols=$(readelf --dyn-syms -W "$CULPRIT")

# Functions and data that more than one object defines: of two static libraries the linker takes whichever comes first, silently.
twice() {
    find "$(dirname "$CULPRIT")/src" -name '*.c.o' -exec nm -A --defined-only --extern-only {} + |
        awk '{ split($1, file, ":"); name = $NF; files[name] = files[name] " " file[1]; n[name]++ }
             END { for (name in n) if (n[name] > 1 && name != "main") print name ":" files[name] }'
}

has() { grep -qE -- "$2" <<< "$1"; }
lacks() { ! has "$@"; }

ok "position independent" has "$segments" '^Elf file type is DYN'
ok "all symbols are bound at the start" has "$dynamic" '\(FLAGS(_1)?\).*(BIND_NOW|NOW)'
ok "what the linker has written is read-only then" has "$segments" '^ *GNU_RELRO'
ok "the stack is not executable" has "$segments" '^ *GNU_STACK .* RW +0x'
ok "nothing is writable and executable" lacks "$segments" '^ *[A-Z_]+ +0x.* RWE '
ok "no code is changed when it is loaded" lacks "$dynamic" 'TEXTREL'
ok "no library is looked for in a place of the build" lacks "$dynamic" 'RPATH|RUNPATH'
ok "stack protector" has "$symbols" '__stack_chk_fail'
ok "calls of the C library are checked" has "$symbols" '__(memcpy|snprintf|vsnprintf|fprintf|vfprintf|read)_chk'

names=$(twice)
[ -z "$names" ] || echo "$names"
ok "no two objects define the same name" [ -z "$names" ]

if [ "$(uname -m)" = x86_64 ]; then
    code=$(objdump -d --no-show-raw-insn "$CULPRIT")
    ok "jumps and calls by pointers land where they may (endbr64)" [ "$(grep -c endbr64 <<< "$code")" -gt 500 ]
    # the note counts only where every object has it, those with which the C library starts a program as well
    if readelf -nW "$("$CC" -print-file-name=Scrt1.o)" | grep -q 'IBT, SHSTK'; then
        ok "IBT and SHSTK" has "$(readelf -nW "$CULPRIT")" 'IBT, SHSTK'
    else
        echo "not asked: IBT and SHSTK, which this C library's own start files do not have"
    fi
    ok "the stack is touched page by page" has "$code" 'orq +\$0x0,(0x[0-9a-f]+)?\(%rsp\)'
fi
finish
