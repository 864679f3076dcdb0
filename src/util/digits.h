/* SPDX-License-Identifier: MIT */
/* Digits of dates and times, written where there is room. */
#pragma once

#include <string.h>

/* value: below 100 */
static inline void put_two_digits(char *to, unsigned value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";

    memcpy(to, pairs + 2 * value, 2);
}
