/* SPDX-License-Identifier: MIT */
#include "clues/page.h"

#include "clues/source.h"
#include "event/ecs_parts.h"

static void begin(struct sbuf *line, const struct clue_page *p, uint64_t time_ns, const char *kind)
{
    sbuf_add_char(line, '{');
    if (time_ns)
        ecs_add_time(line, JSON_KEY("@timestamp"), time_ns);
    ecs_write_version(line);
    json_string(line, JSON_MEMBER("event", "kind"), bytes_of(kind));
    json_key(line, JSON_LITERAL(",\"category\":[\"file\"],\"module\":\"culprit\",\"dataset\":\"culprit.clue\"}"));
    if (p->container)
        ecs_write_container(line, p->container);
    ecs_write_host(line, p->host);
}

static void put_marks(struct sbuf *line, unsigned marks)
{
    static const struct {
        unsigned mark;
        const char *word;
    } words[] = {
        { CLUE_NAMES_PATH, "names-path" }, { CLUE_NAMES_ABOVE, "names-above" }, { CLUE_NAMES_BELOW, "names-below" },
        { CLUE_REMOVES, "removes" },       { CLUE_ALTERS, "alters" },           { CLUE_STARTED, "started" },
        { CLUE_LATEST, "at-the-latest" },  { CLUE_DUE, "due" },                 { CLUE_NOT_DUE, "not-due" },
        { CLUE_LATER, "later" },           { CLUE_GUARDS, "guards" },           { CLUE_BY_AGE, "by-age" },
        { CLUE_DID, "act" },               { CLUE_EXACT, "exact" },             { CLUE_HOLDS, "holds" },
        { CLUE_RECREATES, "recreates" },   { CLUE_STILL, "still-there" },
        { CLUE_BOOT, "boot" },
    };

    json_key(line, JSON_LITERAL(",\"marks\":["));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (marks & words[i].mark)
            json_element(line, bytes_of(words[i].word));
    json_close_array(line);
}

static void put_fact(const struct clue_page *p, const struct clue_fact *f, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct ecs_raw raw = { .members = SBUF_INIT };

    begin(&line, p, f->from_ns, "state");
    if (f->path.len) {
        (void)json_open(&line, JSON_OBJECT("file"));
        ecs_add_bytes_raw(&line, JSON_KEY("path"), f->path, &raw, "file.path");
        json_close(&line);
    }
    json_bytes(&line, JSON_KEY("message"), f->text);
    (void)json_open(&line, JSON_OBJECT("culprit"));
    json_string(&line, JSON_MEMBER("clue", "kind"), bytes_of(clue_kind_name(f->kind)));
    json_string(&line, JSON_KEY("source"), bytes_of(clue_sources[f->source].name));
    json_bytes(&line, JSON_KEY("place"), f->place);
    json_bytes(&line, JSON_KEY("user"), f->user);
    json_bytes(&line, JSON_KEY("suspect"), f->suspect);
    if (f->to_ns != f->from_ns)
        ecs_add_time(&line, JSON_KEY("until"), f->to_ns);
    put_marks(&line, f->marks);
    json_close(&line);
    if (raw.members.len) {
        (void)json_open(&line, JSON_OBJECT("raw"));
        sbuf_add_bytes(&line, sbuf_bytes(&raw.members));
        json_close(&line);
    }
    sbuf_add_str(&line, "}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
    sbuf_done(&raw.members);
}

static void put_suspect(const struct clue_page *p, size_t i, struct sbuf *out)
{
    const struct clue_suspect *s = &p->suspects[i];
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    begin(&line, p, s->shown ? s->shown->from_ns : 0, "alert");
    (void)json_open(&line, JSON_OBJECT("culprit"));
    json_string(&line, JSON_MEMBER("clue", "kind"), bytes_of("suspect"));
    json_string(&line, JSON_KEY("suspect"), s->name);
    json_number(&line, JSON_KEY("rank"), i + 1);
    json_key(&line, JSON_LITERAL(",\"rules\":["));
    for (unsigned r = 0; r < clue_rule_count; r++)
        if (s->rules & 1u << r)
            json_element(&line, bytes_of(clue_rules[r].name));
    json_close_array(&line);
    if (s->shown) {
        json_bytes(&line, JSON_KEY("place"), s->shown->place);
        json_bytes(&line, JSON_KEY("shown"), s->shown->text);
    }
    sbuf_add_str(&line, "}}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}

static void put_sources(struct sbuf *line, const struct clue_page *p)
{
    static const char *const states[] = { [CLUE_STATE_READ] = "read", [CLUE_STATE_ABSENT] = "absent", [CLUE_STATE_FAILED] = "failed" };

    json_key(line, JSON_LITERAL(",\"sources\":["));
    for (unsigned i = 0; i < clue_source_count; i++) {
        const struct clue_report *r = clues_report(p->clues, i);

        if (r->state == CLUE_STATE_NOT_ASKED)
            continue;
        json_open_element(line);
        json_string(line, JSON_KEY("name"), bytes_of(clue_sources[i].name));
        json_string(line, JSON_KEY("state"), bytes_of(states[r->state]));
        ecs_add_time(line, JSON_KEY("covers_from"), r->cover.from_ns);
        json_bytes(line, JSON_KEY("note"), r->note);
        if (clue_sources[i].privacy)
            json_string(line, JSON_KEY("privacy"), bytes_of(clue_sources[i].privacy));
        if (r->left_out)
            json_number(line, JSON_KEY("left_out"), r->left_out);
        json_close(line);
    }
    json_close_array(line);
}

/* The last line: when, how many, what was looked at. */
static void put_end(const struct clue_page *p, struct sbuf *out)
{
    const struct clue_question *q = clues_question(p->clues);
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    begin(&line, p, q->now_ns, "alert");
    (void)json_open(&line, JSON_OBJECT("culprit"));
    json_string(&line, JSON_MEMBER("clue", "kind"), bytes_of("summary"));
    json_bytes(&line, JSON_KEY("target"), p->target);
    json_number(&line, JSON_KEY("suspects"), p->suspect_count);
    json_flag(&line, JSON_KEY("stopped"), clues_stopped(p->clues));
    json_key(&line, JSON_LITERAL(",\"moments\":["));
    for (size_t i = 0; i < q->span_count; i++) {
        json_open_element(&line);
        ecs_add_time(&line, JSON_KEY("from"), q->spans[i].from_ns);
        ecs_add_time(&line, JSON_KEY("to"), q->spans[i].to_ns);
        json_close(&line);
    }
    json_close_array(&line);
    put_sources(&line, p);
    sbuf_add_str(&line, "}}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}

void clue_page_json(const struct clue_page *p, struct sbuf *out)
{
    size_t count;
    const struct clue_fact *facts = clues_facts(p->clues, &count);

    for (size_t i = 0; i < count; i++)
        put_fact(p, &facts[i], out);
    for (size_t i = 0; i < p->suspect_count; i++)
        put_suspect(p, i, out);
    put_end(p, out);
}
