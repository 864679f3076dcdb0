/* SPDX-License-Identifier: MIT */
/* fill FILE EVENTS DIRECTORIES [CONTAINERS [blocks]]: a store with so many events, by four programs, over a day; on the
 * host, or in so many containers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/store.h"

static struct process *chain(const char *executable)
{
    const char *names[] = { "/usr/lib/systemd/systemd", "/usr/sbin/cron", "/usr/bin/bash", executable };
    struct process *parent = NULL;

    for (int i = 0; i < 4; i++) {
        struct process *p = process_new(100 + i, (uint64_t)(i + 1) * NS_PER_S);

        process_set(p, &p->executable, bytes_of(names[i]));
        p->parent = parent;
        p->origin = ORIGIN_HOST;
        p->attributed = true;
        parent = p;
    }
    return parent;
}

int main(int argc, char **argv)
{
    const char *programs[] = { "/usr/bin/rm", "/usr/bin/chmod", "/opt/sentinelone/bin/s1-agent", "/usr/bin/find" };
    const enum operation operations[] = { OPERATION_UNLINK, OPERATION_CHMOD, OPERATION_UNLINK, OPERATION_RENAME };
    struct store_options options = { .path = argc > 3 ? argv[1] : NULL };
    long events = argc > 3 ? atol(argv[2]) : 0, directories = argc > 3 ? atol(argv[3]) : 0;
    long containers = argc > 4 ? atol(argv[4]) : 0;
    struct container **victims = calloc((size_t)(containers > 0 ? containers : 0) + 1, sizeof(struct container *));
    struct process *actors[4];
    struct store_state state;
    struct store *store;
    struct err err = ERR_INIT;
    struct timespec now;

    if (events <= 0 || directories <= 0 || containers < 0 || !victims) {
        fprintf(stderr, "fill FILE EVENTS DIRECTORIES [CONTAINERS [blocks]]\n");
        return 2;
    }
    if (store_open(&options, &store, &err) < 0) {
        fprintf(stderr, "fill: %s\n", err.text);
        return 1;
    }
    for (int i = 0; i < 4; i++)
        actors[i] = chain(programs[i]);
    clock_gettime(CLOCK_REALTIME, &now);
    for (long i = 0; i < containers; i++) {
        char text[80];

        victims[i] = container_new();
        snprintf(text, sizeof(text), "%016lx%048lx", (unsigned long)i * 0x9e3779b97f4a7c15ul, i);
        container_set(victims[i], &victims[i]->id, bytes_of(text));
        snprintf(text, sizeof(text), "web%ld", i);
        container_set(victims[i], &victims[i]->name, bytes_of(text));
        container_set(victims[i], &victims[i]->runtime, bytes_of("docker"));
        container_set(victims[i], &victims[i]->image_name, bytes_of("shop:1.4"));
    }
    for (long i = 0; i < events; i++) {
        struct event *e = event_new();
        char path[128];

        snprintf(path, sizeof(path), "/srv/data/d%04ld/file%ld.txt", i % directories, i);
        event_set(e, &e->path, bytes_of(path));
        event_set(e, &e->host_path, bytes_of(path));
        memcpy(e->id, &i, sizeof(i));
        e->time_ns = (uint64_t)now.tv_sec * NS_PER_S - (uint64_t)(events - i) * 86400 * (NS_PER_S / (uint64_t)events);
        e->operation = operations[i % 4];
        e->sensors = argc > 5 ? SENSOR_FANOTIFY : SENSOR_AUDIT; /* what no log brings again goes into blocks */
        e->victim_kind = containers ? VICTIM_CONTAINER : VICTIM_HOST;
        e->victim = containers ? container_ref(victims[i % containers]) : NULL;
        e->actor.pid = 103;
        e->actor.process = process_ref(actors[i % 4]);
        while (store_add_event(store, e) == -ENOBUFS)
            (void)store_flush(store, NULL);
        event_free(e);
    }
    for (int i = 0; i < 4; i++)
        process_unref(actors[i]);
    for (long i = 0; i < containers; i++)
        container_unref(victims[i]);
    free(victims);
    if (store_flush(store, &err) < 0)
        fprintf(stderr, "fill: %s\n", err.text);
    store_state(store, &state);
    printf("%llu lost\n", (unsigned long long)state.missing);
    store_close(store);
    return 0;
}
