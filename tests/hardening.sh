#!/bin/bash
# SPDX-License-Identifier: MIT
# hardening.sh CULPRIT: what the compiler and the linker can do against a mistake of ours is in the program that was
# built: asked of the ELF file, not of the options.
set -u
CULPRIT=$(readlink -f "$1")
CC=${CC:-cc}
passed=0 failed=0

check() { # check TEXT CONDITION...
    local text=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "right: $text"
    else
        failed=$((failed + 1))
        echo "WRONG: $text"
    fi
}

segments=$(readelf -lW "$CULPRIT")
dynamic=$(readelf -dW "$CULPRIT")
symbols=$(readelf --dyn-syms -W "$CULPRIT")

has() { grep -qE -- "$2" <<< "$1"; }
lacks() { ! has "$@"; }

check "position independent" has "$segments" '^Elf file type is DYN'
check "all symbols are bound at the start" has "$dynamic" '\(FLAGS(_1)?\).*(BIND_NOW|NOW)'
check "what the linker has written is read-only then" has "$segments" '^ *GNU_RELRO'
check "the stack is not executable" has "$segments" '^ *GNU_STACK .* RW +0x'
check "nothing is writable and executable" lacks "$segments" '^ *[A-Z_]+ +0x.* RWE '
check "no code is changed when it is loaded" lacks "$dynamic" 'TEXTREL'
check "no library is looked for in a place of the build" lacks "$dynamic" 'RPATH|RUNPATH'
check "stack protector" has "$symbols" '__stack_chk_fail'
check "calls of the C library are checked" has "$symbols" '__(memcpy|snprintf|vsnprintf|fprintf|vfprintf|read)_chk'

if [ "$(uname -m)" = x86_64 ]; then
    code=$(objdump -d --no-show-raw-insn "$CULPRIT")
    check "jumps and calls by pointers land where they may (endbr64)" [ "$(grep -c endbr64 <<< "$code")" -gt 500 ]
    # the note counts only where every object has it, those with which the C library starts a program as well
    if readelf -nW "$("$CC" -print-file-name=Scrt1.o)" | grep -q 'IBT, SHSTK'; then
        check "IBT and SHSTK" has "$(readelf -nW "$CULPRIT")" 'IBT, SHSTK'
    else
        echo "not asked: IBT and SHSTK, which this C library's own start files do not have"
    fi
    check "the stack is touched page by page" has "$code" 'orq +\$0x0,(0x[0-9a-f]+)?\(%rsp\)'
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
