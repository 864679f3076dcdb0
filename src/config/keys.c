/* SPDX-License-Identifier: MIT */
#include "config/keys.h"

#include <errno.h>

#include "alert/usual_limits.h"
#include "config/groups.h"
#include "config/keys_expect.h"
#include "config/keys_sink.h"
#include "copies/pack.h"
#include "event/operation.h"
#include "sensor/sensors.h"
#include "store/store.h"
#include "util/loopback.h"
#include "util/parse.h"
#include "util/sbuf.h"
#include "util/suggest.h"
#include "watch/target.h"

int config_parse_switch(struct bytes value, bool *ret)
{
    static const struct {
        const char *word;
        bool on;
    } words[] = { { "on", true }, { "off", false }, { "true", true }, { "false", false }, { "yes", true }, { "no", false } };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (bytes_equal_str(value, words[i].word)) {
            *ret = words[i].on;
            return 0;
        }
    return -EINVAL;
}

/* ---- one value each ---- */

static int check_switch(struct bytes value, struct err *err)
{
    bool on;

    if (config_parse_switch(value, &on) == 0)
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is neither on nor off", BYTES_SHOWN(value));
}

static int check_permissions(struct bytes value, struct err *err)
{
    unsigned permissions;
    char unknown;

    if (permissions_parse(value, &permissions, &unknown) == 0)
        return 0;
    if (!unknown)
        return err_say(err, -EINVAL, "no permission (use r, w, x, a)");
    return err_say(err, -EINVAL, "unknown permission '%c' in \"%.*s\" (use r, w, x, a)", unknown, BYTES_SHOWN(value));
}

static void offer_sensors(struct suggestion *suggestion, struct sbuf *all)
{
    for (unsigned i = 0; sensors[i]; i++) {
        sbuf_addf(all, ", %s", sensors[i]->name);
        suggest_offer(suggestion, bytes_of(sensors[i]->name));
    }
}

bool config_sensor_is_automatic(struct bytes value)
{
    return bytes_equal_str(value, "auto") || bytes_equal_str(value, "cheap");
}

static int check_sensor(struct bytes value, struct err *err)
{
    struct suggestion suggestion = { .typed = value };
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;

    if (config_sensor_is_automatic(value))
        return 0;
    for (unsigned i = 0; sensors[i]; i++)
        if (bytes_equal_str(value, sensors[i]->name))
            return 0;
    offer_sensors(&suggestion, &all);
    suggest_offer(&suggestion, bytes_of("auto"));
    suggest_offer(&suggestion, bytes_of("cheap"));
    if (suggestion.best.data)
        return err_say(err, -EINVAL, "unknown sensor \"%.*s\"; did you mean %s? (use auto, cheap%s)", BYTES_SHOWN(value),
                       suggestion.best.data, sbuf_str(&all));
    return err_say(err, -EINVAL, "unknown sensor \"%.*s\" (use auto, cheap%s)", BYTES_SHOWN(value), sbuf_str(&all));
}

static int check_group(struct bytes value, struct err *err)
{
    struct suggestion suggestion = { .typed = value };
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;
    const struct config_group *g;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++) {
        if (bytes_equal_str(value, g->name))
            return 0;
        sbuf_addf(&all, "%s%s", i ? ", " : "", g->name);
        suggest_offer(&suggestion, bytes_of(g->name));
    }
    if (suggestion.best.data)
        return err_say(err, -EINVAL, "no group \"%.*s\"; did you mean %s? (%s)", BYTES_SHOWN(value), suggestion.best.data,
                       sbuf_str(&all));
    return err_say(err, -EINVAL, "no group \"%.*s\" (%s)", BYTES_SHOWN(value), sbuf_str(&all));
}

static int check_path(struct bytes value, struct err *err)
{
    if (value.len && value.data[0] == '/')
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is no path that begins with /", BYTES_SHOWN(value));
}

static int check_socket(struct bytes value, struct err *err)
{
    return value.len ? check_path(value, err) : 0;
}

static int check_size(struct bytes value, struct err *err)
{
    uint64_t size;

    if (bytes_equal_str(value, "auto"))
        return 0;
    return parse_size(value.data, &size, err); /* values end in a NUL */
}

static int parse_or_off(struct bytes value, uint64_t *ret_ns, struct err *err)
{
    *ret_ns = 0;
    if (bytes_equal_str(value, "off") || parse_duration(value.data, ret_ns, NULL) == 0) /* values end in a NUL */
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is neither off nor a duration (write 90s, 15m, 2h or 7d)", BYTES_SHOWN(value));
}

int config_parse_age(struct bytes value, uint64_t *ret_ns, struct err *err)
{
    int r = parse_or_off(value, ret_ns, err);

    if (r == 0 && *ret_ns && *ret_ns < RETENTION_AGE_MIN_NS)
        r = err_say(err, -EINVAL, "\"%.*s\" is less than an hour", BYTES_SHOWN(value));
    return r;
}

int config_parse_retention_size(struct bytes value, uint64_t *ret, struct err *err)
{
    int r = 0;

    *ret = 0;
    if (!bytes_equal_str(value, "off"))
        r = parse_size(value.data, ret, err);
    if (r == 0 && *ret && *ret < RETENTION_SIZE_MIN)
        r = err_say(err, -EINVAL, "\"%.*s\" is less than 16M", BYTES_SHOWN(value));
    return r;
}

int config_parse_heartbeat(struct bytes value, uint64_t *ret_ns, struct err *err)
{
    int r = parse_or_off(value, ret_ns, err);

    if (r == 0 && *ret_ns && *ret_ns < NS_PER_S)
        r = err_say(err, -EINVAL, "\"%.*s\" is less than a second", BYTES_SHOWN(value));
    return r;
}

int config_parse_copies_size(struct bytes value, uint64_t *ret, struct err *err)
{
    int r = parse_size(value.data, ret, err); /* values end in a NUL */

    return r == 0 && *ret < COPIES_LIMIT_LEAST ? err_say(err, -EINVAL, "\"%.*s\" is less than 1M", BYTES_SHOWN(value)) : r;
}

static int check_copies_size(struct bytes value, struct err *err)
{
    uint64_t size;

    return config_parse_copies_size(value, &size, err);
}

int config_parse_learning(struct bytes value, uint64_t *ret_ns, struct err *err)
{
    int r = parse_or_off(value, ret_ns, err);

    if (r == 0 && *ret_ns > USUAL_CAUSE_NS)
        r = err_say(err, -EINVAL, "\"%.*s\" is more than 30 days", BYTES_SHOWN(value));
    return r;
}

static int check_learning(struct bytes value, struct err *err)
{
    uint64_t ns;

    return config_parse_learning(value, &ns, err);
}

static int check_heartbeat(struct bytes value, struct err *err)
{
    uint64_t ns;

    return config_parse_heartbeat(value, &ns, err);
}

static int check_age(struct bytes value, struct err *err)
{
    uint64_t ns;

    return config_parse_age(value, &ns, err);
}

static int check_retention_size(struct bytes value, struct err *err)
{
    uint64_t size;

    return config_parse_retention_size(value, &size, err);
}

static int check_metrics(struct bytes value, struct err *err)
{
    struct sockaddr_in address;

    return value.len ? loopback_parse(value, &address, err) : 0;
}

int config_parse_when_full(struct bytes value, bool *ret_oldest, struct err *err)
{
    *ret_oldest = bytes_equal_str(value, "oldest");
    if (*ret_oldest || bytes_equal_str(value, "stop"))
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is neither stop nor oldest", BYTES_SHOWN(value));
}

static int check_when_full(struct bytes value, struct err *err)
{
    bool oldest;

    return config_parse_when_full(value, &oldest, err);
}

static int check_target(struct bytes value, struct err *err)
{
    struct target target;
    int r = target_parse(value, bytes_of("/"), &target, err);

    if (r < 0)
        return r;
    if (target.selector.kind == SELECTOR_NONE && value.data[0] != '/')
        r = err_say(err, -EINVAL, "\"%.*s\" is neither a path that begins with / nor CONTAINER:PATH", BYTES_SHOWN(value));
    target_done(&target);
    return r;
}

static int check_word(struct bytes value, struct err *err)
{
    return value.len <= 255 ? 0 : err_say(err, -EINVAL, "longer than 255 bytes");
}

static int check_argument(struct bytes value, struct err *err)
{
    return value.len && value.len <= 255 ? 0 : err_say(err, -EINVAL, "a value is 1 to 255 bytes long");
}

/* Who it is, is known when the guard begins: what never can be is said now. */
static int check_allow(struct bytes value, struct err *err)
{
    static const char *const words[] = { "exe:", "unit:", "container:", "user:" };
    struct bytes name = value;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (bytes_starts_with(value, bytes_of(words[i])))
            name = (struct bytes){ value.data + strlen(words[i]), value.len - strlen(words[i]) };
    if (value.len && !name.len)
        return err_say(err, -EINVAL, "\"%.*s\" names nobody", BYTES_SHOWN(value));
    if (bytes_char(name, '/') && name.data[0] != '/')
        return err_say(err, -EINVAL, "\"%.*s\" is no path of an executable that begins with /", BYTES_SHOWN(value));
    return check_argument(value, err);
}

static int check_on_verdict(struct bytes value, struct err *err)
{
    static const char *const words[] = { "none", "exec", "freeze", "kill" };

    if (BYTES_AMONG(value, words))
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is nothing that is done (use none, exec, freeze, kill)", BYTES_SHOWN(value));
}

static int check_on_verdict_limit(struct bytes value, struct err *err)
{
    uint64_t n;

    if (parse_u64(value, 10, &n) == 0 && n >= 1 && n <= 60)
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is not a number from 1 to 60", BYTES_SHOWN(value));
}

static int check_guard_method(struct bytes value, struct err *err)
{
    if (bytes_equal_str(value, "auto") || bytes_equal_str(value, "bpf") || bytes_equal_str(value, "immutable"))
        return 0;
    return err_say(err, -EINVAL, "\"%.*s\" is no method (use auto, bpf, immutable)", BYTES_SHOWN(value));
}

/* clang-format off */
static const struct config_key_info keys[CONFIG_KEY_COUNT] = {
    [CONFIG_GROUPS] = { CONFIG_TOP, true, "groups", "etc programs local opt boot schedules units", "names of groups",
        "what is watched without a watch of its own; {}: nothing", check_group },
    [CONFIG_PERMISSIONS] = { CONFIG_TOP, false, "permissions", "wa", "r, w, x, a",
        "of groups, and of watches that say nothing else: r reads, w contents and names, x execution, a attributes",
        check_permissions },
    [CONFIG_WRITES] = { CONFIG_TOP, false, "writes", "off", "on, off",
        "each write too, once a second for each file and process", check_switch },
    [CONFIG_SENSOR] = { CONFIG_TOP, true, "sensor", "cheap", "auto, cheap, or names from culprit doctor",
        "cheap: what loads the machine least, and leaves audit to others; auto: the set that reports most", check_sensor },
    [CONFIG_STORE] = { CONFIG_TOP, false, "store", STORE_DEFAULT_PATH, "a path",
        "where it is recorded; who, search and diff take another place by --store", check_path },
    [CONFIG_DOCKER_SOCKET] = { CONFIG_TOP, false, "docker_socket", "", "a path",
        "empty: the usual places", check_socket },
    [CONFIG_RING_SIZE] = { CONFIG_TOP, false, "ring_size", "auto", "auto, 64M",
        "the kernel's buffer for events", check_size },
    [CONFIG_CONTROL] = { CONFIG_TOP, false, "control", "", "a path",
        "the socket that culprit ctl, watch and run ask; empty: control beside the lock", check_socket },
    [CONFIG_METRICS] = { CONFIG_TOP, false, "metrics", "", "an address of this machine and a port: 127.0.0.1:9742",
        "where its metrics are had over HTTP; empty: culprit ctl metrics alone", check_metrics },
    [CONFIG_HEARTBEAT] = { CONFIG_TOP, false, "heartbeat", "1h", "off, or a duration: 30m, 1h",
        "so often a change of each kind is made beside the store, and has to be seen", check_heartbeat },
    [CONFIG_RETENTION_AGE] = { CONFIG_TOP, false, "retention_age", "90d", "off, or a duration of at least an hour: 12h, 90d",
        "what is older is removed from the store", check_age },
    [CONFIG_RETENTION_SIZE] = { CONFIG_TOP, false, "retention_size", "2G", "off, or a size of at least 16M",
        "where the store is bigger, the oldest is removed", check_retention_size },
    [CONFIG_WHEN_FULL] = { CONFIG_TOP, false, "when_full", "stop", "stop, oldest",
        "where the disk is full: what comes waits for room, or the oldest is removed to make some", check_when_full },
    [CONFIG_COPIES_SIZE] = { CONFIG_TOP, false, "copies_size", "256M", "a size of at least 1M",
        "of all copies that watches with keep_copies keep, on disk, beside the store", check_copies_size },
    [CONFIG_ALERTS] = { CONFIG_TOP, false, "alerts", "on", "on, off",
        "changes are judged by their cause, and what is not expected is an alert", check_switch },
    [CONFIG_LEARNING] = { CONFIG_TOP, false, "learning", "7d", "off, or a duration of at most 30 days: 1d, 7d",
        "what is new at a watch, or a burst, is reported where it was recorded so long without a gap", check_learning },
    [CONFIG_EXPECTED] = { CONFIG_TOP, true, "expected", "package container engine agent configuration git rotation tmpfiles editor",
        "names of rows", "what is expected by itself; {}: only what expect blocks say", check_expected },
    [CONFIG_EDITORS] = { CONFIG_TOP, true, "editors",
        "vi vim vim.* nvim nano emacs emacs-* ed micro joe mcedit hx kak", "names, paths or patterns",
        "programs of the row editor: by a person at a terminal, on files that are theirs", check_pattern },
    [CONFIG_REDACT] = { CONFIG_TOP, true, "redact", "", "users, arguments, homes", "what alerts leave out; {}: nothing", check_redact },
    [CONFIG_WATCH_TARGETS] = { CONFIG_WATCH, true, "targets", NULL, "paths, or CONTAINER:PATH",
        "all below a directory is watched; what is not there yet is waited for", check_target },
    [CONFIG_WATCH_PERMISSIONS] = { CONFIG_WATCH, false, "permissions", NULL, "r, w, x, a", "as at the top", check_permissions },
    [CONFIG_WATCH_KEY] = { CONFIG_WATCH, false, "key", NULL, "a word", "marks the events (rule.name); the watch's name if left out",
        check_word },
    [CONFIG_WATCH_RETENTION_AGE] = { CONFIG_WATCH, false, "retention_age", NULL, "off, or a duration of at least an hour: 12h, 90d",
        "as at the top", check_age },
    [CONFIG_WATCH_KEEP_COPIES] = { CONFIG_WATCH, false, "keep_copies", NULL, "on, off",
        "copies of its files are kept, for restore and diff --content; off if left out", check_switch },
    [CONFIG_WATCH_GUARD] = { CONFIG_WATCH, false, "guard", NULL, "on, off", "changes of its targets are refused, as culprit guard does (off)", check_switch },
    [CONFIG_WATCH_ALLOW] = { CONFIG_WATCH, true, "allow", NULL, "paths of executables, units, containers, users",
        "who may all the same, of the method bpf", check_allow },
    [CONFIG_WATCH_GUARD_METHOD] = { CONFIG_WATCH, false, "guard_method", NULL, "auto, bpf, immutable",
        "by the kernel, by the flags of chattr, or the first where it holds (auto)", check_guard_method },
    [CONFIG_WATCH_GUARD_KEEP] = { CONFIG_WATCH, false, "guard_keep", NULL, "on, off",
        "it goes on when the daemon is killed, until the next one takes it over (off)", check_switch },
    [CONFIG_WATCH_ON_VERDICT] = { CONFIG_WATCH, false, "on_verdict", NULL, "none, exec, freeze, kill",
        "what is done to the culprit of an alert (none)", check_on_verdict },
    [CONFIG_WATCH_ON_VERDICT_LIMIT] = { CONFIG_WATCH, false, "on_verdict_limit", NULL, "1 to 60",
        "so often an hour; once more, and nothing is done any more (3)", check_on_verdict_limit },
    [CONFIG_WATCH_ON_VERDICT_RUN] = { CONFIG_WATCH, true, "on_verdict_run", NULL, "a program by its whole path, and its arguments",
        "of exec: it gets the alert as a sink of type exec does, within 10s", check_argument },
    [CONFIG_EXPECT_PROGRAM] = { CONFIG_EXPECT, true, "program", NULL, "names, paths or patterns",
        "the executable that made the change, or on whose behalf it was made", check_pattern },
    [CONFIG_EXPECT_PACKAGE] = { CONFIG_EXPECT, true, "package", NULL, "names or patterns", "which that executable belongs to", check_pattern },
    [CONFIG_EXPECT_UNIT] = { CONFIG_EXPECT, true, "unit", NULL, "names or patterns", "the systemd unit that it ran in", check_pattern },
    [CONFIG_EXPECT_SCRIPT] = { CONFIG_EXPECT, true, "script", NULL, "paths, names or patterns", "the script, module or target that was run",
        check_pattern },
    [CONFIG_EXPECT_LAUNCHER] = { CONFIG_EXPECT, true, "launcher", NULL, "kinds (cron, timer, service ...) or names",
        "what started it: its kind, or its name", check_pattern },
    [CONFIG_EXPECT_USER] = { CONFIG_EXPECT, true, "user", NULL, "names or numbers", "whom it ran as, or who logged in", check_pattern },
    [CONFIG_EXPECT_CONTAINER] = { CONFIG_EXPECT, true, "container", NULL, "names or patterns; host: none", "where it ran", check_pattern },
    [CONFIG_EXPECT_IMAGE] = { CONFIG_EXPECT, true, "image", NULL, "names or patterns", "of the container that it ran in", check_pattern },
    [CONFIG_EXPECT_HOURS] = { CONFIG_EXPECT, true, "hours", NULL, "02:00-04:30, in local time", "when it was done", check_hours },
    [CONFIG_EXPECT_OPERATIONS] = { CONFIG_EXPECT, true, "operations", NULL, "as who --op takes them: delete, chmod", "what was done",
        check_operations },
    [CONFIG_EXPECT_PATHS] = { CONFIG_EXPECT, true, "paths", NULL, "paths or patterns",
        "which files, as their container has them or as the host does: with all below", check_pattern },
    [CONFIG_SINK_TYPE] = { CONFIG_SINK, false, "type", NULL, "journal, file, exec, webhook, syslog, container, mail, kubernetes", "where alerts go", check_sink_type },
    [CONFIG_SINK_TO] = { CONFIG_SINK, true, "to", NULL, "a path, a command with its arguments, URLs, addresses",
        "of a file, of a program, of webhooks and syslog (tcp://HOST:PORT, tls://HOST:PORT), of mail", check_sink_to },
    [CONFIG_SINK_FORMAT] = { CONFIG_SINK, false, "format", NULL, "ecs, alertmanager, slack, mattermost, teams, pagerduty, ocsf, otlp", "of a webhook (ecs)",
        check_sink_format },
    [CONFIG_SINK_SECRET] = { CONFIG_SINK, false, "secret", NULL, "a path", "the file with a webhook's token or routing key, a mail server's USER:PASSWORD, a token of Kubernetes", check_path },
    [CONFIG_SINK_CA] = { CONFIG_SINK, false, "ca", NULL, "a path", "the file with the certificates that a webhook's, or syslog's, is checked against",
        check_path },
    [CONFIG_SINK_USER] = { CONFIG_SINK, false, "user", NULL, "a name", "whom a program runs as (nobody)", check_word },
    [CONFIG_SINK_TIMEOUT] = { CONFIG_SINK, false, "timeout", NULL, "a duration from 1s to 5m", "for one delivery (10s)", check_sink_timeout },
    [CONFIG_SINK_SEVERITY] = { CONFIG_SINK, false, "severity", NULL, "low, medium, high, critical", "and what is graver (low)",
        check_sink_severity },
    [CONFIG_SINK_SIZE] = { CONFIG_SINK, false, "size", NULL, "a size, or off", "of a file before it is rotated (10M); five are kept",
        check_sink_size },
    [CONFIG_SINK_SERVER] = { CONFIG_SINK, false, "server", NULL, "smtp://HOST[:PORT], smtps://HOST[:PORT], or a mailer's path",
        "of mail: where it goes (/usr/sbin/sendmail)", check_sink_server },
    [CONFIG_SINK_FROM] = { CONFIG_SINK, false, "from", NULL, "an address", "of mail: who it is from (culprit@ and the host's name)", check_sink_address },
};
/* clang-format on */

const struct config_key_info *config_key_info(enum config_key key)
{
    return &keys[key];
}

const char *config_section_name(enum config_section section)
{
    static const char *const names[CONFIG_SECTION_COUNT] = { [CONFIG_WATCH] = "watch", [CONFIG_EXPECT] = "expect", [CONFIG_SINK] = "sink" };

    return names[section];
}

enum config_key config_key_by_name(enum config_section section, struct bytes name)
{
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++)
        if (keys[i].section == section && bytes_equal_str(name, keys[i].name))
            return (enum config_key)i;
    return CONFIG_KEY_COUNT;
}
