/* SPDX-License-Identifier: MIT */
/* What is not as it was, put back. */
#pragma once

#include "engine/view.h"
#include "restore/attributes.h"
#include "restore/item.h"
#include "store/query.h"
#include "util/sbuf.h"

struct restore_options {
    bool dry_run; /* only say what would be done */
    bool force;   /* also in place of newer content */
    const struct held_files *held; /* by guards; borrowed; NULL: none is */
    const char *package_cache; /* a directory of package files; NULL: where apt keeps them */
    const char *copies;        /* the directory of kept copies; borrowed; NULL: none */
    long utc_offset_s;         /* for times in texts */
    uint64_t at_ns; /* as it was then, CLOCK_REALTIME; 0: as the source has it */
    struct store *store;             /* who did it; borrowed; NULL: nothing was ever recorded */
    const struct store_query *query; /* whose files, for the store */
    void *data;
    /* The directory in which the product that did it keeps what it removed, as it was, into `ret` of PATH_MAX bytes. False: none is known. */
    bool (*kept_in)(void *data, const struct event *e, char *ret);
    void (*notice)(void *data, const char *text); /* a part that is left out: one line for people, escaped */
};

struct restore_summary {
    uint64_t watched_since; /* CLOCK_REALTIME; 0: nobody has ever watched these files */
    uint64_t took_ns;       /* to put it back, once it was known what */
};

/*
 * From the layers of the container's image; path as in compare_image(). A container that runs is written to through its
 * first process's root, one that does not by taking away what covers the image's files in its own layer; never a layer
 * that is mounted. Each path is an item of `ret` (empty before, the caller's), with its outcome: one that fails stops nothing.
 * -ENOENT, -EOPNOTSUPP, -ETIMEDOUT as compare_image_apart(); -EBUSY: the container's layer is mounted, though it does not
 * run. foreign_start() must have been called. Signals that would end the process wait for the end of each file.
 */
int restore_image(const struct container_view *view, struct bytes path, const struct restore_options *options,
                  struct restore_items *ret, struct restore_summary *ret_summary, struct err *err);

/*
 * Deleted files at or below `path` (absolute) that processes still hold open, copied back to where they were: of a container that
 * runs, or of the host (view: NULL). Links on its way are followed as far as it exists, the last one if it leads to a directory; what is
 * deleted is below that by its names. What there is by that name now is newer, unless it has the same content: then there is nothing to
 * do. options: at_ns and held are not looked at. -EOPNOTSUPP: the container does not run, or has users of its own. Signals as above.
 */
int restore_still_open(const struct container_view *view, struct bytes path, const struct restore_options *options, struct restore_items *ret,
                       struct restore_summary *ret_summary, struct err *err);
/*
 * Of the host's dpkg packages what is gone at or below `path`, from the packages' files in the cache, checked by dpkg's sums; changed_too:
 * also what has another content than its package gave it. Mode and owner of what is there are left: a package's script may have changed
 * them. options as above. -ENOENT: this host has no dpkg, nothing is in `err`.
 */
int restore_package(struct bytes path, bool changed_too, const struct restore_options *options, struct restore_items *ret,
                    struct restore_summary *ret_summary, struct err *err);
/*
 * The same of what git's index has, where the path lies in a work tree: content, link, executable or not; owner is the tree's, mode 0644 or 0755,
 * times are new. Folders that are gone are made. -ENOENT: it lies in no work tree, nothing is in `err`; or there is no git.
 */
int restore_git(struct bytes path, bool changed_too, const struct restore_options *options, struct restore_items *ret,
                struct restore_summary *ret_summary, struct err *err);
/*
 * Of the host what the record says that a product removed, from the directory in which options->kept_in says that it keeps it: the file itself, or its
 * copy, where root was recorded doing it, nobody but root could have put that there or exchanged a folder above it, and it is the only one. What is in
 * quarantine stays there. Not asked by restore_host(): it was taken for a threat. -EOPNOTSUPP: there is no record.
 */
int restore_quarantine(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                       struct err *err);
/*
 * The same of copies that were kept while the path was watched, of the host or (view) of a container that runs (copies/pack.h), `options->copies` of
 * them: as it was at options->at_ns, or, where that is 0, what
 * went in the last day and had been there for a minute. What has gone at another time, or for a moment, is a notice. -ENOENT: none
 * of it are kept, nothing is in `err`.
 */
int restore_copies(const struct container_view *view, struct bytes path, const struct restore_options *options, struct restore_items *ret,
                   struct restore_summary *ret_summary, struct err *err);
/*
 * Of the host, from the first source that has it: kept copies, then what processes hold open, then packages, then git. ret_from: "what processes hold open and package
 * acl 2.3.1-3": what something came from, or would have. A source that fails is a notice. Else as those above.
 */
int restore_host(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                 struct sbuf *ret_from, struct err *err);
/* The same words of one source. */
void restore_name_sources(const struct restore_items *items, enum restore_source asked, struct sbuf *out);
/* How many of those have nothing in their place, and a folder to lie in; 0 also where that cannot be known. */
size_t restore_still_open_count(const struct container_view *view, struct bytes path);
