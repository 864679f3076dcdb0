/* SPDX-License-Identifier: MIT */
/*
 * The searchable fields of an event, taken from its records by ausearch's rules: which record gives
 * which field, which one wins where several do, and which malformed record makes an event
 * unsearchable. Those rules are its interface: the same event must be found by the same question.
 */
#pragma once

#include "search/query.h"

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

/* Names of user ids, looked up once. */
struct search_users;
struct search_users *search_users_new(void);
void search_users_free(struct search_users *users);

/* Only what the query asks for is read. `items` is used again from call to call. False: a record
 * is malformed in a way that makes ausearch pass over the event. */
bool search_items_read(const struct search_event *event, const struct search_query *query,
                       struct search_users *users, struct search_items *items);
void search_items_done(struct search_items *items);

