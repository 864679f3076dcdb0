/* SPDX-License-Identifier: MIT */
/*
 * The daemon's configuration: DIR/culprit.conf, DIR/conf.d/ *.conf in the order of their names (a later file's value
 * counts), and DIR/watches.d/ *.rules, whose lines are auditctl's watches. Nothing there is a configuration too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/keys.h"
#include "config/known.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/sbuf.h"

#define CONFIG_DIRECTORY "/etc/culprit"

struct config_value {
    struct bytes *items; /* each ends in a NUL beside its length */
    size_t count;
    bool given;          /* false: the default */
    struct config_source from;
};

/* One that has a name: a watch, or what is expected. */
struct config_block {
    struct bytes name;   /* BYTES_NULL: a rule of watches.d */
    struct config_source from;
    struct config_value values[CONFIG_KEY_COUNT]; /* those of its section */
};

struct config_blocks {
    struct config_block *items;
    size_t count, size;
};

/* All of it lives in the arena. */
struct config {
    struct arena arena;
    struct config_value values[CONFIG_KEY_COUNT]; /* those at the top */
    struct config_blocks blocks[CONFIG_SECTION_COUNT]; /* of the top: none */
    size_t target_count;
    struct config_known *known; /* targets, by what they mean */
    unsigned files; /* that were read */
};

/* Whoever wants to know what is wrong. `file` and `text` are raw bytes: escape them. line 0: of the whole file. */
struct config_report {
    void *data;
    void (*problem)(void *data, const char *file, unsigned line, const char *text, bool warning);
    unsigned errors, warnings;
};
void config_problem(struct config_report *report, const char *file, unsigned line, bool warning, const char *format, ...)
    _printf_(5, 6);

/* Everything at its default, without a watch. -ENOMEM. */
int config_init(struct config *c);
void config_done(struct config *c);

/* One file's text. What is wrong is reported; a file with a mistake is read up to the first. -ENOMEM. */
int config_read(struct config *c, const char *file, struct bytes text, struct config_report *report);
/* The same of auditctl's rules: each has to be a watch. */
int config_read_rules(struct config *c, const char *file, struct bytes text, struct config_report *report);

/* All of the directory. 0, also where something is wrong (report->errors) or nothing is there; -ENOMEM. */
int config_load(struct config *c, const char *directory, struct config_report *report);
/* One file alone, as culprit.conf. */
int config_load_file(struct config *c, const char *path, struct config_report *report);

/* A value at the top; of a list its first. */
struct bytes config_text(const struct config *c, enum config_key key);
bool config_switch(const struct config *c, enum config_key key);
/* enum permission. watch: NULL for those at the top. */
unsigned config_permissions(const struct config *c, const struct config_block *watch);
/* keep_copies of the watch. */
bool config_keeps_copies(const struct config_block *watch);
/* Of all watches: sensors are chosen by it; a reload may ask for more, and then it is said what is not seen. */
unsigned config_all_permissions(const struct config *c);
/* How many may be watched at least, as far as that is known before anything is opened. */
size_t config_count_targets(const struct config *c);
struct bytes config_watch_key(const struct config_block *watch);

/* In double quotes, as it is read again. Printable UTF-8 stays; what a terminal would act upon does not. */
void config_quote(struct sbuf *out, struct bytes text);
/* As culprit.conf, with the source of each value behind it; read again it is the same configuration. */
void config_print(const struct config *c, struct sbuf *out);
