/* SPDX-License-Identifier: MIT */
/*
 * From facts to suspects: a table of rules, each with its reason in words. What a rule gives or takes is only for the order: ranks come
 * out, no numbers. Nobody is named for being there: what does not come to CLUE_LISTED is left out. Pure.
 */
#pragma once

#include "clues/fact.h"

#define CLUE_LISTED 3
#define CLUE_SUSPECTS_MAX 256

struct clue_suspect {
    struct bytes name;
    int weight;
    unsigned rules;                /* bit = index into clue_rules */
    const struct clue_fact *shown; /* the fact that says most */
    int shown_weight;
    uint64_t distance_ns;          /* of its nearest time from the moment; UINT64_MAX: it has none */
};

/* What is known beside the single fact. */
struct clue_circumstances {
    const struct clue_question *question;
    const struct clue_fact *facts;
    size_t count;
    bool missing, changed;  /* something is */
    bool there;             /* the target itself is there */
    bool jobs_are_logged;   /* a log that covers the first moment has jobs of cron */
    bool many_began;        /* so many units did within seconds that none is suspected for that */
    uint64_t last_seen_ns;  /* when what is asked for was seen for the last time; 0: nobody says */
};

struct clue_rule {
    const char *name;   /* in JSON */
    int weight;
    const char *reason; /* behind the suspect: "it ran then ..." */
    bool (*applies)(const struct clue_circumstances *c, const struct clue_fact *f);
};

extern const struct clue_rule clue_rules[];
extern const unsigned clue_rule_count;

/* *ret borrows the question and the facts. */
void clue_circumstances_find(const struct clue_question *q, const struct clue_fact *facts, size_t count, struct clue_circumstances *ret);

/* One name for what goes by several; else the same. */
struct bytes clue_name_of(struct bytes suspect);

/* The rules that apply to one fact: bits as in a suspect. */
unsigned clue_rules_of(const struct clue_circumstances *c, const struct clue_fact *f);

/* The listed suspects, the first one first; how many. `ret` has room for CLUE_SUSPECTS_MAX. */
size_t clues_judge(const struct clue_circumstances *c, struct clue_suspect *ret);
