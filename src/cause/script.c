/* SPDX-License-Identifier: MIT */
#include "cause/script.h"

#include "cause/argv.h"
#include "util/macro.h"

/* "/opt/./jobs//x" as "/opt/jobs/x". ".." stays: behind a symbolic link it is not what it seems. */
static struct bytes without_dots(struct process *p, struct bytes path)
{
    char *clean;
    size_t len = 0;

    if (!memmem(path.data, path.len, "/./", 3) && !memmem(path.data, path.len, "//", 2))
        return path;
    clean = arena_alloc(&p->arena, path.len);
    if (!clean)
        return path;
    for (size_t i = 0; i < path.len; i++) {
        bool slash = path.data[i] == '/';

        if (slash && i + 1 < path.len && path.data[i + 1] == '/')
            continue;
        if (slash && i + 2 < path.len && path.data[i + 1] == '.' && path.data[i + 2] == '/') {
            i++;
            continue;
        }
        clean[len++] = path.data[i];
    }
    return (struct bytes){ clean, len };
}

/* Where it was started from, if `path` was joined with it: the rest is relative. */
static bool is_from(struct bytes directory, struct bytes *path)
{
    size_t skip = directory.len + (directory.len > 1);

    if (!bytes_starts_with(*path, directory) || path->len <= skip || path->data[skip - 1] != '/')
        return false;
    *path = (struct bytes){ path->data + skip, path->len - skip };
    return true;
}

/* "../x": the kernel's working directory has no links in it, so that what is above it is known; but not farther on. */
static void go_up(struct bytes *directory, struct bytes *path)
{
    for (;;) {
        if (bytes_starts_with(*path, bytes_of("../")))
            *directory = bytes_dirname(*directory);
        else if (!bytes_starts_with(*path, bytes_of("./")))
            return;
        while (path->len && path->data[0] == '.')
            *path = (struct bytes){ path->data + 1, path->len - 1 };
        while (path->len && path->data[0] == '/')
            *path = (struct bytes){ path->data + 1, path->len - 1 };
    }
}

struct bytes script_path(struct process *p, struct bytes path)
{
    struct bytes directory = p->working_directory, rest = path, joined;
    bool absolute = path.len && path.data[0] == '/';

    if (!path.len)
        return path;
    if (!directory.len || directory.data[0] != '/')
        return absolute ? without_dots(p, path) : path;
    if (bytes_equal_str(path, "."))
        return directory;
    if (absolute && !(memmem(path.data, path.len, "/../", 4) && is_from(directory, &rest)))
        return without_dots(p, path);
    go_up(&directory, &rest);
    joined = rest.len ? arena_join_path(&p->arena, directory, rest) : directory;
    return joined.len ? without_dots(p, joined) : path;
}

bool script_is_packaged(struct bytes path)
{
    static const char *const places[] = { "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/share/" };
    bool is_usr = bytes_starts_with(path, (struct bytes){ "/usr/", 5 });

    for (size_t i = is_usr ? 2 : 0; i < (is_usr ? ARRAY_SIZE(places) : 2); i++)
        if (bytes_starts_with(path, bytes_of(places[i])))
            return true;
    return memmem(path.data, path.len, "/node_modules/", 14) != NULL;
}

static struct bytes put_words(struct process *p, struct bytes a, const char *between, struct bytes b)
{
    size_t middle = strlen(between);
    char *text = arena_alloc(&p->arena, a.len + middle + b.len);

    if (!text)
        return a;
    memcpy(text, a.data, a.len);
    memcpy(text + a.len, between, middle);
    memcpy(text + a.len + middle, b.data, b.len);
    return (struct bytes){ text, a.len + middle + b.len };
}

/* /var/lib/dpkg/info/foo.postinst, /var/lib/dpkg/tmp.ci/preinst: only root writes there. */
static bool as_dpkg(struct process *p, struct cause_run *run)
{
    static const char *const kinds[] = { "preinst", "postinst", "prerm", "postrm", "config" };
    struct bytes base = bytes_basename(run->name);

    if (!bytes_starts_with(run->name, bytes_of("/var/lib/dpkg/")))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i]);
        struct bytes package, architecture;

        if (base.len < n || memcmp(base.data + base.len - n, kinds[i], n) != 0)
            continue;
        package = (struct bytes){ base.data, base.len - n };
        architecture = package;
        if (!package.len) {
            run->name = base; /* which package's, only its environment says */
        } else if (package.data[package.len - 1] == '.') {
            const char *colon = memchr(package.data, ':', --architecture.len);

            package.len = colon ? (size_t)(colon - package.data) : architecture.len;
            run->name = put_words(p, bytes_of(kinds[i]), " of ", package);
            run->package = package;
        } else {
            return false;
        }
        run->kind = RUN_MAINTAINER;
        return true;
    }
    return false;
}

/* rpm writes each scriptlet to a file of its own, /var/tmp/rpm-tmp.XXXXXX, and apk to /lib/apk/exec/NAME-VERSION.KIND. */
static bool as_scriptlet(struct cause_run *run)
{
    if (bytes_starts_with(run->name, bytes_of("/var/tmp/rpm-tmp."))) {
        run->kind = RUN_MAINTAINER;
        run->name = bytes_of("scriptlet");
        return true;
    }
    if (!bytes_starts_with(run->name, bytes_of("/lib/apk/exec/")))
        return false;
    run->kind = RUN_MAINTAINER;
    run->name = bytes_basename(run->name);
    return true;
}

static bool as_ansible(struct cause_run *run)
{
    static const char prefix[] = "AnsiballZ_";
    struct bytes base = bytes_basename(run->name);

    if (bytes_starts_with(base, bytes_of(prefix))) {
        base = (struct bytes){ base.data + sizeof(prefix) - 1, base.len - sizeof(prefix) + 1 };
        if (base.len > 3 && memcmp(base.data + base.len - 3, ".py", 3) == 0)
            base.len -= 3;
    } else if (!memmem(run->name.data, run->name.len, "/ansible-tmp-", 13)) {
        return false;
    }
    run->kind = RUN_ANSIBLE;
    run->name = base;
    return true;
}

static bool is_hook(struct bytes path)
{
    static const char *const hooks[] = { "applypatch-msg", "commit-msg", "post-applypatch", "post-checkout", "post-commit",
                                         "post-merge", "post-receive", "post-rewrite", "post-update", "pre-applypatch",
                                         "pre-auto-gc", "pre-commit", "pre-merge-commit", "pre-push", "pre-rebase",
                                         "pre-receive", "prepare-commit-msg", "update" };
    struct bytes base = bytes_basename(path), directory = bytes_dirname(path);

    if (!bytes_equal_str(bytes_basename(directory), "hooks"))
        return false;
    return BYTES_AMONG(base, hooks);
}

void script_name(struct process *p, struct cause_run *run)
{
    if (run->claimed || as_dpkg(p, run) || as_scriptlet(run) || as_ansible(run))
        return;
    if (is_hook(run->name))
        run->kind = RUN_GIT_HOOK;
}

bool script_is_shim(struct bytes path)
{
    static const char *const managers[] = { "asdf", "goenv", "goenv-exec", "jenv", "jenv-exec", "nodenv", "nodenv-exec", "phpenv",
                                            "plenv", "plenv-exec", "pyenv", "pyenv-exec", "rbenv", "rbenv-exec", "rvm-exec", "tfenv" };
    struct bytes base = bytes_basename(path);

    return BYTES_AMONG(base, managers) || bytes_equal_str(bytes_basename(bytes_dirname(path)), "shims");
}

bool script_build(const struct build_row *row, struct bytes args, struct bytes script, struct arena *arena, struct cause_run *run)
{
    struct argv a = argv_of(args);
    struct bytes word, from = args;

    while (argv_next(&a, &word)) {
        if (bytes_equal(bytes_basename(word), bytes_basename(script)))
            return build_parse(row, from, arena, run);
        from = a.rest;
    }
    return false;
}
