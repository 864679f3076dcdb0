/* SPDX-License-Identifier: MIT */
#include "cli/doctor_containers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "engine/engine.h"

#define NAMES_MAX 4096

struct target_names {
    char *texts[NAMES_MAX];
    size_t count;
};

static void add_name(struct target_names *n, const char *prefix, struct bytes a, struct bytes b)
{
    char text[1024];

    if (n->count == NAMES_MAX || !bytes_is_plain(a) || (b.data && !bytes_is_plain(b)))
        return;
    if ((size_t)snprintf(text, sizeof(text), "%s%.*s%s%.*s:/", prefix, (int)a.len, a.data, b.data ? "/" : "",
                         (int)b.len, b.data ? b.data : "") < sizeof(text) &&
        (n->texts[n->count] = strdup(text)))
        n->count++;
}

static int take_names(void *data, struct container *c)
{
    struct target_names *n = data;

    add_name(n, "", c->name, BYTES_NULL);
    if (c->compose_project.len && c->compose_service.len)
        add_name(n, "compose:", c->compose_project, c->compose_service);
    if (c->pod_name.len)
        add_name(n, "pod:", c->pod_namespace, c->pod_name);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int doctor_containers(void)
{
    struct engines_options options = { .log = NULL, .docker_socket = cli_docker_socket() };
    struct engines *engines = NULL;
    struct target_names *names = calloc(1, sizeof(*names));

    if (names && engines_new(&options, &engines, NULL) == 0) {
        engines_set_patience(engines, 500); /* somebody waits at a prompt */
        (void)engines_each(engines, take_names, names);
        qsort(names->texts, names->count, sizeof(names->texts[0]), compare_names);
    }
    for (size_t i = 0; names && i < names->count; i++) {
        if (i == 0 || strcmp(names->texts[i], names->texts[i - 1]) != 0)
            puts(names->texts[i]);
    }
    for (size_t i = 0; names && i < names->count; i++)
        free(names->texts[i]);
    free(names);
    engines_free(engines);
    return EXIT_ANSWERED;
}
