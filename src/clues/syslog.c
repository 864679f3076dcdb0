/* SPDX-License-Identifier: MIT */
/*
 * What a message of the system's log says happened: one table for syslog's files and the journal. A row knows who wrote it and how it
 * begins; from that it makes whom it points at.
 */
#include "clues/syslog.h"

#include <stdlib.h>

#include "clues/line.h"

#define USER_DELETED "delete user '"

static const struct message_row {
    const char *ident;   /* who wrote it; a prefix if it ends in '*' */
    const char *begins;  /* the message, "" = any; `has`: somewhere in it */
    const char *has;
    const char *suspect; /* words before what is taken; NULL: nobody is meant, it is only shown */
    const char *from, *to; /* what is taken: behind this, up to that (NULL: to the end) */
    unsigned marks;
    const char *user;    /* who it ran as: the word behind this; NULL: not known, or not said */
    bool called;         /* its first word is who called it, which goes behind `suspect` */
    bool noise;          /* what every login and start brings: not shown, unless it names the path */
} rows[] = {
    { "CRON*", "(", "CMD (", "cron job: ", "CMD (", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED, "(" },
    { "cron*", "(", "CMD (", "cron job: ", "CMD (", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED, "(" },
    { "crond*", "(", "CMD (", "cron job: ", "CMD (", NULL, CLUE_STARTED | CLUE_COMMAND | CLUE_LOGGED, "(" },
    { "anacron*", "Job `", "started", "anacron job: ", "Job `", "'", CLUE_STARTED },
    { "sudo", "", "COMMAND=", "sudo", "COMMAND=", NULL, CLUE_STARTED | CLUE_COMMAND, "USER=", .called = true },
    { "doas", "", "ran command ", "doas", "ran command ", " as ", CLUE_STARTED | CLUE_COMMAND, " as ", .called = true },
    { "su", "(to ", NULL, "su: ", "", NULL, CLUE_STARTED, "(to " },
    { "sshd*", "Accepted ", NULL, "login by ssh: ", " for ", " port ", CLUE_STARTED, " for " },
    { "login", "ROOT LOGIN", NULL, "login at the console: ", "ROOT LOGIN", NULL, CLUE_STARTED },
    { "systemd", "Started Session ", NULL, NULL, NULL, NULL, 0 }, /* of a login, which is a message of its own */
    { "systemd", "Started session-", NULL, NULL, NULL, NULL, 0 },
    { "systemd", "", "user@", NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "", "user-runtime-dir@", NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "", "User Manager for UID ", NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "", "User Runtime Directory ", NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "run-user-", NULL, NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "Starting of ", "unsupported", NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "Stopped target ", NULL, NULL, NULL, NULL, 0, .noise = true },
    { "systemd", "Starting ", NULL, "unit: ", "Starting ", " - ", CLUE_STARTED },
    { "systemd", "Started ", NULL, "unit: ", "Started ", " - ", CLUE_STARTED },
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
    { "userdel", USER_DELETED, NULL, "userdel: ", USER_DELETED, "'", CLUE_STARTED },
    { "logrotate", "", "", "logrotate", NULL, NULL, CLUE_STARTED },
    { "unattended-upgrade*", "", "", "unattended-upgrades", NULL, NULL, CLUE_STARTED },
    { "puppet*", "", "", "Puppet", NULL, NULL, CLUE_STARTED },
    { "ansible*", "Invoked", NULL, "Ansible: ", "Invoked with ", " recurse=", CLUE_STARTED | CLUE_COMMAND },
    { "gitlab-runner", "", "received", "GitLab Runner", NULL, NULL, CLUE_STARTED }, /* a job */
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

/* "ann : TTY=pts/3 ; ..." ran; "ann : command not allowed ; TTY=..." and its like did not. */
static bool is_refused_sudo(struct bytes ident, struct bytes message)
{
    const char *at = bytes_equal_str(ident, "sudo") && message.len ? find(message, " : ") : NULL;
    size_t n = 0;

    if (!at)
        return false;
    message = (struct bytes){ at + 3, message.len - (size_t)(at + 3 - message.data) };
    while (n < message.len && message.data[n] >= 'A' && message.data[n] <= 'Z')
        n++;
    return !n || n == message.len || message.data[n] != '=';
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

/* The word behind the row's mark, up to what no name has. Of what a command brings along, such as its directory, anybody chooses the words: with
 * the mark twice it is not known. Nor is it with a group that was asked for, which the user need not be in. */
static struct bytes user_of(const struct message_row *row, struct bytes message)
{
    const char *at = row->user && message.len ? find(message, row->user) : NULL;
    struct bytes name = BYTES_NULL, rest;

    if (!at)
        return name;
    at += strlen(row->user);
    rest = (struct bytes){ at, message.len - (size_t)(at - message.data) };
    if (row->called && ((rest.len && find(rest, row->user)) || find(message, " ; GROUP=")))
        return name;
    for (name.data = at; at + name.len < message.data + message.len && !strchr(" ();:,", at[name.len]); name.len++)
        ;
    return name.len <= CLUE_USER_MAX ? name : BYTES_NULL;
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

/* A directory on the way is called as the user who was deleted: his home, which goes with him where that was asked for. */
static bool is_home_of_deleted(const struct message_row *row, struct bytes message, const struct clue_question *q)
{
    struct bytes rest = q->path, user = row && strcmp(row->begins, USER_DELETED) == 0 ? taken(row, message) : BYTES_NULL, part;

    while (user.len && (part = bytes_next_component(&rest)).len)
        if (bytes_equal(part, user))
            return true;
    return false;
}

/* Does it say that something was removed, and not that it was not? */
static bool says_removal(struct bytes message)
{
    static const char *const verbs[] = { "deleted", "deleting", "deletes", "removed", "removing", "removes", "unlinked", "unlinking", "purged", "purging",
                                         "pruned", "pruning", "wiped", "wiping", "erased", "erasing", "quarantined", "cleaned" };
    static const char *const doubts[] = { "not", "no", "failed", "fail", "failure", "cannot", "can't", "couldn't", "error", "unable", "denied", "skipped",
                                          "skipping", "would", "nothing", "dry-run", "if" };
    bool says = false;
    struct bytes word;
    char low[16];

    while ((word = bytes_next_word(&message)).len) {
        size_t n = 0;

        for (size_t i = 0; i < word.len && n < sizeof(low); i++)
            if (!strchr("'\"(),.:;[]", word.data[i]))
                low[n++] = (char)(word.data[i] >= 'A' && word.data[i] <= 'Z' ? word.data[i] | 0x20 : word.data[i]);
        word = (struct bytes){ low, n };
        if (BYTES_AMONG(word, doubts))
            return false;
        says |= BYTES_AMONG(word, verbs);
    }
    return says;
}

/* Records of audit are read as such, by who understands them. */
static bool is_audit(const struct syslog_message *m)
{
    return bytes_equal_str(m->ident, "audit") || bytes_equal_str(m->ident, "auditd") ||
           (bytes_equal_str(m->ident, "kernel") && bytes_has(m->message, "audit: type="));
}

void syslog_message(struct sbuf *answer, const struct clue_question *q, const struct syslog_message *m)
{
    const struct message_row *row = m->of_user ? NULL : row_of(m->ident, m->message);
    unsigned says = line_marks(m->message, q);
    bool near = clue_span_of(q, m->time_ns, CLUE_BEFORE_NS) >= 0;
    _cleanup_sbuf_ struct sbuf suspect = SBUF_INIT, text = SBUF_INIT;
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = says | (row ? row->marks : 0), .from_ns = m->time_ns, .place = m->place };

    if (is_audit(m))
        return;
    if (is_home_of_deleted(row, m->message, q))
        f.marks |= CLUE_NAMES_ABOVE | CLUE_REMOVES;
    /* what names the path counts from an hour before; what only has the time must be a kind of message that is known */
    if (!(near && row && !row->noise) && !(says & CLUE_NAMES))
        return;
    if (!m->of_user && (says & CLUE_NAMES) && says_removal(m->message)) {
        f.marks |= CLUE_REMOVES | CLUE_STARTED;
        /* who is of no known kind, by the name that it logs with */
        if (!row && m->ident.len) {
            sbuf_add_bytes(&suspect, m->ident);
            sbuf_add_str(&suspect, ", by its own message");
        }
    }
    if (is_refused_sudo(m->ident, m->message)) {
        f.marks = says; /* it is shown, and did nothing */
    } else if (row && row->suspect && !does_nothing(taken(row, m->message))) {
        struct bytes rest = m->message;

        sbuf_add_str(&suspect, row->suspect);
        if (row->called) {
            sbuf_add_str(&suspect, " by ");
            sbuf_add_bytes(&suspect, bytes_next_word(&rest));
            sbuf_add_str(&suspect, ": ");
        }
        sbuf_add_bytes(&suspect, taken(row, m->message));
        f.user = user_of(row, m->message);
    }
    sbuf_add_bytes(&text, m->by);
    sbuf_add_bytes(&text, m->ident);
    sbuf_add_str(&text, ": ");
    sbuf_add_bytes(&text, m->message);
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&suspect);
    clue_put(answer, &f);
}
