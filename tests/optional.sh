#!/bin/bash
# SPDX-License-Identifier: MIT
# Where a library that may be missing is missing: compiles each file that asks for it (HAVE_* of meson.build) without any of them,
# warnings are errors. Builds for tests have them all, so that these lines are read by no compiler otherwise.
cd "$(dirname "$0")/.." || exit 2

failed=0 tried=0
for macro in $(grep -o '\-DHAVE_[A-Z0-9_]*' meson.build | sort -u); do
    macro=${macro#-D}
    files=$(grep -rlw "$macro" src --include='*.c')
    if [ -z "$files" ]; then
        echo "optional: no file asks for $macro of meson.build"
        failed=1
    fi
    for file in $files; do
        tried=$((tried + 1))
        if ! ${CC:-cc} -std=gnu17 -fms-extensions -fsyntax-only -Wall -Wextra -Werror -Wno-missing-field-initializers -Wshadow -Wformat=2 -Wundef \
            -Wstrict-prototypes -Wmissing-prototypes -D_GNU_SOURCE -DCULPRIT_VERSION='""' -Isrc "$file"; then
            echo "$file: does not compile without $macro"
            failed=1
        fi
    done
done
if [ $tried = 0 ]; then
    echo "optional: no macro in meson.build"
    failed=1
fi
exit $failed
