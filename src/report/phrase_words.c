/* SPDX-License-Identifier: MIT */
/* The words of what was done: one row an operation, one a reason to fold a change, one a reason why somebody is noise. */
#include "report/phrase_words.h"

/* clang-format off */
static const struct phrase_words words[OPERATION_COUNT] = {
    [OPERATION_READ]        = { "read %", "read %", "% read", NULL, NULL },
    [OPERATION_OPEN_WRITE]  = { "opened % for writing", "open % for writing", "% opened for writing", NULL, NULL },
    [OPERATION_WRITE]       = { "wrote to %", "write to %", "% written to", NULL, NULL },
    [OPERATION_TRUNCATE]    = { "truncated %", "truncate %", "% truncated", NULL, NULL },
    [OPERATION_CREATE]      = { "created %", "create %", "% created", NULL, NULL },
    [OPERATION_MKDIR]       = { "created %", "create %", "% created", "directory", "directories" },
    [OPERATION_MKNOD]       = { "created %", "create %", "% created", "special file", "special files" },
    [OPERATION_SYMLINK]     = { "created %", "create %", "% created", "symbolic link", "symbolic links" },
    [OPERATION_LINK]        = { "created %", "create %", "% created", "hard link", "hard links" },
    [OPERATION_UNLINK]      = { "deleted %", "delete %", "% deleted", NULL, NULL },
    [OPERATION_RMDIR]       = { "removed %", "remove %", "% removed", "directory", "directories" },
    [OPERATION_RENAME]      = { "renamed %", "rename %", "% renamed", NULL, NULL },
    [OPERATION_REPLACE]     = { "replaced %", "replace %", "% replaced", NULL, NULL },
    [OPERATION_CHMOD]       = { "changed the mode of %", "change the mode of %", "mode of % changed", NULL, NULL },
    [OPERATION_CHOWN]       = { "changed the owner of %", "change the owner of %", "owner of % changed", NULL, NULL },
    [OPERATION_UTIME]       = { "set the times of %", "set the times of %", "times of % set", NULL, NULL },
    [OPERATION_SETXATTR]    = { "set an extended attribute of %", "set an extended attribute of %",
                                "extended attribute of % set", NULL, NULL },
    [OPERATION_REMOVEXATTR] = { "removed an extended attribute of %", "remove an extended attribute of %",
                                "extended attribute of % removed", NULL, NULL },
    [OPERATION_SETACL]      = { "changed the ACL of %", "change the ACL of %", "ACL of % changed", NULL, NULL },
    [OPERATION_SETFLAGS]    = { "changed the flags of %", "change the flags of %", "flags of % changed", NULL, NULL },
    [OPERATION_EXEC]        = { "executed %", "execute %", "% executed", NULL, NULL },
    [OPERATION_MOUNT]       = { "mounted over %", "mount over %", "% mounted over", NULL, NULL },
    [OPERATION_UNMOUNT]     = { "unmounted %", "unmount %", "% unmounted", NULL, NULL },
    [OPERATION_ATTRIBUTES]  = { "changed an attribute of % (which one is not known)", "change an attribute of %",
                                "attribute of % changed (which one is not known)", NULL, NULL },
};

/* By several processes in one moment: what differs is known, and not which of them made it so. */
static const struct phrase_words changed = { "changed attributes of %", "change attributes of %", "attributes of % changed", NULL, NULL };
static const struct phrase_words other = { "did something to %", "do something to %", "something done to %", NULL, NULL };
static const struct phrase_words away = { "moved % away", "move % away", "% moved away", NULL, NULL };
static const struct phrase_words arrived[2][2] = { /* one, many; of files, of directories: what has the name now is another one */
    { { "moved another file to %", "move another file to %", "another file moved to %", NULL, NULL },
      { "moved other files to %", "move other files to %", "other files moved to %", "name", "names" } },
    { { "moved another directory to %", "move another directory to %", "another directory moved to %", NULL, NULL },
      { "moved other directories to %", "move other directories to %", "other directories moved to %", "name", "names" } },
};
static const struct phrase_words kept = { "replaced %", "replace %", "% replaced", NULL, NULL };
static const struct phrase_words anew = { "replaced % (deleted and made anew)", "replace %", "% replaced (deleted and made anew)", NULL, NULL };
static const struct phrase_words overwritten = { "overwrote %", "overwrite %", "% overwritten", NULL, NULL };
static const struct phrase_words cut = { "truncated or overwrote %", "truncate or overwrite %", "% truncated or overwritten", NULL, NULL };
static const struct phrase_words reopened = { "emptied or overwrote %", "empty or overwrite %", "% emptied or overwritten", NULL, NULL };
static const struct phrase_words swapped = { "exchanged %", "exchange %", "% exchanged", "pair of names", "pairs of names" };
static const struct phrase_words touched = { "touched %, nothing changed", "touch %", "% touched, nothing changed", NULL, NULL };
static const struct phrase_words uncertain = { "changed an attribute of % (which one is not known)", "change an attribute of %",
                                        "attribute of % changed (which one is not known)", NULL, NULL };
static const struct phrase_words group = { "changed the group of %", "change the group of %", "group of % changed", NULL, NULL };

static const char *const fold_table[FOLD_COUNT][2] = { /* "12 changes ..." */
    [FOLD_TEMPORARY]   = { "temporary", "about temporary files of its own" },
    [FOLD_REPLACEMENT] = { "replacement", "for writing the new files and putting them in the place of the old ones" },
    [FOLD_CONTENTS]    = { "contents", "for filling files that it had created or emptied" },
    [FOLD_RENAMED]     = { "final-name", "for giving files that it created their final names" },
    [FOLD_PASSING]     = { "passing-name", "for names that files had in between" },
    [FOLD_MOVED]       = { "moved-first", "for moving away what was deleted afterwards" },
};

static const char *const noise_table[NOISE_COUNT][2] = {
    [NOISE_NONE]      = { "none", "" },
    [NOISE_ENGINE]    = { "engine-set-up", "the container engine's set-up: it made files of its own, and changed nothing that was there before" },
    [NOISE_CONTAINER] = { "container-set-up", "the container's own processes: they made files of their own, and changed nothing that was there before" },
    [NOISE_COMMAND]   = { "own-command", "your own command: it made files of its own, and changed nothing that was there before" },
    [NOISE_AROUND]    = { "around", "the container engine's own mounts and folders on the host, around the container, which does not see them" },
    [NOISE_EMPTY]     = { "empty", "" },
    [NOISE_REMOVED]   = { "layer-dropped", "the container engine dropping the container's writable layer" },
};
/* clang-format on */

const char *fold_name(enum fold fold)
{
    return fold_table[fold][0];
}

const char *fold_words(enum fold fold)
{
    return fold_table[fold][1];
}

const char *noise_name(enum noise noise)
{
    return noise_table[noise][0];
}

const char *noise_words(enum noise noise)
{
    return noise_table[noise][1];
}

bool phrase_is_known_change(const struct tally *t)
{
    return t->operation == OPERATION_ATTRIBUTES && t->same_change && !t->error &&
           (file_state_mode_differs(&t->before, &t->after) || file_state_owner_differs(&t->before, &t->after));
}

const struct phrase_words *phrase_words_of(const struct tally *t)
{
    const struct phrase_words *w = (unsigned)t->operation < OPERATION_COUNT ? &words[t->operation] : &other;

    if (phrase_is_known_change(t))
        return &changed;
    switch (t->variant) {
    case VARIANT_AWAY:
        return &away;
    case VARIANT_ARRIVED:
        return &arrived[t->directory][t->files != 1 || t->files_beyond];
    case VARIANT_KEPT:
        return &kept;
    case VARIANT_ANEW:
        return &anew;
    case VARIANT_OVERWRITTEN:
        return &overwritten;
    case VARIANT_CUT:
        return &cut;
    case VARIANT_REOPENED:
        return &reopened;
    case VARIANT_EXCHANGE:
        return &swapped;
    case VARIANT_UNCHANGED:
        return &touched;
    case VARIANT_UNCERTAIN:
        if (t->operation == OPERATION_UTIME)
            return &uncertain;
        break;
    default:
        break;
    }
    if (t->operation == OPERATION_CHOWN && (t->after.known & (FILE_UID | FILE_GID)) == FILE_GID)
        return &group;
    return w->did ? w : &other;
}

const struct phrase_words *phrase_words_of_operation(enum operation operation)
{
    return (unsigned)operation < OPERATION_COUNT ? &words[operation] : &other;
}
