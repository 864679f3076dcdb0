/* SPDX-License-Identifier: MIT */
/*
 * The files of an event with their full paths. What the record leaves relative is completed from
 * the working directory; what is relative to a directory descriptor from the identity (device,
 * inode) of its parent directory, as far as other records say which that is: the name that a
 * PARENT record prints is wrong then (audit-kernel issues 116, 156), and is not used.
 */
#pragma once

#include "search/items.h"
#include "sensor/audit/meaning.h"

struct search_path {
    struct bytes path; /* absolute and without "." or "..", or as far as it is known; BYTES_NULL: no name */
    bool certain;      /* false: the directory is not known; `path` is a name relative to it */
    const struct audit_path *record;
};

/* Directories by identity, learned from the events that went by; bounded. */
struct search_places;
struct search_places *search_places_new(void);
void search_places_free(struct search_places *places);

/* Every one whose path is known. */
void search_places_each(struct search_places *places, void (*each)(void *data, uint64_t inode, struct bytes path),
                        void *data);

struct search_paths {
    struct audit_facts facts;
    struct search_path paths[AUDIT_PATHS_MAX];
    unsigned count;
    struct audit_change changes[AUDIT_CHANGES_MAX];
    unsigned change_count;
    /* memory, used again */
    struct audit_scratch scratch;
    struct audit_record *records;
    unsigned records_size;
    char *text;
    size_t text_len, text_size;
};

/* 0, or -ENOMEM. Views point into the event's records and into `ret`. */
int search_paths_read(const struct search_event *event, struct search_places *places,
                      struct search_paths *ret);
/* The same of records that are parsed already. first_wins: what is known of a directory stays, and
 * removed names teach too: to read a log a first time, for who is where. */
int search_paths_read_group(const struct audit_group *group, struct search_places *places, bool first_wins,
                            struct search_paths *ret);
void search_paths_done(struct search_paths *paths);

/* Full path of a change's file, and of what a rename moved; BYTES_NULL where nothing is known. */
struct bytes search_change_path(const struct search_paths *paths, const struct audit_change *change);
struct bytes search_change_previous_path(const struct search_paths *paths,
                                         const struct audit_change *change);
