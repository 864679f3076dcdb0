/* SPDX-License-Identifier: MIT */
/*
 * One audit record: bytes in, views out. The same decoder reads the netlink stream and log files.
 * Pure: no allocation, no clock; every view points into the input. Fields that nobody here knows
 * stay visible to whoever iterates.
 *
 * Format (kernel/audit.c, lib/audit_logging.c of audit-userspace): name=value pairs, separated by
 * spaces. A string that others control is written in double quotes, or, if it holds a quote, a
 * space or a byte outside 0x21..0x7e, as bare hexadecimal: which of the two is known by the name of
 * the field and the type of the record only, never by what the value looks like ("key=DEAD" is hexadecimal,
 * "inode=1234" is not).
 */
#pragma once

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"

#ifndef AUDIT_URINGOP /* Linux 5.16 */
#define AUDIT_URINGOP 1336
#endif
#define AUDIT_ENRICHED_SEPARATOR '\x1d' /* auditd's log_format=ENRICHED: interpreted fields follow */

struct audit_record {
    unsigned type;          /* AUDIT_SYSCALL ...; 0: a type name that is not known here */
    struct bytes type_name; /* as written in a log line; BYTES_NULL from netlink */
    struct bytes node;      /* "node=" of a log line, or BYTES_NULL */
    uint64_t time_ms;       /* CLOCK_REALTIME, of the system call's entry; the kernel's clock is coarse (4 to 10 ms) */
    uint64_t serial;        /* with the time: the event's identity within one boot */
    struct bytes body;      /* the fields behind "audit(...): " */
    struct bytes enriched;  /* what auditd added, or BYTES_NULL */
};

enum audit_encoding {
    AUDIT_ENCODING_PLAIN,  /* as it is written */
    AUDIT_ENCODING_QUOTED, /* between quotes; the view is without them */
    AUDIT_ENCODING_HEX,    /* hexadecimal of the value's bytes */
    AUDIT_ENCODING_NULL,   /* "(null)" or "(none)": there is no value */
    AUDIT_ENCODING_WORD,   /* not name=value: a bare word, as in "avc:  denied  { read } for" */
};

struct audit_field {
    struct bytes name;  /* {"", 0} for a bare word */
    struct bytes value; /* without quotes, not yet un-hexed */
    enum audit_encoding encoding;
};

/* The payload of a netlink message of `type`: "audit(1700000000.123:456): arch=...".
 * -EBADMSG: not that; err says at which offset. */
int audit_record_parse_payload(unsigned type, struct bytes payload, struct audit_record *ret,
                               struct err *err);

/* One line of a log, with or without its newline: "[node=N ]type=T msg=audit(...): ...". */
int audit_record_parse_line(struct bytes line, struct audit_record *ret, struct err *err);

/* Time and serial number alone, of text that begins "audit(" or "msg=audit(": for scanners that
 * want to order or skip lines. Returns how many bytes it takes, 0 if it is not that. */
size_t audit_stamp_parse(struct bytes text, uint64_t *ret_time_ms, uint64_t *ret_serial);

/* The next field of `*rest` (start with record->body or ->enriched), which is moved behind it.
 * False at the end. Never fails: what cannot be understood comes out as a bare word. */
bool audit_field_next(unsigned type, struct bytes *rest, struct audit_field *ret);

/* The first field of that name; false if there is none. */
bool audit_record_find(const struct audit_record *record, const char *name,
                       struct audit_field *ret);

/* The value's own bytes: a view into the record, or of `buffer` where it had to be un-hexed: half as many as its digits.
 * "(null)" gives BYTES_NULL. -ENOBUFS: buffer too small; -EBADMSG: odd or foreign digits (cut
 * record). */
int audit_field_text(const struct audit_field *field, char *buffer, size_t size,
                     struct bytes *ret);

/* Upper- or lower-case hexadecimal to bytes, as above. */
int audit_unhex(struct bytes hex, char *buffer, size_t size, struct bytes *ret);

/* Unsigned number of a field's value: base 8, 10 or 16 without prefix; "-1" and "unset" become the
 * largest 64-bit number. False if it is not a number. */
bool audit_field_number(const struct audit_field *field, unsigned base, uint64_t *ret);

/* The number of a record type ("SYSCALL"), 0 if unknown. "UNKNOWN[1421]" is understood. */
unsigned audit_type_by_name(struct bytes name);
