/* SPDX-License-Identifier: MIT */
#include "cause/applet.h"

#include "cause/argv.h"
#include "cause/table.h"

struct box {
    const char *name; /* of the executable */
};

static const struct box boxes[] = {
    { "busybox" }, { "coreutils" }, { "dropbearmulti" }, { "gnu-coreutils" }, { "sbase-box" },
    { "toolbox" }, { "toybox" },    { "ubase-box" },     { "uu-coreutils" },
};

/* "busybox.static", "coreutils-single" are called like the others, and a bit more. */
static bool is_box(struct bytes name)
{
    if (!name.len || !strchr("bcdgstu", name.data[0])) /* of every program that runs: most are none */
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (i && (name.data[i] == '.' ||
                  (name.data[i] == '-' && bytes_equal_str((struct bytes){ name.data + i, name.len - i }, "-single"))))
            name.len = i;
    return TABLE_FIND(boxes, name) != NULL;
}

/* One program under several names, by links: what it is called is what it does. Only these names are believed. */
static const struct alias {
    const char *name;          /* of the executable */
    const char *others;        /* a blank behind each */
} aliases[] = {
    { "magick", "composite convert mogrify montage " },
    { "mtools", "mattrib mcopy mdel mdeltree mformat mmd mmove mrd mren " },
    { "nix", "nix-build nix-channel nix-collect-garbage nix-env nix-instantiate nix-shell nix-store " },
    { "redis-check-rdb", "redis-check-aof redis-sentinel redis-server " },
    { "valkey-check-rdb", "valkey-check-aof valkey-sentinel valkey-server " },
    { "xz", "lzma unlzma unxz " },
    { "zstd", "unzstd zstdmt " },
};

/* argv[0] may have a title behind it: "redis-server 127.0.0.1:6379". */
static struct bytes alias_name(struct bytes name, struct bytes called)
{
    const struct alias *row = name.len && strchr("mnrvxz", name.data[0]) ? TABLE_FIND(aliases, name) : NULL;
    const char *blank = row ? bytes_char(called, ' ') : NULL;
    const char *at = row ? row->others : "";

    if (blank)
        called.len = (size_t)(blank - called.data);
    called = bytes_basename(called);
    for (size_t len; called.len && *at; at += len + 1) {
        len = strcspn(at, " ");
        if (len == called.len && memcmp(at, called.data, len) == 0)
            return called;
    }
    return name;
}

/* The index of the argument that names the applet; -1: it is no box, or names none. */
static int applet_index(const struct process *p)
{
    struct bytes first;

    if (!is_box(bytes_basename(p->executable)))
        return -1;
    first = bytes_basename(argv_at(p->args, 0));
    if (first.len && !is_box(first))
        return 0;
    first = argv_at(p->args, 1);
    /* coreutils --coreutils-prog=rm: what a script of one line starts */
    return first.len && first.data[0] != '-' ? 1 : -1;
}

static struct bytes called_program(const struct process *p)
{
    static const char option[] = "--coreutils-prog=", option_script[] = "--coreutils-prog-shebang=";
    struct bytes first = argv_at(p->args, 1);

    if (bytes_starts_with(first, bytes_of(option)))
        return (struct bytes){ first.data + sizeof(option) - 1, first.len - sizeof(option) + 1 };
    if (bytes_starts_with(first, bytes_of(option_script)))
        return (struct bytes){ first.data + sizeof(option_script) - 1, first.len - sizeof(option_script) + 1 };
    return BYTES_NULL;
}

struct bytes applet_name(const struct process *p, bool *ret_claimed)
{
    struct bytes name = bytes_basename(p->executable), called;
    int index;

    *ret_claimed = !name.len;
    if (!name.len) {
        name = bytes_basename(argv_at(p->args, 0));
        if (name.len && name.data[0] == '-') /* a login shell */
            name = (struct bytes){ name.data + 1, name.len - 1 };
        return name.len ? name : p->name;
    }
    index = applet_index(p);
    called = index < 0 && is_box(name) ? called_program(p) : BYTES_NULL;
    if (called.len)
        return called;
    if (index < 0)
        return alias_name(name, argv_at(p->args, 0));
    called = bytes_basename(argv_at(p->args, (unsigned)index));
    if (called.len > 1 && called.data[0] == '-')
        called = (struct bytes){ called.data + 1, called.len - 1 };
    return called.len ? called : name;
}

struct bytes applet_args(const struct process *p)
{
    struct argv a = argv_of(p->args);
    struct bytes word;

    if (applet_index(p) == 1)
        (void)argv_next(&a, &word);
    return a.rest;
}
