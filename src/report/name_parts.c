/* SPDX-License-Identifier: MIT */
#include "report/name_parts.h"

#include "util/escape.h"

#define SHORT_ID 12
#define PATH_COLUMNS 60

void name_container(struct sbuf *out, const struct container *container)
{
    struct bytes id = container->id;

    escape_terminal(out, container->name.len ? container->name : (struct bytes){ id.data, MIN(id.len, (size_t)SHORT_ID) });
}

/* In these quotes a shell reads a word as it is written. */
static char quotes_of(struct bytes word)
{
    static const char special[] = "$`\\!\"";

    if (!bytes_char(word, '\''))
        return '\'';
    for (size_t i = 0; i < sizeof(special) - 1; i++)
        if (bytes_char(word, special[i]))
            return '\'';
    return '"';
}

/* Words with blanks in them are quoted, so that it can be seen where they end. */
static void add_word(struct sbuf *out, struct bytes word)
{
    char quotes = !word.len || bytes_char(word, ' ') ? quotes_of(word) : '\0';
    const char *inner;

    if (quotes)
        sbuf_add_char(out, quotes);
    while (quotes == '\'' && (inner = bytes_char(word, '\''))) {
        size_t before = (size_t)(inner - word.data);

        escape_terminal(out, (struct bytes){ word.data, before });
        sbuf_add_str(out, "'\\''");
        word = (struct bytes){ inner + 1, word.len - before - 1 };
    }
    escape_terminal(out, word);
    if (quotes)
        sbuf_add_char(out, quotes);
}

void name_command_line(struct sbuf *out, struct bytes args, unsigned columns)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct bytes cut;

    if (args.len && !bytes_char(args, '\0')) { /* a shell's text: it is no argument to be quoted */
        escape_terminal(&line, args);
        args.len = 0;
    }
    for (bool first = true; args.len; first = false) {
        struct bytes word = { args.data, strnlen(args.data, args.len) };

        if (!first)
            sbuf_add_char(&line, ' ');
        add_word(&line, word);
        args = (struct bytes){ args.data + word.len, args.len - word.len };
        if (args.len)
            args = (struct bytes){ args.data + 1, args.len - 1 };
    }
    cut = sbuf_bytes(&line);
    while (columns && escape_columns(cut) > columns) { /* from the end, by whole characters */
        cut.len -= MAX(escape_columns(cut) - columns, 1u);
        while (cut.len && ((unsigned char)cut.data[cut.len] & 0xc0) == 0x80)
            cut.len--;
    }
    sbuf_add_bytes(out, cut);
    if (cut.len < line.len)
        sbuf_add_str(out, "…");
}

static bool holds_word(struct bytes text, struct bytes word)
{
    return word.len && text.len >= word.len && memmem(text.data, text.len, word.data, word.len);
}

/* One program with several names by links, of which its own holds none. A part of the file's name is enough: vim.basic, vim.gtk3. */
static const struct {
    const char *program;
    const char *names[8];
} links[] = {
    { "bzip2", { "bunzip2", "bzcat" } },
    { "dockerd", { "docker-applyLayer", "docker-tar", "docker-untar" } },
    { "gawk", { "nawk" } },
    { "gzip", { "gunzip", "zcat" } },
    { "kmod", { "depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod" } },
    { "mawk", { "nawk" } },
    { "nano", { "editor", "pico" } },
    { "ssh", { "slogin" } },
    { "sudo", { "sudoedit" } },
    { "systemctl", { "halt", "poweroff", "reboot", "shutdown" } },
    { "vim", { "editor", "ex", "rview", "view" } },
    { "vipw", { "vigr" } },
    { "xz", { "lzma", "unlzma", "unxz", "xzcat" } },
    { "zstd", { "unzstd", "zstdcat" } },
};

static bool is_link_of(struct bytes executable, struct bytes base)
{
    for (size_t i = 0; base.len && i < ARRAY_SIZE(links); i++) {
        struct bytes program = bytes_of(links[i].program);

        if (bytes_starts_with(executable, program) && (executable.len == program.len || executable.data[program.len] == '.') &&
            BYTES_AMONG(base, links[i].names))
            return true;
    }
    return false;
}

/* "vi" of vim.basic, "awk" of mawk, "-bash" of a login shell, an applet of busybox: other names of the same program. */
static bool is_its_name(const struct cause_run *run, struct bytes word)
{
    struct bytes base = bytes_basename(word), executable = bytes_basename(run->process->executable);

    if (base.len && base.data[0] == '-')
        base = (struct bytes){ base.data + 1, base.len - 1 };
    return !executable.len || holds_word(executable, base) || is_link_of(executable, base) || bytes_equal(base, bytes_basename(run->name));
}

/* `cd /opt && ./purge`, `sh purge`: the word that names it becomes its path. */
static void add_with_path(struct sbuf *line, struct bytes args, struct bytes path)
{
    struct bytes base = bytes_basename(path);
    bool done = false;

    for (size_t i = 0; args.len; i++) {
        struct bytes word = { args.data, strnlen(args.data, args.len) };
        bool named = !done && i > 0 && word.len && word.data[0] != '/' && bytes_equal(bytes_basename(word), base);

        done |= named;
        sbuf_add_bytes(line, named ? path : word);
        if (word.len < args.len)
            sbuf_add_char(line, '\0');
        args = (struct bytes){ args.data + word.len, args.len - word.len };
        if (args.len)
            args = (struct bytes){ args.data + 1, args.len - 1 };
    }
}

static bool has_path(const struct cause_run *run)
{
    return (run->kind == RUN_SCRIPT || run->kind == RUN_GIT_HOOK || run->kind == RUN_ARCHIVE) && !run->claimed &&
           run->name.len && run->name.data[0] == '/';
}

/* A shell that a person types into. */
bool name_typed(struct sbuf *out, const struct cause_run *run)
{
    if (run->kind != RUN_BUILTIN)
        return false;
    sbuf_add_str(out, "a command typed in ");
    escape_terminal(out, run->name);
    sbuf_add_str(out, " (a shell builtin or redirection)");
    return true;
}

void name_run_line(struct sbuf *out, const struct cause_run *run, struct bytes args, unsigned columns)
{
    struct bytes word = { args.data, strnlen(args.data ? args.data : "", args.len) };
    bool program = run->kind == RUN_COMMAND || run->kind == RUN_PROGRAM;
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    if (name_typed(out, run))
        return;
    if (run->kind == RUN_INPUT) {
        sbuf_add_str(out, "standard input of ");
        if (args.len > 3 && memcmp(args.data + args.len - 3, "\0-", 3) == 0) /* python3 - */
            args.len -= 2;
    }
    if (run->input) { /* sh < FILE */
        name_command_line(out, args, columns);
        sbuf_add_str(out, " < ");
        escape_terminal_path(out, run->name, PATH_COLUMNS);
        return;
    }
    if (has_path(run)) {
        add_with_path(&line, args, run->name);
        name_command_line(out, sbuf_bytes(&line), columns);
        return;
    }
    if (!program || !run->process || word.len == args.len || is_its_name(run, word)) {
        name_command_line(out, args, columns);
        return;
    }
    sbuf_add_bytes(&line, bytes_basename(run->process->executable));
    sbuf_add(&line, args.data + word.len, args.len - word.len);
    name_command_line(out, sbuf_bytes(&line), columns);
    if (!word.len)
        return;
    sbuf_add_str(out, " (calls itself ");
    escape_terminal_path(out, word, PATH_COLUMNS);
    sbuf_add_char(out, ')');
}

void name_uid(struct sbuf *out, uint32_t uid, struct bytes name)
{
    if (name.len)
        escape_terminal(out, name);
    else if (uid == 0)
        sbuf_add_str(out, "root");
    else
        sbuf_addf(out, "uid %u", uid);
}

bool name_user_changed(const struct person *p)
{
    return p->id != UID_UNKNOWN && p->as_id != UID_UNKNOWN && p->id != p->as_id;
}

/* ", as root by sudo"; a log may not say by what. */
void name_user_change(struct sbuf *out, const struct person *p)
{
    if (!name_user_changed(p))
        return;
    sbuf_add_str(out, ", as ");
    name_uid(out, p->as_id, p->as_name);
    if (!p->by.len)
        return;
    sbuf_add_str(out, " by ");
    escape_terminal(out, p->by);
}

void name_person(struct sbuf *out, const struct person *p)
{
    if (!p->known)
        return;
    name_uid(out, p->id, p->name);
    name_user_change(out, p);
    if (p->terminal.len) {
        sbuf_add_str(out, ", at ");
        escape_terminal(out, p->terminal);
    }
    if (p->remote.len) {
        sbuf_add_str(out, p->terminal.len ? " from " : ", from ");
        escape_terminal(out, p->remote);
    }
}
