/* SPDX-License-Identifier: MIT */
/* Names of users: a log's own, or this machine's. */
#include "history/user_names.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "history/replay_state.h"


/* The value of `key`, e.g. "AUID=\"", in what auditd added; other keys may end in the same letters. */
static struct bytes said(struct bytes enriched, const char *key)
{
    size_t len = strlen(key);
    const char *at = enriched.data, *end = enriched.data + enriched.len;

    while (at && (at = memmem(at, (size_t)(end - at), key, len))) {
        const char *value = at + len, *quote = memchr(value, '"', (size_t)(end - value));

        if (quote && (at == enriched.data || at[-1] == ' '))
            return (struct bytes){ value, (size_t)(quote - value) };
        at = value;
    }
    return BYTES_NULL;
}

/* This machine's users are asked seldom: each question reads a file. */
static struct bytes here(struct replay *p, uint32_t uid)
{
    struct log_user *u = &p->users[uid % NAMES];

    if (!u->asked || u->uid != uid) {
        const struct passwd *found = getpwuid(uid);

        *u = (struct log_user){ .asked = true, .uid = uid };
        if (found && strlen(found->pw_name) < sizeof(u->name))
            snprintf(u->name, sizeof(u->name), "%s", found->pw_name);
    }
    return u->name[0] ? bytes_of(u->name) : BYTES_NULL;
}

static struct bytes name_of(struct replay *p, struct bytes enriched, const char *key, uint32_t uid)
{
    struct bytes name = uid == UID_UNKNOWN ? BYTES_NULL : said(enriched, key);

    if (name.len)
        p->stats->enriched = true;
    else if (p->options->local && uid != UID_UNKNOWN)
        name = here(p, uid);
    return name;
}

void replay_name(struct replay *p, struct bytes enriched, struct sighting *s)
{
    s->login_name = name_of(p, enriched, "AUID=\"", s->login_uid);
    if (!s->cred.known)
        return;
    s->real_user_name = name_of(p, enriched, "UID=\"", s->cred.uid);
    s->user_name = name_of(p, enriched, "EUID=\"", s->cred.euid);
}
