/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/doctor_containers.h"
#include "cli/doctor_target.h"
#include "cli/option.h"
#include "cli/options.h"
#include "engine/engine.h"
#include "daemon/choose.h"
#include "daemon/privileges.h"
#include "daemon/seccomp.h"
#include "event/operation.h"
#include "sensor/sensors.h"
#include "event/ecs.h"
#include "event/sentence.h"
#include "guard/state.h"
#include "store/query.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/json_writer.h"

struct doctor {
    enum format format;
    const char *sensors, *store_path;
    const struct tracker_ops *tracker; /* NULL = none works */
    struct sbuf out;
};

static const char *mark(bool works)
{
    return works ? "✔" : "·";
}

static void describe_kernel(struct doctor *d)
{
    struct utsname name = { 0 };
    char line[128] = "";
    _cleanup_fclose_ FILE *f = fopen("/sys/kernel/security/lockdown", "re");
    bool btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;

    (void)uname(&name);
    if (f && fgets(line, sizeof(line), f)) {
        char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;

        if (close)
            *close = '\0';
        memmove(line, open ? open + 1 : line, strlen(open ? open + 1 : line) + 1);
    }
    if (d->format == FORMAT_JSON) {
        json_string(&d->out, JSON_MEMBER("kernel", "release"), bytes_of(name.release));
        json_bool(&d->out, JSON_KEY("btf"), btf);
        json_bytes(&d->out, JSON_KEY("lockdown"), bytes_of(line));
        json_close(&d->out);
        return;
    }
    sbuf_addf(&d->out, "%-10s%s, %s, lockdown %s\n", "kernel", name.release,
              btf ? "BTF" : "no BTF", line[0] ? line : "not known");
}

static void list_capabilities(struct doctor *d, const struct sensor_capabilities *caps)
{
    const struct capability_info *info;

    for (unsigned i = 0; (info = capability_info(i)); i++)
        if (caps->has & info->bit)
            json_element(&d->out, bytes_of(info->name));
}

#define COLUMN "%-10s"

/* What each sensor that works here can see, row by row. */
static void draw_matrix(struct doctor *d, const struct sensor_capabilities *all, size_t count)
{
    const struct capability_info *info;
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (!all[i].works)
            continue;
        if (!any)
            sbuf_addf(&d->out, "\n%-18s", "can report");
        sbuf_addf(&d->out, COLUMN, sensors[i]->name);
        any = true;
    }
    if (!any)
        return;
    sbuf_add_char(&d->out, '\n');
    for (unsigned row = 0; (info = capability_info(row)); row++) {
        sbuf_addf(&d->out, "  %-16s", info->name);
        for (size_t i = 0; i < count; i++)
            if (all[i].works)
                sbuf_addf(&d->out, "%s%-9s", mark(all[i].has & info->bit), "");
        sbuf_addf(&d->out, "%s\n", info->lack);
    }
    sbuf_add_char(&d->out, '\n');
}

static void describe_tracker(struct doctor *d)
{
    const char *name = d->tracker ? d->tracker->name : "/proc alone";
    const char *weakness = d->tracker ? d->tracker->weakness
                                      : "actors that exit before they are looked up stay unnamed";

    if (d->format == FORMAT_JSON) {
        json_string(&d->out, JSON_MEMBER("tracker", "name"), bytes_of(name));
        json_string(&d->out, JSON_KEY("weakness"), bytes_of(weakness));
        json_close(&d->out);
        return;
    }
    sbuf_addf(&d->out, "%-10s%s %s: %s\n", "processes", mark(d->tracker != NULL), name,
              weakness[0] ? weakness : "executable, arguments, ids and cgroup are captured in the kernel");
}

/* Before the sensors are asked: what they say is how the kernel is from now on. */
static void describe_left(struct doctor *d)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;

    sensors_recover(NULL, NULL, &said);
    if (d->format == FORMAT_JSON) {
        json_key(&d->out, JSON_KEY("left_by_killed"));
        if (said.len)
            escape_json(&d->out, sbuf_bytes(&said));
        else
            sbuf_add_str(&d->out, "null");
    } else if (said.len) {
        sbuf_addf(&d->out, "%-10s· a killed culprit had left %s: undone now\n", "left", sbuf_str(&said));
    }
}

static int describe_guard(void *data, const char *name, const struct guard_state *state)
{
    struct doctor *d = data;

    (void)name;
    if (d->format == FORMAT_JSON) {
        json_open_element(&d->out);
        json_bytes(&d->out, JSON_KEY("target"), state->target);
        json_bytes(&d->out, JSON_KEY("method"), state->method);
        if (!bytes_equal_str(state->method, guard_bpf.name))
            json_number(&d->out, JSON_KEY("files"), state->list.count);
        json_number(&d->out, JSON_KEY("pid"), (uint64_t)state->asker);
        json_key(&d->out, JSON_KEY("since"));
        ecs_write_time(&d->out, state->since_ns);
        if (state->until_ns) {
            json_key(&d->out, JSON_KEY("until"));
            ecs_write_time(&d->out, state->until_ns);
        }
        if (state->confirm_ns) {
            json_key(&d->out, JSON_KEY("confirm_until"));
            ecs_write_time(&d->out, state->confirm_ns);
        }
        if (state->older_writers != GUARD_WRITERS_NOT_KNOWN)
            json_number(&d->out, JSON_KEY("older_writers"), state->older_writers);
        if (state->mounted_below)
            json_number(&d->out, JSON_KEY("mounted_below"), state->mounted_below);
        json_close(&d->out);
        return 0;
    }
    sbuf_addf(&d->out, "%-10s%s ", "guard", mark(true));
    escape_terminal(&d->out, state->target);
    sbuf_addf(&d->out, ", %.*s, ", (int)state->method.len, state->method.data);
    if (!bytes_equal_str(state->method, guard_bpf.name))
        sbuf_addf(&d->out, "%zu files and folders, ", state->list.count);
    sbuf_addf(&d->out, "by pid %d since ", (int)state->asker);
    sentence_time(&d->out, state->since_ns, cli_utc_offset(state->since_ns));
    if (state->until_ns) {
        sbuf_add_str(&d->out, " until ");
        sentence_time(&d->out, state->until_ns, cli_utc_offset(state->until_ns));
    }
    if (state->confirm_ns) {
        sbuf_add_str(&d->out, ", unless it is confirmed until ");
        sentence_time(&d->out, state->confirm_ns, cli_utc_offset(state->confirm_ns));
    }
    if (state->older_writers != GUARD_WRITERS_NOT_KNOWN)
        sbuf_addf(&d->out, "; older writers: %llu", (unsigned long long)state->older_writers);
    if (state->mounted_below)
        sbuf_addf(&d->out, "; not guarded: %llu mounted below", (unsigned long long)state->mounted_below);
    sbuf_add_char(&d->out, '\n');
    return 0;
}

static void describe_guards(struct doctor *d)
{
    if (d->format == FORMAT_JSON)
        json_key(&d->out, JSON_ARRAY("guards"));
    (void)guard_state_each(GUARD_STATE_DIRECTORY, describe_guard, d);
    if (d->format == FORMAT_JSON)
        json_close_array(&d->out);
}

static void describe_sensors(struct doctor *d)
{
    struct sensor_capabilities all[CHOICE_MAX] = { 0 };
    size_t count = 0;

    if (d->format == FORMAT_JSON)
        (void)json_open(&d->out, JSON_ARRAY("sensors"));
    for (unsigned i = 0; sensors[i]; i++) {
        struct sensor_capabilities caps = { 0 };
        struct err err = ERR_INIT;
        int r = sensors[i]->probe(&caps, &err);
        const char *state = r < 0 ? err_text(&err, r) : caps.state;

        caps.works = r >= 0 && caps.works;
        caps.has = choice_with_tracker(caps.has, d->tracker);
        if (count < CHOICE_MAX)
            all[count++] = caps;
        if (d->format == FORMAT_JSON) {
            json_open_element(&d->out);
            json_string(&d->out, JSON_KEY("name"), bytes_of(sensors[i]->name));
            json_bool(&d->out, JSON_KEY("works"), caps.works);
            json_string(&d->out, JSON_KEY("state"), bytes_of(state));
            json_string(&d->out, JSON_KEY("advice"), bytes_of(caps.advice));
            (void)json_open(&d->out, JSON_ARRAY("capabilities"));
            list_capabilities(d, &caps);
            json_close_array(&d->out);
            json_close(&d->out);
            continue;
        }
        sbuf_addf(&d->out, "%-10s%s %s\n", sensors[i]->name, mark(caps.works), state);
        if (caps.advice[0])
            sbuf_addf(&d->out, "            to do: %s\n", caps.advice);
    }
    if (d->format == FORMAT_JSON)
        sbuf_add_char(&d->out, ']');
    describe_tracker(d);
    if (d->format == FORMAT_TEXT)
        draw_matrix(d, all, count);
}

static void describe_engines(struct doctor *d)
{
    struct engines_options options = {
        .log = NULL,
        .docker_socket = cli_docker_socket(),
    };
    const struct engine_state *state;
    struct engines *engines = NULL;

    if (engines_new(&options, &engines, NULL) < 0)
        return;
    engines_set_patience(engines, 30000); /* who counts may take his time */
    if (d->format == FORMAT_JSON)
        (void)json_open(&d->out, JSON_ARRAY("engines"));
    for (unsigned i = 0; (state = engines_state(engines, i)); i++) {
        if (d->format == FORMAT_JSON) {
            json_open_element(&d->out);
            json_string(&d->out, JSON_KEY("name"), bytes_of(state->name));
            json_bool(&d->out, JSON_KEY("present"), state->present);
            json_number(&d->out, JSON_KEY("containers"), state->containers);
            json_string(&d->out, JSON_KEY("state"), bytes_of(state->text));
            json_close(&d->out);
        } else {
            sbuf_addf(&d->out, "%-10s %s ", state->name, mark(state->present));
            escape_terminal(&d->out, bytes_of(state->text));
            if (state->present)
                sbuf_addf(&d->out, ", %u containers", state->containers);
            sbuf_add_char(&d->out, '\n');
        }
    }
    if (d->format == FORMAT_JSON)
        sbuf_add_char(&d->out, ']');
    engines_free(engines);
}

static void describe_store(struct doctor *d)
{
    struct store_options options = { .path = d->store_path,
                                     .spool_directory = STORE_SPOOL_DIRECTORY,
                                     .read_only = true };
    struct store_summary summary = { 0 };
    struct store *store = NULL;
    struct err err = ERR_INIT;
    int r = store_open(&options, &store, &err);

    if (r == 0)
        r = store_summarise(store, &summary, &err);
    if (d->format == FORMAT_JSON) {
        (void)json_open(&d->out, JSON_OBJECT("store"));
        json_bool(&d->out, JSON_KEY("works"), r == 0 || r == -ENOENT);
        json_number(&d->out, JSON_KEY("events"), summary.events);
        json_number(&d->out, JSON_KEY("bytes"), summary.bytes);
        json_close(&d->out);
    } else if (r == -ENOENT) {
        sbuf_addf(&d->out, "%-10s%s nothing recorded yet (%s)\n", "store", mark(true),
                  d->store_path ? d->store_path : STORE_DEFAULT_PATH);
    } else if (r < 0) {
        sbuf_addf(&d->out, "%-10s%s %s\n", "store", mark(false), err_text(&err, r));
    } else {
        sbuf_addf(&d->out, "%-10s%s %s, %llu events, %.1f MB\n", "store", mark(true),
                  d->store_path ? d->store_path : STORE_DEFAULT_PATH,
                  (unsigned long long)summary.events, (double)summary.bytes / 1e6);
    }
    store_close(store);
}

static void describe_calls(struct doctor *d)
{
    bool works = seccomp_built_in() && seccomp_works();

    sbuf_addf(&d->out, "seccomp    %s %s\n", mark(works),
              works                ? "while it observes it runs, traces, mounts and loads nothing: such calls fail (EPERM)"
              : seccomp_built_in() ? "this kernel has no filters of system calls: culprit keeps them all"
                                   : "built with a sanitizer: culprit keeps all system calls");
}

static void describe_privileges(struct doctor *d, const struct choice *choice)
{
    uint64_t needed = privileges_needed(choice);
    char names[1024], missing[1024];

    privileges_names(needed == PRIVILEGES_ALL ? 0 : needed, names, sizeof(names));
    privileges_missing(needed == PRIVILEGES_ALL ? 0 : needed, missing, sizeof(missing));
    if (d->format == FORMAT_JSON) {
        (void)json_open(&d->out, JSON_OBJECT("privileges"));
        json_string(&d->out, JSON_KEY("needed"), bytes_of(names));
        json_string(&d->out, JSON_KEY("missing"), bytes_of(missing));
        json_bool(&d->out, JSON_KEY("seccomp"), seccomp_built_in() && seccomp_works());
        json_close(&d->out);
        return;
    }
    sbuf_addf(&d->out, "privileges%s %s\n", mark(!missing[0]),
              names[0] ? "keeps while it observes, and gives everything else away:" : "keeps all");
    if (names[0])
        sbuf_addf(&d->out, "            %s\n", names);
    if (missing[0])
        sbuf_addf(&d->out, "            missing here: %s\n", missing);
    describe_calls(d);
}

static int describe_choice(struct doctor *d)
{
    struct choice choice = { 0 };
    struct err err = ERR_INIT;
    char lacks[512] = "";
    const struct choice_wish wish = { d->sensors, PERMISSION_WRITE | PERMISSION_ATTR, 1 };
    int r = choose_sensors(&wish, d->tracker, &choice, &err);

    if (r == 0)
        choice_lacks(&choice, PERMISSION_WRITE | PERMISSION_ATTR, lacks, sizeof(lacks));
    if (r == 0)
        describe_privileges(d, &choice);
    if (d->format == FORMAT_JSON) {
        (void)json_open(&d->out, JSON_ARRAY("would_use"));
        for (size_t i = 0; i < choice.count; i++)
            json_element(&d->out, bytes_of(choice.sensors[i]->name));
        json_close_array(&d->out);
        json_string(&d->out, JSON_KEY("because"), bytes_of(choice.reason));
        json_string(&d->out, JSON_KEY("compromise"), bytes_of(choice.compromise));
        json_string(&d->out, JSON_KEY("price"), bytes_of(choice_price(&choice)));
        return r;
    }
    if (r < 0) {
        sbuf_addf(&d->out, "cannot observe: %s\n", err_text(&err, r));
        return r;
    }
    sbuf_add_str(&d->out, "would use ");
    for (size_t i = 0; i < choice.count; i++)
        sbuf_addf(&d->out, "%s%s", i ? " + " : "", choice.sensors[i]->name);
    if (lacks[0])
        sbuf_addf(&d->out, "; not seen: %s", lacks);
    if (choice.reason[0])
        sbuf_addf(&d->out, "\n          because %s", choice.reason);
    if (choice.compromise[0])
        sbuf_addf(&d->out, "\n          %s", choice.compromise);
    if (choice_price(&choice)[0])
        sbuf_addf(&d->out, "\n          price: %s", choice_price(&choice));
    sbuf_add_char(&d->out, '\n');
    return 0;
}

int cmd_doctor(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("doctor");
    struct doctor d = { .sensors = "auto", .out = SBUF_INIT };
    const struct cli_option *option;
    struct option_parser parser;
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        if (option->id == OPTION_FORMAT)
            r = cli_parse_format(verb, optarg, &d.format);
        else if (option->id == OPTION_SENSOR)
            d.sensors = optarg;
        else if (option->id == OPTION_STORE)
            d.store_path = optarg;
        else if (option->id == OPTION_CONTAINERS)
            return doctor_containers();
        if (r)
            return r;
    }
    if (optind < argc) {
        for (int i = optind; i < argc; i++) {
            int code = doctor_target(argv[i], d.sensors, d.format);

            r = MAX(r, code);
        }
        sbuf_done(&d.out);
        return r;
    }
    if (d.format == FORMAT_JSON)
        sbuf_add_char(&d.out, '{');
    d.tracker = tracker_probe();
    describe_kernel(&d);
    describe_left(&d);
    describe_sensors(&d);
    describe_engines(&d);
    describe_store(&d);
    describe_guards(&d);
    r = describe_choice(&d);
    if (d.format == FORMAT_JSON)
        sbuf_add_str(&d.out, "}\n");
    cli_write(stdout, &d.out);
    sbuf_done(&d.out);
    return r < 0 ? cli_exit_code(r) : EXIT_ANSWERED;
}
