/* SPDX-License-Identifier: MIT */
/*
 * The one place where foreign bytes become output. Each writer takes raw bytes and is safe for any
 * input: NUL, newline, ESC, invalid UTF-8, bidirectional controls, any length.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/sbuf.h"

/* For terminals and text files: printable UTF-8 as it is; control characters, invalid bytes, line
 * and bidirectional controls as \n, \t, \xHH or \u{HEX}; a backslash as \\. One line stays one line. */
void escape_terminal(struct sbuf *out, struct bytes b);

/* The same, cut in the middle with "…" to at most `columns` columns; the last path component is
 * kept whole as long as it fits. columns == 0: not cut. */
void escape_terminal_path(struct sbuf *out, struct bytes path, unsigned columns);

/* A JSON string with its quotes (RFC 8259). Invalid UTF-8 becomes U+FFFD, one for each maximal
 * invalid sequence; then `true` is returned, and the caller keeps the raw bytes beside it (hex). */
bool escape_json(struct sbuf *out, struct bytes b);

/* The same with `between` in place of each NUL: words as one string (" ") or as the members of an array ("\",\"").
 * NULL: NUL is a character. */
bool escape_json_words(struct sbuf *out, struct bytes words, const char *between);

/* Lower-case hexadecimal, two digits a byte. */
void escape_hex(struct sbuf *out, struct bytes b);

/* Text of XML 1.0, between tags or in a quoted attribute. Lines and tabs stay, and so does a backslash: text that is
 * escaped for terminals already is the same afterwards; what XML forbids is shown as escape_terminal() shows it. */
void escape_xml(struct sbuf *out, struct bytes b);

/* What is ASCII stays, whatever it is: control characters are escaped already, in another way. DEL, C1 controls, invalid
 * bytes and the rest of what escape_terminal() does not show are shown as there. */
void escape_above_ascii(struct sbuf *out, struct bytes b);

/* One POSIX shell word that evaluates to exactly these bytes; control and invalid bytes as $'\xHH'. */
void escape_shell(struct sbuf *out, struct bytes b);

/* Decode one UTF-8 sequence at b.data (b.len > 0). Returns its length (1 to 4) and the code point,
 * or 0 if it is not valid there (overlong forms and surrogates are not). */
unsigned utf8_decode(struct bytes b, uint32_t *ret_code_point);

/* Columns of text that is escaped already: wide characters take two, combining ones none. */
unsigned escape_columns(struct bytes text);
/* The same of the text in `out` from the offset `from` on. */
unsigned escape_columns_from(const struct sbuf *out, size_t from);
/* Spaces behind that, up to so many columns; nothing where there are more. */
void escape_pad(struct sbuf *out, size_t from, unsigned columns);
/* Columns that escape_terminal()'s output takes. */
unsigned escape_terminal_width(struct bytes b);
