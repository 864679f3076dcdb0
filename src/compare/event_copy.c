/* SPDX-License-Identifier: MIT */
#include "compare/event_copy.h"

#include "cause/cause.h"

struct event *event_copy_for_track(const struct event *e)
{
    struct event *copy = event_new();

    if (!copy)
        return NULL;
    *copy = *e;
    copy->arena = (struct arena){ 0 };
    copy->lent = NULL;
    copy->cause = (struct cause){ 0 };
    copy->share = NULL;
    /* what points into the other's memory is copied */
    event_set(copy, &copy->path, e->path);
    event_set(copy, &copy->previous_path, e->previous_path);
    event_set(copy, &copy->host_path, e->host_path);
    event_set(copy, &copy->previous_host_path, e->previous_host_path);
    event_set(copy, &copy->target_path, e->target_path);
    event_set(copy, &copy->xattr, e->xattr);
    event_set(copy, &copy->watch_text, e->watch_text);
    event_set(copy, &copy->key, e->key);
    event_set(copy, &copy->note, e->note);
    event_set(copy, &copy->sharers, e->sharers);
    event_set(copy, &copy->node, e->node);
    event_set(copy, &copy->carried, e->carried);
    event_set(copy, &copy->actor.cgroup, e->actor.cgroup);
    event_set(copy, &copy->actor.executable, e->actor.executable);
    event_set(copy, &copy->actor.name, e->actor.name);
    event_set(copy, &copy->actor.args, e->actor.args);
    event_set(copy, &copy->actor.working_directory, e->actor.working_directory);
    event_set(copy, &copy->actor.tty, e->actor.tty);
    event_set(copy, &copy->actor.script, e->actor.script);
    copy->file.owner = copy->file.group = BYTES_NULL;
    copy->before = copy->after = (struct file_state){ 0 };
    copy->actor.process = process_ref(e->actor.process);
    copy->victim = container_ref(e->victim);
    cause_remember(copy);
    return copy;
}
