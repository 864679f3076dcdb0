/* SPDX-License-Identifier: MIT */
#include "sink/mail_message.h"

#include <errno.h>
#include <time.h>

#include "util/base64.h"
#include "util/macro.h"

#define ADDRESS_MAX 254
#define SUBJECT_MAX 250 /* bytes */
#define WORD_MAX 42     /* bytes of an encoded word: 75 characters with its ends (RFC 2047) */
#define LINE_BYTES 57   /* 76 characters of base64 */

int mail_check_address(struct bytes address, struct err *err)
{
    static const char others[] = ".!#$%&'*+/=?^_`{|}~@-";

    for (size_t i = 0; i < address.len; i++) {
        char c = address.data[i], lower = c | 0x20;

        if (!bytes_is_digit(c) && !(lower >= 'a' && lower <= 'z') && !(c && strchr(others, c)))
            return err_say(err, -EINVAL, "\"%.*s\" is no address: letters, digits and %s without spaces", BYTES_SHOWN(address), others);
    }
    if (!address.len || address.len > ADDRESS_MAX || address.data[0] == '-')
        return err_say(err, -EINVAL, "an address has 1 to %d bytes and does not begin with -", ADDRESS_MAX);
    return 0;
}

static void add_host(struct bytes host, struct sbuf *out)
{
    size_t at = out->len;

    for (size_t i = 0; i < host.len && out->len - at < 64; i++)
        if (bytes_is_plain((struct bytes){ host.data + i, 1 }) && host.data[i] != '_')
            sbuf_add_char(out, host.data[i]);
    if (out->len == at)
        sbuf_add_str(out, "localhost");
}

void mail_sender(struct bytes host, struct sbuf *out)
{
    sbuf_add_str(out, "culprit@");
    add_host(host, out);
}

/* Whatever it is: no byte of it is a header's. */
static void add_encoded(struct bytes text, struct sbuf *out)
{
    for (bool first = true; text.len; first = false) {
        struct bytes word = bytes_cut(text, WORD_MAX);

        if (!word.len)
            word = (struct bytes){ text.data, MIN(text.len, (size_t)WORD_MAX) };
        sbuf_add_str(out, first ? "=?utf-8?B?" : "\n =?utf-8?B?");
        base64_write(out, word);
        sbuf_add_str(out, "?=");
        text = (struct bytes){ text.data + word.len, text.len - word.len };
    }
}

static void add_base64(struct bytes text, struct sbuf *out)
{
    for (size_t i = 0; i < text.len; i += LINE_BYTES) {
        base64_write(out, (struct bytes){ text.data + i, MIN(text.len - i, (size_t)LINE_BYTES) });
        sbuf_add_char(out, '\n');
    }
}

static void add_date(uint64_t now_ns, struct sbuf *out)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    struct tm tm;

    if (gmtime_r(&seconds, &tm)) /* strftime()'s names are the locale's */
        sbuf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
                  tm.tm_min, tm.tm_sec);
}

static void add_subject(const struct sink_message *m, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_addf(&text, "[%s%s] ", severity_name(m->severity), alert_state_words(m->state));
    sbuf_add_bytes(&text, bytes_cut(m->host, 64));
    sbuf_add_str(&text, m->host.len ? ": " : "");
    sbuf_add_bytes(&text, m->sentence);
    sbuf_add_str(out, "Subject: ");
    add_encoded(bytes_cut(sbuf_bytes(&text), SUBJECT_MAX), out);
    sbuf_add_char(out, '\n');
}

/* All messages of an alert are one thread. */
static void add_headers(const struct sink_message *m, struct bytes from, const struct bytes *to, size_t to_count, uint64_t now_ns, struct sbuf *out)
{
    sbuf_add_str(out, "From: culprit <");
    if (from.len)
        sbuf_add_bytes(out, from);
    else
        mail_sender(m->host, out);
    sbuf_add_str(out, ">\nTo: ");
    for (size_t i = 0; i < to_count; i++) {
        sbuf_add_str(out, i ? ",\n " : "");
        sbuf_add_bytes(out, to[i]);
    }
    sbuf_add_char(out, '\n');
    add_subject(m, out);
    add_date(now_ns, out);
    sbuf_addf(out, "Message-ID:\n <%.32s.%llu@", m->id, (unsigned long long)now_ns);
    add_host(m->host, out);
    sbuf_addf(out, ">\nReferences: <%.32s@", m->id);
    add_host(m->host, out);
    sbuf_addf(out, ">\nAuto-Submitted: auto-generated\nX-Culprit-Alert: %.32s\nX-Culprit-Severity: %s\nX-Culprit-State: %s\n%s", m->id,
              severity_name(m->severity), alert_state_name(m->state), m->test ? "X-Culprit-Test: yes\n" : "");
}

static void add_text(const struct sink_message *m, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_add_bytes(&text, m->sentence);
    sbuf_addf(&text, "\n\nSeverity:  %s%s\nEvents:    %llu\nHost:      ", severity_name(m->severity), alert_state_words(m->state),
              (unsigned long long)m->events);
    sbuf_add_bytes(&text, m->host);
    sbuf_add_str(&text, "\nWatch:     ");
    sbuf_add_bytes(&text, m->watch);
    if (m->container_name.len) {
        sbuf_add_str(&text, "\nContainer: ");
        sbuf_add_bytes(&text, m->container_name);
    }
    sbuf_addf(&text, "\nAlert:     %.32s\n\nThe whole alert is attached: culprit.alert.page in it is for people.\n", m->id);
    add_base64(sbuf_bytes(&text), out);
}

void mail_write(const struct sink_message *m, struct bytes from, const struct bytes *to, size_t to_count, uint64_t now_ns, struct sbuf *out)
{
    add_headers(m, from, to, to_count, now_ns, out);
    sbuf_addf(out, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_%.32s\"\n\n--=_%.32s\n"
                   "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n", m->id, m->id);
    add_text(m, out);
    sbuf_addf(out, "--=_%.32s\nContent-Type: application/json; name=\"alert.json\"\nContent-Disposition: attachment; filename=\"alert.json\"\n"
                   "Content-Transfer-Encoding: base64\n\n", m->id);
    add_base64(m->line, out);
    sbuf_addf(out, "--=_%.32s--\n", m->id);
}
