/* SPDX-License-Identifier: MIT */
/*
 * The error context: a caller-owned text for the user beside the -errno for the program.
 * Every function accepts err == NULL. Nothing here allocates.
 */
#pragma once

#include <stdbool.h>

#include "util/limits.h"
#include "util/macro.h"

struct err {
    char text[LIMIT_ERR];
};

#define ERR_INIT ((struct err){ .text = "" })

/* Write the text and ": " strerror(-code) if the text does not already explain it; returns `code`
 * (negative). `code` 0 or positive is our own mistake and becomes -EINVAL. */
int err_set(struct err *err, int code, const char *format, ...) _printf_(3, 4);

/* The same without the errno's words: the text says all there is. */
int err_say(struct err *err, int code, const char *format, ...) _printf_(3, 4);

/* Put "what: " in front of the text that is there (or of strerror(-code)); returns `code`. */
int err_prefix(struct err *err, int code, const char *format, ...) _printf_(3, 4);

/* The text, or strerror(-code) if nothing was said. Valid as long as `err`. */
const char *err_text(const struct err *err, int code);

/* The errno's symbolic name ("EPERM") for a positive errno; NULL if unknown. */
const char *errno_name(int number);

