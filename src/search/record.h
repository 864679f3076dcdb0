/* SPDX-License-Identifier: MIT */
/* An event of the log as its records, and the fields of it that can be searched for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

struct search_record {
    struct bytes text;     /* the line up to auditd's separator; without newline */
    struct bytes enriched; /* what follows the separator; BYTES_NULL = none */
    int type;              /* -1: unknown */
    uint32_t order;        /* of the line in its event */
};

struct search_event {
    uint64_t sec, serial;
    unsigned milli;
    struct bytes node; /* BYTES_NULL: none */
    int type;          /* of the first record */
    bool enriched;     /* one of its records is */
    const struct search_record *records; /* in order of arrival */
    unsigned count;
};

struct search_strings {
    struct bytes *items;
    unsigned count, size;
};

struct search_items {
    uint32_t pid, ppid, uid, euid, auid, gid, egid, session;
    struct bytes uid_name, euid_name, auid_name;
    int64_t exit;
    bool exit_known;
    int success; /* -1 unknown */
    int arch, syscall;
    struct bytes host, terminal, cwd, exe, comm, uuid, vm;
    bool has_avc;
    struct search_strings keys, files, subjects, objects;
    /* memory of what had to be un-hexed or joined */
    char *text;
    size_t text_len, text_size;
    struct bytes interp; /* names that auditd added to the record that counts */
    bool failed;         /* out of memory */
};
