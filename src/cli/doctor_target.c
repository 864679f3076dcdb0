/* SPDX-License-Identifier: MIT */
#include "cli/doctor_target.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/selftest.h"
#include "util/cleanup.h"
#include "util/json_writer.h"
#include "util/sbuf.h"

struct proof_page {
    enum format format;
    struct sbuf *out;
};

static void on_line(void *data, const char *access_path, const char *change,
                    enum proof_outcome outcome, const char *text)
{
    struct proof_page *p = data;
    static const char *const names[] = { "right", "declared", "wrong" };

    if (p->format == FORMAT_JSON) {
        sbuf_add_char(p->out, '{');
        json_string(p->out, JSON_KEY("road"), bytes_of(access_path));
        json_string(p->out, JSON_KEY("change"), bytes_of(change));
        json_string(p->out, JSON_KEY("outcome"), bytes_of(names[outcome]));
        json_string(p->out, JSON_KEY("text"), bytes_of(text));
        sbuf_add_str(p->out, "}\n");
        return;
    }
    if (outcome != PROOF_RIGHT)
        sbuf_addf(p->out, "  %-15s %-12s %-9s %s\n", access_path, change, names[outcome], text);
}

int doctor_target(const char *text, const char *sensors, enum format format)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct proof_page page = { format, &out };
    struct selftest_report report = { &page, on_line };
    struct pipeline_options options = { .log = &cli_log,
                                        .sensors = sensors,
                                        .state_dir = "/run/culprit" };
    struct selftest_result result = { 0 };
    struct target target = { 0 };
    struct err err = ERR_INIT;
    char cwd[PATH_MAX];
    int r;

    options.docker_socket = cli_docker_socket();
    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    r = target_parse(bytes_of(text), bytes_of(cwd), &target, &err);
    if (r == 0)
        r = cli_check_target_answers(&target, &err);
    if (r == 0)
        r = selftest_run(&options, &target, &report, &result, &err);
    target_done(&target);
    cli_write(stdout, &out);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    if (format == FORMAT_TEXT) {
        printf("%u of %u changes told right", result.right,
               result.right + result.declared + result.wrong);
        if (result.declared)
            printf(", %u cannot be seen here", result.declared);
        if (result.wrong)
            printf(", %u WRONG", result.wrong);
        puts("; nothing left behind");
    }
    return result.wrong ? EXIT_UNABLE : EXIT_ANSWERED;
}
