/* SPDX-License-Identifier: MIT */
#include "event/filter.h"

#include "util/glob.h"

struct filter_term *filter_add(struct filter *f, enum filter_kind kind, struct bytes text)
{
    struct filter_term *term = arena_alloc(&f->arena, sizeof(*term));

    if (!term)
        return NULL;
    *term = (struct filter_term){ .next = f->terms[kind], .text = arena_copy(&f->arena, text), .id = UID_UNKNOWN };
    if (!term->text.data)
        return NULL;
    f->terms[kind] = term;
    return term;
}

void filter_done(struct filter *f)
{
    arena_done(&f->arena);
    *f = (struct filter){ 0 };
}

bool filter_needs_paths(const struct filter *f)
{
    return f->terms[FILTER_EXCLUDE] || f->terms[FILTER_ALLOW];
}

/* ---- who ---- */

/* The login user is the host's, wherever the process lives; a name of the host's says nothing of a container's ids. */
static bool is_id(const struct filter_term *term, const struct event *e)
{
    const struct process *p = e->actor.process;
    const struct credentials *cred = e->actor.cred.known || !p ? &e->actor.cred : &p->cred;
    uint32_t id = term->id;

    if (id == UID_UNKNOWN)
        return false;
    if (actor_login_uid(&e->actor) == id)
        return true;
    if (!term->is_number && p && p->origin == ORIGIN_CONTAINER)
        return false;
    return cred->known && (cred->uid == id || cred->euid == id);
}

static bool is_user(const struct filter_term *term, const struct event *e)
{
    const struct process *p = e->actor.process;
    const struct person *person = &e->cause.person;

    if (person->known && (bytes_equal(person->name, term->text) || bytes_equal(person->as_name, term->text) ||
                          (term->id != UID_UNKNOWN && person->id == term->id)))
        return true;
    if (p && (bytes_equal(p->user_name, term->text) || bytes_equal(p->real_user_name, term->text) ||
              bytes_equal(p->login_name, term->text)))
        return true;
    return is_id(term, e);
}

static bool is_named(struct bytes text, struct bytes path)
{
    if (!path.len)
        return false;
    if (memchr(text.data, '/', text.len))
        return glob_matches(text, path);
    return glob_matches(text, bytes_basename(path));
}

static bool is_program(const struct filter_term *term, const struct event *e)
{
    const struct process *p = e->actor.process;
    struct bytes executable = event_actor_executable(e);

    if (is_named(term->text, executable) || is_named(term->text, e->cause.tool) ||
        is_named(term->text, e->cause.run.name) || (p && is_named(term->text, p->script)))
        return true;
    return !executable.len && is_named(term->text, event_actor_name(e));
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static bool holds(struct bytes text, struct bytes part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        size_t n = 0;

        while (n < part.len && lower(text.data[i + n]) == lower(part.data[n]))
            n++;
        if (n == part.len)
            return true;
    }
    return false;
}

/* A command line as it is typed: a space for the NUL behind each argument. */
static bool holds_in_order(struct bytes args, struct bytes part)
{
    for (size_t i = 0; i + part.len <= args.len; i++) {
        size_t n = 0;

        while (n < part.len && lower(args.data[i + n] ? args.data[i + n] : ' ') == lower(part.data[n]))
            n++;
        if (n == part.len)
            return true;
    }
    return false;
}

static bool is_launched_by(const struct filter_term *term, const struct event *e)
{
    for (const struct process *p = e->actor.process; p; p = p->parent) {
        const struct bytes names[] = { p->script, p->owner.product, p->owner.unit, p->owner.package };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            if (holds(names[i], term->text))
                return true;
    }
    return false;
}

static bool is_cause(const struct filter_term *term, const struct event *e)
{
    const struct cause *c = &e->cause;
    const struct bytes kind = c->launcher.kind == LAUNCHER_UNKNOWN ? BYTES_NULL
                                                                   : bytes_of(cause_launcher_name(c->launcher.kind));
    const struct bytes names[] = { c->run.name, c->run.text, c->run.package, kind, c->launcher.name, c->launcher.detail,
                                   c->launcher.unit, event_actor_executable(e) };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (holds(names[i], term->text))
            return true;
    return holds_in_order(c->run.args, term->text) || is_launched_by(term, e);
}

static bool is_in_container(const struct filter_term *term, const struct event *e)
{
    const struct process *p = e->actor.process;

    return p && p->container && selector_matches(&term->selector, p->container);
}

static bool is_on_node(const struct filter_term *term, const struct event *e)
{
    return e->node.len && glob_matches(term->text, e->node);
}

/* ---- where ---- */

static bool is_at(const struct filter_term *term, const struct event *e, struct bytes path)
{
    if (term->host_only && e->victim)
        return false;
    if (term->selector.kind != SELECTOR_NONE && !(e->victim && selector_matches(&term->selector, e->victim)))
        return false;
    if (memchr(term->text.data, '/', term->text.len))
        return glob_covers(term->text, path);
    while (path.len) {
        size_t n = 0;

        while (n < path.len && path.data[n] != '/')
            n++;
        if (n && glob_matches(term->text, (struct bytes){ path.data, n }))
            return true;
        n += n < path.len;
        path = (struct bytes){ path.data + n, path.len - n };
    }
    return false;
}

static bool is_listed(const struct filter_term *term, const struct event *e, struct bytes path)
{
    for (; term; term = term->next)
        if (is_at(term, e, path))
            return true;
    return false;
}

/* Of a rename both names count: what comes out of an excluded place, or goes there, concerns the rest too. */
static bool is_there(const struct filter_term *term, const struct event *e)
{
    return e->path.len && is_listed(term, e, e->path) &&
           (!e->previous_path.len || is_listed(term, e, e->previous_path));
}

static bool (*const matches[])(const struct filter_term *term, const struct event *e) = {
    [FILTER_USER] = is_user,
    [FILTER_PROGRAM] = is_program,
    [FILTER_CAUSE] = is_cause,
    [FILTER_CONTAINER] = is_in_container,
    [FILTER_NODE] = is_on_node,
};

enum filter_result filter_event(const struct filter *f, const struct event *event)
{
    for (unsigned i = 0; i < ARRAY_SIZE(matches); i++) {
        const struct filter_term *term = f->terms[i];

        while (term && !matches[i](term, event))
            term = term->next;
        if (f->terms[i] && !term)
            return FILTER_OTHER;
    }
    if (is_there(f->terms[FILTER_EXCLUDE], event))
        return FILTER_OTHER;
    if (f->operations && !(f->operations & 1ull << event->operation))
        return FILTER_OTHER;
    return is_there(f->terms[FILTER_ALLOW], event) ? FILTER_ALLOWED : FILTER_MATCHES;
}
