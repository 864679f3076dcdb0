/* SPDX-License-Identifier: MIT */
/*
 * Runners of continuous integration that clean their working directories: with git clean at the beginning of each job, or by deleting all.
 * Which directories are theirs is in their own files, fixed ones or some above the path; whether a job ran then is in the logs.
 */
#include <errno.h>
#include <stdio.h>

#include "clues/cleaners.h"
#include "clues/source.h"
#include "util/cleanup.h"

#define FILE_MAX (1024 * 1024)
#define JOBS "/jobs"
#define WORKSPACE "workspace"

static const char *const fixed[] = { "/etc/gitlab-runner/config.toml", "/etc/buildkite-agent/buildkite-agent.cfg" };

/* ---- gathering ---- */

static int gather_home(struct gathered *g, int root, const char *home)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/.gitlab-runner/config.toml", home);
    return clue_gather_file(g, root, path, FILE_MAX, false);
}

static int gather_below(struct gathered *g, int root, struct bytes directory, const char *below)
{
    char path[CLUE_PATH_MAX];

    return (size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)directory.len, directory.data, below) < sizeof(path)
               ? clue_gather_file(g, root, path, FILE_MAX, false)
               : 0;
}

/* "job" of "job@2", where a second build of it works. */
static struct bytes job_of(struct bytes component)
{
    return bytes_next_field(&component, '@');
}

/* Jenkins: what is in HOME/workspace/JOB is as HOME/jobs/JOB/config.xml has it, in a folder one step deeper. Where the agent is another
 * host than Jenkins only the Jenkinsfile is here. */
static int gather_jenkins(struct gathered *g, int root, struct bytes workspace, struct bytes rest)
{
    struct bytes home = bytes_dirname(workspace), first = bytes_next_component(&rest), second = bytes_next_component(&rest), job = job_of(first);
    char below[1024];
    int r;

    if (!first.len || first.len + second.len > 900)
        return 0;
    snprintf(below, sizeof(below), "jobs/%.*s/config.xml", (int)job.len, job.data);
    r = gather_below(g, root, home, below);
    snprintf(below, sizeof(below), "%.*s/Jenkinsfile", (int)first.len, first.data);
    r = r < 0 ? r : gather_below(g, root, workspace, below);
    if (r < 0 || !second.len)
        return r;
    snprintf(below, sizeof(below), "jobs/%.*s/jobs/%.*s/config.xml", (int)job.len, job.data, (int)job_of(second).len, second.data);
    r = gather_below(g, root, home, below);
    snprintf(below, sizeof(below), "%.*s/%.*s/Jenkinsfile", (int)first.len, first.data, (int)second.len, second.data);
    return r < 0 ? r : gather_below(g, root, workspace, below);
}

static int gather_above(struct gathered *g, int root, struct bytes path)
{
    int r = 0;

    for (struct bytes above = bytes_dirname(path); above.len > 1 && r == 0; above = bytes_dirname(above)) {
        struct bytes rest = { path.data + above.len, path.len - above.len };

        r = gather_below(g, root, above, ".runner");
        if (r == 0 && bytes_equal_str(bytes_basename(above), WORKSPACE))
            r = gather_jenkins(g, root, above, rest);
    }
    return r;
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q);
    int r;

    if (root < 0)
        return root;
    if (q.host_path.len)
        return -ENOENT; /* a job in a container works in a volume of the host, if anywhere */
    r = gather_above(g, root, q.path);
    for (size_t i = 0; i < ARRAY_SIZE(fixed) && r == 0; i++)
        r = clue_gather_file(g, root, fixed[i], FILE_MAX, false);
    return r == 0 ? clue_gather_homes(g, gather_home) : r;
}

/* ---- pure ---- */

struct ci_file {
    struct sbuf *answer;
    const struct clue_question *q;
    struct bytes name;
};

static void put(const struct ci_file *f, struct bytes directory, unsigned line_number, struct bytes line, const char *suspect, const char *says)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact fact = { .kind = CLUE_RULE, .marks = CLUE_REMOVES | CLUE_ALTERS, .suspect = bytes_of(suspect) };

    if (directory.len < 2 || directory.data[0] != '/' || !bytes_path_covers(directory, f->q->path))
        return;
    while (line.len && (line.data[0] == ' ' || line.data[0] == '\t'))
        line = (struct bytes){ line.data + 1, line.len - 1 };
    fact.marks |= bytes_equal(directory, f->q->path) ? CLUE_NAMES_PATH : CLUE_NAMES_ABOVE;
    sbuf_add_bytes(&text, bytes_cut(line, 200));
    sbuf_add_str(&text, " : ");
    sbuf_add_str(&text, says);
    fact.text = sbuf_bytes(&text);
    fact.place = clue_place(&place, f->name, line_number);
    clue_put(f->answer, &fact);
}

/* The text in quotes behind `key` and what separates them; empty: the line has none. */
static struct bytes quoted(struct bytes line, const char *key)
{
    const char *at = memmem(line.data ? line.data : "", line.len, key, strlen(key)), *end;

    if (!at)
        return BYTES_NULL;
    at += strlen(key);
    while (at < line.data + line.len && strchr(" \t:=\"'", *at) && *at)
        at++;
    for (end = at; end < line.data + line.len && *end != '"' && *end != '\'' && *end != '\n' && *end != '\r'; end++)
        ;
    return (struct bytes){ at, (size_t)(end - at) };
}

/* ---- GitLab ---- */

struct gitlab_runner {
    struct bytes builds, line; /* empty: where it has them if nothing is said */
    unsigned number;
    bool shell;                /* its jobs run on this host */
    bool keeps;                /* its settings say not to clean */
};

static void put_gitlab(const struct ci_file *f, const struct gitlab_runner *r)
{
    bool own = !bytes_starts_with(f->name, bytes_of("/etc/"));
    struct bytes home = own ? bytes_dirname(bytes_dirname(f->name)) : bytes_of("/home/gitlab-runner");
    char builds[512];

    snprintf(builds, sizeof(builds), "%.*s/builds", (int)MIN(home.len, (size_t)400), home.data);
    if (r->shell && !r->keeps)
        put(f, r->builds.len ? r->builds : bytes_of(builds), r->number, r->line, "GitLab Runner",
            "each job begins with git clean -ffdx and git reset --hard in its directory there");
}

static void gitlab_text(const struct ci_file *f, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    struct gitlab_runner r = { .shell = false };
    struct bytes line;

    while (clue_next_line(&lines, &line)) {
        struct bytes rest = line, word = bytes_next_word(&rest);

        if (bytes_equal_str(word, "[[runners]]")) {
            put_gitlab(f, &r);
            r = (struct gitlab_runner){ .shell = false };
        } else if (bytes_starts_with(word, bytes_of("executor"))) {
            r.shell = bytes_equal_str(quoted(line, "executor"), "shell");
            if (!r.number) {
                r.number = lines.number;
                r.line = line;
            }
        } else if (bytes_starts_with(word, bytes_of("builds_dir"))) {
            r.builds = quoted(line, "builds_dir");
            r.number = lines.number;
            r.line = line;
        }
        r.keeps |= bytes_has(line, "GIT_CLEAN_FLAGS=none") || bytes_has(line, "GIT_STRATEGY=none");
    }
    put_gitlab(f, &r);
}

/* ---- others ---- */

/* Of GitHub's runner, whose own directory has the file. */
static void github_text(const struct ci_file *f, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    struct bytes line, work;
    char directory[CLUE_PATH_MAX];

    while (clue_next_line(&lines, &line)) {
        work = quoted(line, "\"workFolder\"");
        if (!work.len || work.len > 512)
            continue;
        if (work.data[0] == '/')
            snprintf(directory, sizeof(directory), "%.*s", (int)work.len, work.data);
        else
            snprintf(directory, sizeof(directory), "%.*s/%.*s", (int)MIN(bytes_dirname(f->name).len, (size_t)3000), f->name.data, (int)work.len,
                     work.data);
        put(f, bytes_of(directory), lines.number, line, "GitHub Actions runner",
            "each job's checkout begins with git clean -ffdx and git reset --hard in its directory there, and _temp is emptied");
    }
}

static void buildkite_text(const struct ci_file *f, struct bytes text)
{
    struct clue_lines lines = { .rest = text };
    struct bytes line;

    while (clue_next_line(&lines, &line))
        if (bytes_starts_with(line, bytes_of("build-path")))
            put(f, quoted(line, "build-path"), lines.number, line, "Buildkite agent",
                "each job begins with git clean -ffxdq in its directory there");
}

/* HOME/jobs/A/config.xml: HOME/workspace/A; HOME/jobs/A/jobs/B/config.xml: HOME/workspace/A/B. */
static void add_workspace(struct sbuf *out, struct bytes config)
{
    struct bytes job = bytes_dirname(config), above = bytes_dirname(bytes_dirname(job)), folder = BYTES_NULL;

    if (bytes_ends_with(bytes_dirname(above), bytes_of(JOBS))) {
        folder = bytes_basename(above);
        above = bytes_dirname(bytes_dirname(above));
    }
    sbuf_add_bytes(out, above);
    sbuf_add_str(out, "/" WORKSPACE "/");
    sbuf_add_bytes(out, folder);
    sbuf_add_str(out, folder.len ? "/" : "");
    sbuf_add_bytes(out, bytes_basename(job));
}

static void jenkins_text(const struct ci_file *f, struct bytes text, bool config)
{
    static const struct {
        const char *word, *says;
    } rows[] = {
        { "CleanBeforeCheckout", "each build begins with git clean -ffdx and git reset --hard in its workspace" },
        { "CleanCheckout", "each build cleans its workspace with git clean -ffdx and git reset --hard" },
        { "WipeWorkspace", "each build deletes its workspace before the checkout" },
        { "PreBuildCleanup", "each build deletes its workspace, or what its patterns name, before it begins" },
        { "WsCleanup", "each build deletes its workspace, or what its patterns name, at its end" },
        { "cleanWs", "a build deletes its workspace" },
        { "deleteDir", "a build deletes the directory that it is in" },
        { "git clean", "a build removes what git does not track" },
    };
    struct clue_lines lines = { .rest = text };
    _cleanup_sbuf_ struct sbuf workspace = SBUF_INIT;
    struct bytes line;

    if (config)
        add_workspace(&workspace, f->name);
    else
        sbuf_add_bytes(&workspace, bytes_dirname(f->name));
    /* a second build of the same job works in WORKSPACE@2 */
    if (bytes_starts_with(f->q->path, sbuf_bytes(&workspace)) && f->q->path.len > workspace.len && f->q->path.data[workspace.len] == '@') {
        struct bytes rest = { f->q->path.data + workspace.len, f->q->path.len - workspace.len };

        sbuf_add_bytes(&workspace, bytes_next_component(&rest));
    }
    while (clue_next_line(&lines, &line))
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
            if (bytes_has(line, rows[i].word)) {
                put(f, sbuf_bytes(&workspace), lines.number, line, "Jenkins", rows[i].says);
                break;
            }
}

void ci_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct ci_file f = { answer, q, name };
    struct bytes base = bytes_basename(name);

    if (bytes_equal_str(base, "config.toml"))
        gitlab_text(&f, text);
    else if (bytes_equal_str(base, ".runner"))
        github_text(&f, text);
    else if (bytes_equal_str(base, "buildkite-agent.cfg"))
        buildkite_text(&f, text);
    else
        jenkins_text(&f, text, bytes_equal_str(base, "config.xml"));
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    return clue_parse_files(request, g, answer, ci_text);
}

const struct foreign_job clue_job_ci = { "the files of CI runners", 16 * FILE_MAX, gather, parse, false };
