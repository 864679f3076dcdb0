/* SPDX-License-Identifier: MIT */
/*
 * What a message of the system's log says happened: one table for syslog's files and the journal. A row knows who wrote it and how it
 * begins; from that it makes whom it points at.
 */
#include "clues/syslog.h"

#include <stdlib.h>

#include "clues/line.h"

static const struct message_row {
    const char *ident;   /* who wrote it; a prefix if it ends in '*' */
    const char *begins;  /* the message, "" = any; `has`: somewhere in it */
    const char *has;
    const char *suspect; /* words before what is taken; NULL: nobody is meant, it is only shown */
    const char *from, *to; /* what is taken: behind this, up to that (NULL: to the end) */
    unsigned marks;
} rows[] = {
    { "CRON*", "(", "CMD (", "cron job: ", "CMD (", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED },
    { "cron*", "(", "CMD (", "cron job: ", "CMD (", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED },
    { "crond*", "(", "CMD (", "cron job: ", "CMD (", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED },
    { "anacron*", "Job `", "started", "anacron job: ", "Job `", "'", CLUE_STARTED },
    { "sudo", "", "COMMAND=", "sudo: ", "COMMAND=", NULL, CLUE_STARTED | CLUE_COMMAND },
    { "doas", "", "ran command ", "doas: ", "ran command ", " as ", CLUE_STARTED | CLUE_COMMAND },
    { "su", "(to ", NULL, "su: ", "(to ", NULL, CLUE_STARTED },
    { "sshd*", "Accepted ", NULL, "login by ssh: ", " for ", " port ", CLUE_STARTED },
    { "login", "ROOT LOGIN", NULL, "login at the console: ", "ROOT LOGIN", NULL, CLUE_STARTED },
    { "systemd", "Started Session ", NULL, NULL, NULL, NULL, 0 }, /* of a login, which is a message of its own */
    { "systemd", "Started session-", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Starting user", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Started user@", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Starting User ", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Started User ", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Starting ", NULL, "unit: ", "Starting ", " - ", CLUE_STARTED },
    { "systemd", "Started ", NULL, "unit: ", "Started ", " - ", CLUE_STARTED },
    { "systemd", "Stopping User ", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Stopping user", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Stopping ", NULL, "unit: ", "Stopping ", " - ", CLUE_STARTED }, /* what it does at its end begins */
    { "systemd", "Stopped ", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "Mounted ", NULL, "mount: ", "Mounted ", " - ", CLUE_STARTED },
    { "systemd", "Unmounted ", NULL, "unmount: ", "Unmounted ", " - ", CLUE_STARTED },
    { "systemd", "", "Deactivated successfully", NULL, NULL, NULL, 0 },
    { "systemd-logind", "New session ", NULL, NULL, NULL, NULL, 0 },
    { "dockerd*", "", "ontainer", NULL, NULL, NULL, 0 },
    { "containerd*", "", "shim", NULL, NULL, NULL, 0 },
    { "podman", "", "container ", "podman: ", "container ", " (", CLUE_STARTED },
    { "rsyncd", "rsync ", NULL, "rsync daemon: ", "rsync ", NULL, CLUE_STARTED },
    { "rsync*", "", "", "rsync: ", "", NULL, CLUE_STARTED },
    { "systemd-tmpfiles", "", "", "systemd-tmpfiles", NULL, NULL, CLUE_STARTED },
    { "logrotate", "", "", "logrotate", NULL, NULL, CLUE_STARTED },
    { "unattended-upgrade*", "", "", "unattended-upgrades", NULL, NULL, CLUE_STARTED },
    { "puppet-agent", "", "", "Puppet", NULL, NULL, CLUE_STARTED },
    { "ansible*", "Invoked", NULL, "Ansible: ", "Invoked with ", NULL, CLUE_STARTED | CLUE_COMMAND },
    { "atd", "", "", "at job", NULL, NULL, CLUE_STARTED },
    { "kernel", "EXT4-fs", NULL, NULL, NULL, NULL, 0 },
    { "kernel", "Linux version ", NULL, NULL, NULL, NULL, CLUE_BOOT },
    { "kernel", "[    0.000000] Linux version ", NULL, NULL, NULL, NULL, CLUE_BOOT }, /* as syslog has it */
};

static bool is_ident(const char *rule, struct bytes ident)
{
    size_t len = strlen(rule);

    return rule[len - 1] == '*' ? bytes_starts_with(ident, (struct bytes){ rule, len - 1 }) : bytes_equal_str(ident, rule);
}

static const char *find(struct bytes text, const char *word)
{
    return *word ? memmem(text.data, text.len, word, strlen(word)) : text.data;
}

static const struct message_row *row_of(struct bytes ident, struct bytes message)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (is_ident(rows[i].ident, ident) && bytes_starts_with(message, bytes_of(rows[i].begins)) &&
            (!rows[i].has || (message.len && find(message, rows[i].has))))
            return &rows[i];
    return NULL;
}

/* What is between `from` and `to`, without the bracket that cron puts behind. */
static struct bytes taken(const struct message_row *row, struct bytes message)
{
    const char *at = row->from ? find(message, row->from) : NULL, *end;
    struct bytes rest;

    if (!at)
        return BYTES_NULL;
    at += strlen(row->from);
    rest = (struct bytes){ at, message.len - (size_t)(at - message.data) };
    end = row->to && rest.len ? find(rest, row->to) : NULL;
    if (end)
        rest.len = (size_t)(end - at);
    if (strstr(row->from, "CMD (") && rest.len && rest.data[rest.len - 1] == ')')
        rest.len--;
    while (rest.len && (rest.data[rest.len - 1] == ' ' || rest.data[rest.len - 1] == '.'))
        rest.len--;
    while (rest.len && rest.data[0] == ' ')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    return rest;
}

/* A unit that only waits for others, or groups them. */
static bool does_nothing(struct bytes unit)
{
    static const char *const endings[] = { ".timer", ".target", ".socket", ".path", ".slice", ".scope", ".automount", ".device", ".swap" };

    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (bytes_ends_with(unit, bytes_of(endings[i])))
            return true;
    return false;
}

void syslog_message(struct sbuf *answer, const struct clue_question *q, const struct syslog_message *m)
{
    const struct message_row *row = m->of_user ? NULL : row_of(m->ident, m->message);
    unsigned says = line_marks(m->message, q);
    bool near = clue_span_of(q, m->time_ns, CLUE_BEFORE_NS) >= 0;
    _cleanup_sbuf_ struct sbuf suspect = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = says | (row ? row->marks : 0), .from_ns = m->time_ns, .place = m->place };

    /* what names the path counts from an hour before; what only has the time must be a kind of message that is known */
    if (!(near && row) && !(says & CLUE_NAMES))
        return;
    if (row && row->suspect && !does_nothing(taken(row, m->message))) {
        sbuf_add_str(&suspect, row->suspect);
        sbuf_add_bytes(&suspect, taken(row, m->message));
    }
    sbuf_add_bytes(&text, m->by);
    sbuf_add_bytes(&text, m->ident);
    sbuf_add_str(&text, ": ");
    sbuf_add_bytes(&text, m->message);
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    clue_put(answer, &f);
}
