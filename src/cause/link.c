/* SPDX-License-Identifier: MIT */
#include "cause/link.h"

#include "cause/applet.h"
#include "cause/argv.h"
#include "cause/build.h"
#include "cause/interpreter.h"
#include "cause/script.h"
#include "cause/wrapper.h"

/* ---- texts of sh -c ---- */

bool link_is_one_command(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == ';' || c == '|' || c == '\n' || c == '`' || c == '(' || c == '{')
            return false;
        if (c == '&' && !(i && text.data[i - 1] == '>') && !(i + 1 < text.len && text.data[i + 1] == '>'))
            return false; /* but for 2>&1 and &> */
    }
    return link_command_name(text).len > 0;
}

struct bytes link_command_name(struct bytes text)
{
    size_t at = 0;

    for (;;) {
        size_t from;
        struct bytes word;

        while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t'))
            at++;
        from = at;
        while (at < text.len && text.data[at] != ' ' && text.data[at] != '\t')
            at++;
        word = at > from ? (struct bytes){ text.data + from, at - from } : BYTES_NULL;
        if (!word.len || word.data[0] == '"' || word.data[0] == '\'' || word.data[0] == '$')
            return BYTES_NULL;
        if (bytes_char(word, '=') || bytes_equal_str(word, "exec"))
            continue;
        return bytes_basename(word);
    }
}

/* ---- one process ---- */

/* argv[0] of a virtual environment's python is a path into it; its executable is the system's. */
static struct bytes environment_of(const struct interpreter *row, struct process *p)
{
    struct bytes called = argv_at(p->args, 0), directory;

    if (!bytes_equal_str(bytes_of(interpreter_name(row)), "python") || !bytes_char(called, '/'))
        return BYTES_NULL;
    called = script_path(p, called);
    directory = bytes_dirname(called);
    if (bytes_equal(directory, bytes_dirname(p->executable)) || !bytes_equal_str(bytes_basename(directory), "bin") ||
        bytes_equal_str(directory, "/bin") || bytes_starts_with(directory, bytes_of("/usr/")))
        return BYTES_NULL;
    return bytes_dirname(directory);
}

static void as_script(struct process *p, struct cause_link *l, struct bytes path)
{
    l->run.name = script_path(p, path);
    script_name(p, &l->run);
    l->shim = script_is_shim(l->run.name);
    l->role = l->run.kind != RUN_SCRIPT || !script_is_packaged(l->run.name) ? ROLE_SCRIPT : ROLE_PROGRAM;
    if (l->role == ROLE_PROGRAM && (tool_is(bytes_basename(l->run.name)) || wrapper_is(bytes_basename(l->run.name))))
        l->role = ROLE_TOOL; /* adduser, parallel; Debian's psql, which becomes the real one */
}

/* Anybody may call a program of his own "python3": the places count where only the system's owner writes. */
static bool is_doubtful(const struct process *p)
{
    return p->executable_memfd || bytes_starts_with(p->executable, bytes_of("/tmp/")) ||
           bytes_starts_with(p->executable, bytes_of("/var/tmp/")) ||
           bytes_starts_with(p->executable, bytes_of("/dev/shm/"));
}

static void as_target(struct process *p, struct cause_link *l)
{
    l->role = l->run.kind == RUN_GIT ? ROLE_TOOL : ROLE_SCRIPT;
    l->run.directory = script_path(p, l->run.directory.len ? l->run.directory : bytes_of("."));
    if (bytes_equal_str(l->run.directory, ".")) /* the working directory is not known */
        l->run.directory = BYTES_NULL;
}

/* npm writes "npm run clean" over its arguments, without a NUL between. */
static bool is_titled(struct process *p, struct bytes args, struct cause_link *l)
{
    struct bytes title = argv_at(args, 0), copy;
    const char *space = bytes_char(title, ' ');
    const struct build_row *build = space ? build_script((struct bytes){ title.data, (size_t)(space - title.data) }) : NULL;

    if (!build || !bytes_starts_with(l->name, bytes_of("node")))
        return false;
    copy = arena_copy(&p->arena, title);
    for (size_t i = 0; i < copy.len; i++)
        if (copy.data[i] == ' ')
            ((char *)(uintptr_t)copy.data)[i] = '\0';
    if (!build_parse(build, copy, &p->arena, &l->run))
        return false;
    as_target(p, l);
    return true;
}

/* A program by its command line, as any other. */
static void as_command(const struct process *p, struct cause_link *l)
{
    l->run.kind = argv_count(applet_args(p), 2) > 1 ? RUN_COMMAND : RUN_PROGRAM;
    l->run.name = l->name;
}

static void as_interpreted(struct process *p, struct cause_link *l, const struct interpreter *row)
{
    struct interpreted in;
    struct bytes args = applet_args(p);
    const struct build_row *build;
    size_t script_args_len = 0;

    if (is_titled(p, args, l))
        return;
    l->run.interpreter = l->name;
    l->run.environment = environment_of(row, p);
    interpreter_parse(row, args, &in);
    if (in.kind == RUN_SCRIPT && in.value.len)
        script_args_len = (size_t)(in.value.data + in.value.len - p->args.data);
    if (p->script.len) {
        in.kind = RUN_SCRIPT;
        in.value = p->script;
    }
    if (in.kind == RUN_INPUT && (in.serves || !interpreter_reads_input(row))) { /* a server, java -version */
        l->run.interpreter = BYTES_NULL;
        as_command(p, l);
        return;
    }
    if (in.kind == RUN_INPUT && p->input.len && !in.asks) {
        in.kind = RUN_SCRIPT;
        in.value = p->input;
        l->run.input = true;
    }
    l->run.kind = in.kind;
    build = in.kind == RUN_SCRIPT ? build_script(in.value) : in.kind == RUN_MODULE ? build_class(in.value) : NULL;
    if (build && script_build(build, args, in.value, &p->arena, &l->run)) {
        as_target(p, l);
        return;
    }
    switch (in.kind) {
    case RUN_SCRIPT:
        l->run.claimed |= !p->script.len && !l->run.input && is_doubtful(p);
        as_script(p, l, in.value);
        l->script_args_len = !build && l->run.kind == RUN_SCRIPT && l->role == ROLE_SCRIPT && !l->shim ? script_args_len : 0;
        break;
    case RUN_MODULE:
        l->run.name = in.value;
        l->role = ROLE_SCRIPT;
        break;
    case RUN_ARCHIVE:
        l->run.name = script_path(p, in.value);
        l->role = ROLE_SCRIPT;
        break;
    case RUN_TEXT:
        l->run.name = l->name;
        l->run.text = in.value;
        l->role = tool_is(l->name) ? ROLE_TOOL : ROLE_TEXT;
        break;
    default:
        l->run.name = l->name;
        l->role = ROLE_TEXT;
        if (interpreter_is_shell(row) && !in.reads && (in.asks || p->tty.len)) {
            l->role = ROLE_TERMINAL;
            l->run.kind = RUN_PROGRAM;
            l->asks = in.asks || argv_count(args, 2) > 1;
        }
        break;
    }
}

/* The executable is no interpreter, and the command line says it is: whoever wrote that may have meant us. */
static bool says_it_is_interpreter(struct process *p, struct cause_link *l)
{
    struct bytes called = bytes_basename(argv_at(p->args, 0));
    const struct interpreter *row = l->run.claimed || !called.len || bytes_equal(called, l->name) ? NULL : interpreter_find(called);
    struct interpreted in;

    if (!row)
        return false;
    interpreter_parse(row, p->args, &in);
    if (in.kind != RUN_SCRIPT)
        return false;
    l->run.claimed = true;
    l->run.interpreter = l->name;
    l->run.kind = RUN_SCRIPT;
    l->run.name = script_path(p, in.value);
    l->role = ROLE_PROGRAM;
    return true;
}

static void as_program(struct process *p, struct cause_link *l)
{
    const struct build_row *build = build_find(l->name);

    if (p->script.len) { /* an interpreter that is not in the table: the kernel said what it was started on */
        l->run.kind = RUN_SCRIPT;
        l->run.interpreter = l->name;
        as_script(p, l, p->script);
        return;
    }
    if (build && build_parse(build, applet_args(p), &p->arena, &l->run)) {
        as_target(p, l);
        return;
    }
    if (says_it_is_interpreter(p, l))
        return;
    as_command(p, l);
    l->role = wrapper_is(l->name) ? ROLE_WRAPPER : tool_is(l->name) ? ROLE_TOOL : ROLE_PROGRAM;
}

/* No applet, which the next of that executable would not be; git and sed are judged by their arguments. */
static bool is_plain(const struct process *p, const struct cause_link *l)
{
    return l->role == ROLE_TOOL && (l->run.kind == RUN_COMMAND || l->run.kind == RUN_PROGRAM) && !l->launcher && !l->product &&
           !build_find(l->name) && !interpreter_find(l->name) && bytes_equal(l->name, bytes_basename(p->executable));
}

static void find(struct process *p, struct cause_link *l)
{
    bool claimed;
    const struct interpreter *row;

    l->name = applet_name(p, &claimed);
    l->run.claimed = claimed;
    l->run.args = p->args;
    if (!l->name.len && !p->args.len)
        return;
    row = interpreter_find(l->name);
    if (row)
        as_interpreted(p, l, row);
    else
        as_program(p, l);
    l->run.claimed &= l->run.kind == RUN_SCRIPT || l->run.kind == RUN_MODULE || l->run.kind == RUN_ARCHIVE;
    l->launcher = launcher_find(p, l->name);
    if (l->launcher && l->launcher->kind == LAUNCHER_SERVICE && p->pid != 1 && p->parent_pid != 1)
        l->launcher = NULL; /* systemctl and the like are links to it; a user's own manager is a child of pid 1 */
    if (l->launcher)
        l->role = ROLE_LAUNCHER;
    if (l->launcher && l->launcher->kind == LAUNCHER_PACKAGE)
        l->packages = launcher_packages(p, l->launcher);
    (void)launcher_is_product(p, &l->product);
    if (l->role == ROLE_WRAPPER || l->role == ROLE_PROGRAM)
        l->changer = changer_name(l->name);
    l->plain = is_plain(p, l);
}

const struct cause_link *link_of(struct process *p)
{
    struct cause_link *l;

    if (p->cause_link)
        return p->cause_link;
    l = arena_alloc(&p->arena, sizeof(*l));
    if (!l)
        return NULL;
    *l = (struct cause_link){ .role = ROLE_PROGRAM };
    find(p, l);
    p->cause_link = l;
    return l;
}
