/* SPDX-License-Identifier: MIT */
/* What manifests say of a place, and what is not concluded from what was not understood. */
#include "test.h"

#include <stdlib.h>

#include "clues/manifest.h"
#include "clues/yaml_lines.h"

#define CREATED 100
#define STARTED 200

/* ---- YAML ---- */

static void add_node(void *data, const struct yaml_node *n)
{
    struct sbuf *s = data;

    for (size_t i = 0; i < n->depth; i++)
        if (n->levels[i].item) {
            sbuf_addf(s, "/%u", n->levels[i].item);
        } else {
            sbuf_add_char(s, '/');
            sbuf_add_bytes(s, n->levels[i].key);
        }
    if (!n->depth && !n->unclear)
        sbuf_add_str(s, "---");
    if (n->value.data) {
        sbuf_add_char(s, '=');
        sbuf_add_bytes(s, n->value);
    }
    sbuf_add_str(s, n->unclear ? "?" : "");
    sbuf_add_char(s, ' ');
}

static const struct yaml_row {
    const char *name, *text, *nodes; /* '?': not understood */
} yamls[] = {
    { "keys", "a:\n  b: c\n  d: e f\ng: h\n", "/a /a/b=c /a/d=e f /g=h " },
    { "comments and empty lines", "# x\na: b # c\n\nc: d#e\n", "/a=b /c=d#e " },
    { "quotations", "a: \"b: #c\"\n'd e': 'f'\n", "/a=b: #c /d e=f " },
    { "a sequence", "a:\n  - b\n  - c\nd: e\n", "/a /a/1=b /a/2=c /d=e " },
    { "a sequence that is not indented", "a:\n- b\n- c\nd: e\n", "/a /a/1=b /a/2=c /d=e " },
    { "a sequence of mappings", "a:\n- b: c\n  d: e\n- f: g\n", "/a /a/1/b=c /a/1/d=e /a/2/f=g " },
    { "a sequence in another", "a:\n - - b\n   - c\n - d\n", "/a /a/1/1=b /a/1/2=c /a/2=d " },
    { "dashes alone", "a:\n  -\n    b: c\n  -\n    b: d\n", "/a /a/1 /a/1/b=c /a/2 /a/2/b=d " },
    { "in brackets", "a: [b, \"c,d\" , e]\nf: {}\ng: { h: i, j: 'k' }\n", "/a /a/1=b /a/2=c,d /a/3=e /f /g /g/h=i /g/j=k " },
    { "a text of several lines", "a: |\n  b: c\n\n  - d\ne: f\n", "/a /e=f " },
    { "a colon in a value", "a:\n- d:e\nb: b:c\n", "/a /a/1=d:e /b=b:c " },
    { "documents", "a: b\n---\nc: d\n", "/a=b --- /c=d " },
    { "CRLF", "a: b\r\nc:\r\n  - d\r\n", "/a=b /c /c/1=d " },
    { "anchors, aliases, tags", "a: &x\nb: *x\nc: !t d\n<<: *x\n", "/a? /b? /c? /<<? " },
    { "brackets over lines", "a: [b,\n  c]\n", "/a? /a? " },
    { "brackets in brackets", "a: {b: [c]}\n", "/a? " },
    { "escapes", "a: \"b\\n\"\nc: 'd''e'\n", "/a? /c? " },
    { "a tab", "a:\n\tb: c\n", "/a /a? " },
    { "a value that goes on", "a: b\n  c\n", "/a=b /a? " },
    { "nothing", "", "" },
    { "JSON", "{\"a\": {\"b\": 1}}\n", "? " },
};

static void test_yaml(void **state)
{
    const struct yaml_row *row = *state;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    yaml_read(bytes_of(row->text), add_node, &s);
    assert_string_equal(sbuf_str(&s), row->nodes);
}

static void count_unclear(void *data, const struct yaml_node *n)
{
    *(unsigned *)data += n->unclear != NULL;
    assert_true(n->depth <= YAML_DEPTH);
}

static void test_deep(void **state)
{
    char text[4096];
    unsigned unclear = 0;

    (void)state;
    memset(text, '-', sizeof(text));
    for (size_t i = 1; i < sizeof(text); i += 2)
        text[i] = ' ';
    yaml_read((struct bytes){ text, sizeof(text) }, count_unclear, &unclear);
    assert_true(unclear > 0);
}

/* ---- the one fact ---- */

/* As text, a blank, the marks, a blank, the suspect; "" = none. The note instead, in brackets. */
static void show(const struct sbuf *answer, struct sbuf *out, struct clue_fact *ret)
{
    struct bytes rest = sbuf_bytes(answer);
    struct clue_span cover;
    unsigned facts = 0;
    struct clue_fact f;
    int part;

    while ((part = clue_take(&rest, &f, &cover)) > 0) {
        if (part == CLUE_PART_FACT) {
            assert_int_equal(f.kind, CLUE_RULE);
            assert_int_equal(facts++, 0);
            *ret = f;
        }
        if (part == CLUE_PART_NOTE)
            sbuf_add_char(out, '(');
        sbuf_add_bytes(out, f.text);
        if (part == CLUE_PART_NOTE)
            sbuf_add_char(out, ')');
    }
    assert_int_equal(part, CLUE_PART_END);
}

#define HEAD "services:\n  db:\n    tmpfs: /prd\n  web:\n    image: x\n"
#define LAYER "service web: /prd/x lies in the container's writable layer: what was written there is gone whenever the container is made anew"

static const struct manifest_row {
    const char *name, *text, *over; /* over: a second file; or NULL */
    const char *says, *place, *suspect;
    unsigned marks;
    uint64_t from_ns;
    bool is_mounted; /* as the engine has it */
} composes[] = {
    { "the writable layer", HEAD, NULL, LAYER, "/c/compose.yaml:4", "the making anew of container web-1",
      CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_RECREATES, CREATED },
    { "the engine has something there", HEAD, NULL, "", NULL, NULL, 0, 0, true },
    { "a read-only root", HEAD "    read_only: true\n", NULL,
      "service web: /prd/x lies in a root that is read-only for the container: its own processes cannot change it", "/c/compose.yaml:4", "",
      CLUE_NAMES_PATH, 0 },
    { "a tmpfs", HEAD "    tmpfs: /prd\n", NULL, "service web: /prd lies in a tmpfs: it is empty whenever the container starts", "/c/compose.yaml:6",
      "the start with an empty tmpfs of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, STARTED },
    { "a list of them", HEAD "    tmpfs:\n      - /run\n      - /prd/x/:size=1m\n", NULL,
      "service web: /prd/x lies in a tmpfs: it is empty whenever the container starts", "/c/compose.yaml:8",
      "the start with an empty tmpfs of container web-1", CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_RECREATES, STARTED },
    { "a volume", HEAD "    volumes:\n      - data:/prd:ro\n", NULL,
      "service web: /prd lies in volume data, which outlives the container; `down -v` removes it; read-only for the container", "/c/compose.yaml:7",
      "", CLUE_NAMES_ABOVE, 0, true },
    { "a nameless one", HEAD "    volumes: [ /prd ]\n", NULL,
      "service web: /prd lies in a volume without a name: after `down` the container gets another one", "/c/compose.yaml:6",
      "the making anew of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, CREATED, true },
    { "a directory of the host", HEAD "    volumes:\n    - ./data:/prd\n", NULL, "service web: /prd is ./data of the host: what changes that changes this",
      "/c/compose.yaml:7", "", CLUE_NAMES_ABOVE, 0, true },
    { "the long form", HEAD "    volumes:\n      - type: tmpfs\n        target: /prd\n", NULL,
      "service web: /prd lies in a tmpfs: it is empty whenever the container starts", "/c/compose.yaml:7",
      "the start with an empty tmpfs of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, STARTED, true },
    { "the long form, a part", HEAD "    volumes:\n      - type: volume\n        source: data\n        target: /prd\n        volume:\n          subpath: a/b\n",
      NULL,
      "service web: /prd lies in volume data, which outlives the container; `down -v` removes it; of it the part a/b, as that was when the container "
      "started: one that took its place since is not seen here",
      "/c/compose.yaml:7", "", CLUE_NAMES_ABOVE, 0, true },
    { "the innermost", HEAD "    volumes:\n      - data:/\n      - ./x:/prd/x\n      - more:/prd\n", NULL,
      "service web: /prd/x is ./x of the host: what changes that changes this", "/c/compose.yaml:8", "", CLUE_NAMES_PATH, 0, true },
    { "a second file is on top", HEAD "    volumes:\n      - data:/prd\n", "services:\n  web:\n    tmpfs: /prd\n",
      "service web: /prd lies in a tmpfs: it is empty whenever the container starts", "/c/override.yaml:3",
      "the start with an empty tmpfs of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, STARTED, true },
    { "below it is not it", HEAD "    tmpfs: /prd/x/y\n", NULL, LAYER, "/c/compose.yaml:4", "the making anew of container web-1",
      CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_RECREATES, CREATED },
    { "another service", "services:\n  web2:\n    tmpfs: /prd\n", NULL, "", NULL, NULL, 0, 0 },
    { "no services", "web:\n  tmpfs: /prd\n", NULL, "", NULL, NULL, 0, 0 },
    { "a merge may have volumes", HEAD "    <<: *base\n", NULL, "(/c/compose.yaml:6 is not understood: a merge)", NULL, NULL, 0, 0 },
    { "so may another service", HEAD "    extends:\n      service: db\n", NULL, "(/c/compose.yaml:6 is not understood: it extends another service)", NULL,
      NULL, 0, 0 },
    { "a variable may be anything", HEAD "    volumes:\n      - $X:/prd\n", NULL, "(/c/compose.yaml:7 is not understood: a variable)", NULL, NULL, 0, 0 },
    { "what another service has is its own", HEAD "  more: &m\n    image: *i\n", NULL, LAYER, "/c/compose.yaml:4", "the making anew of container web-1",
      CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_RECREATES, CREATED },
    { "an anchor, and what is said all the same", HEAD "    environment: &e\n    tmpfs: /prd\n", NULL,
      "(/c/compose.yaml:6 is not understood: an anchor)service web: /prd lies in a tmpfs: it is empty whenever the container starts",
      "/c/compose.yaml:7", "the start with an empty tmpfs of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, STARTED },
};

static struct clue_question question_of(const char *path)
{
    return (struct clue_question){ .path = bytes_of(path) };
}

static struct manifest_container container_of(const struct manifest_row *row)
{
    return (struct manifest_container){ .name = bytes_of("web-1"), .service = bytes_of("web"), .pod = bytes_of("web-node7"), .pod_container = bytes_of("app"),
                                        .created_ns = CREATED, .started_ns = STARTED, .is_layer = !row->is_mounted };
}

static void check(const struct manifest_row *row, const struct sbuf *answer)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct clue_fact f = { 0 };

    show(answer, &text, &f);
    assert_string_equal(sbuf_str(&text), row->says);
    if (!row->place)
        return;
    assert_bytes(f.place, row->place);
    assert_bytes(f.suspect, row->suspect);
    assert_int_equal(f.marks, row->marks);
    assert_int_equal(f.from_ns, row->from_ns);
}

static void test_compose(void **state)
{
    const struct manifest_row *row = *state;
    const struct bytes names[] = { bytes_of("/c/compose.yaml"), bytes_of("/c/override.yaml") };
    const struct bytes texts[] = { bytes_of(row->text), bytes_of(row->over) };
    struct manifest_container c = container_of(row);
    struct clue_question q = question_of("/prd/x");
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;

    manifest_compose(&answer, &q, &c, names, texts, row->over ? 2 : 1);
    check(row, &answer);
}

/* ---- pods ---- */

#define POD(volume) \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: other\n    volumeMounts:\n    - mountPath: /prd\n      name: o\n" \
    "  - image: x\n    volumeMounts:\n    - name: v\n      mountPath: /prd\n    name: app\n  volumes:\n  - name: o\n    hostPath: { path: /o }\n  - name: v\n    " volume "\n"

static const struct manifest_row pods[] = {
    { "emptyDir", POD("emptyDir: {}"), NULL, "pod web: /prd lies in emptyDir v: it is gone with the pod, and outlives its containers", "/p/web.yaml:13",
      "the removal of the pod of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, 0, true },
    { "hostPath", POD("hostPath:\n      path: /srv/v"), NULL, "pod web: /prd is /srv/v of the host: what changes that changes this", "/p/web.yaml:13", "",
      CLUE_NAMES_ABOVE, 0, true },
    { "configMap", POD("configMap:\n      name: c"), NULL,
      "pod web: /prd is written by kubelet (v: configMap, secret or the like), anew whenever that is changed", "/p/web.yaml:13", "", CLUE_NAMES_ABOVE, 0,
      true },
    { "a claim", POD("persistentVolumeClaim: { claimName: c }"), NULL, "pod web: /prd lies in volume v, which outlives the pod", "/p/web.yaml:13", "",
      CLUE_NAMES_ABOVE, 0, true },
    { "another pod", "metadata:\n  name: we\nspec:\n  containers:\n  - name: app\n", NULL, "", NULL, NULL, 0, 0 },
    { "the writable layer", "metadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    volumeMounts:\n    - mountPath: /prd/x/y\n      name: v\n", NULL,
      "pod web: /prd/x lies in the container's writable layer: what was written there is gone whenever the container is made anew", "/p/web.yaml:5",
      "the making anew of container web-1", CLUE_NAMES_PATH | CLUE_REMOVES | CLUE_RECREATES, CREATED },
    { "a part, of the second document", "kind: Service\nmetadata:\n  name: web\n---\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    "
      "volumeMounts:\n    - mountPath: /prd\n      name: v\n      subPath: a\n      readOnly: true\n  volumes:\n  - name: v\n    emptyDir:\n      medium: Memory\n",
      NULL,
      "pod web: /prd lies in emptyDir v: it is gone with the pod, and outlives its containers; read-only for the container; of it the part a, as that was "
      "when the container started: one that took its place since is not seen here",
      "/p/web.yaml:12", "the removal of the pod of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, 0, true },
    { "of a template", "metadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        volumeMounts:\n"
      "        - {name: v, mountPath: /prd}\n      volumes:\n      - name: v\n        emptyDir: {}\n",
      NULL, "pod web: /prd lies in emptyDir v: it is gone with the pod, and outlives its containers", "/p/web.yaml:9",
      "the removal of the pod of container web-1", CLUE_NAMES_ABOVE | CLUE_REMOVES | CLUE_RECREATES, 0, true },
    { "a read-only root", "metadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    securityContext:\n      readOnlyRootFilesystem: true\n", NULL,
      "pod web: /prd/x lies in a root that is read-only for the container: its own processes cannot change it", "/p/web.yaml:5", "", CLUE_NAMES_PATH, 0 },
    { "an alias may have mounts", "metadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    volumeMounts: *m\n", NULL,
      "(/p/web.yaml:6 is not understood: an alias)", NULL, NULL, 0, 0 },
};

static void test_pod(void **state)
{
    const struct manifest_row *row = *state;
    struct manifest_container c = container_of(row);
    struct clue_question q = question_of("/prd/x");
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;

    manifest_pods(&answer, &q, &c, bytes_of("/p/web.yaml"), bytes_of(row->text));
    check(row, &answer);
}

/* A path of the host: which pods have it. */
static void test_host_path(void **state)
{
    static const struct manifest_row row = { .says = "pod web has /o of the host: what its containers change there is changed here",
                                             .place = "/p/web.yaml:18", .suspect = "", .marks = CLUE_NAMES_ABOVE };
    struct manifest_container none = { 0 };
    struct clue_question q = question_of("/o/x");
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT, other = SBUF_INIT;

    (void)state;
    manifest_pods(&answer, &q, &none, bytes_of("/p/web.yaml"), bytes_of(POD("emptyDir: {}")));
    check(&row, &answer);
    q = question_of("/other");
    manifest_pods(&other, &q, &none, bytes_of("/p/web.yaml"), bytes_of(POD("emptyDir: {}")));
    assert_int_equal(other.len, 0);
}

static void test_container_as_bytes(void **state)
{
    const struct manifest_row row = { 0 };
    struct manifest_container c = container_of(&row), got;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    c.files = bytes_of("/a,b");
    manifest_container_put(&s, &c);
    assert_int_equal(manifest_container_get(sbuf_bytes(&s), &got), 0);
    assert_bytes(got.files, "/a,b");
    assert_int_equal(got.started_ns, STARTED);
    assert_true(got.is_layer);
    for (size_t len = 0; len < s.len; len++)
        assert_true(manifest_container_get((struct bytes){ s.data, len }, &got) < 0);
}

int main(void)
{
    static struct CMUnitTest tests[80];
    size_t n = 0;

#define ADD_ROWS(rows, function) \
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) \
    tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = function, .initial_state = (void *)(uintptr_t)&rows[i] }
    ADD_ROWS(yamls, test_yaml);
    ADD_ROWS(composes, test_compose);
    ADD_ROWS(pods, test_pod);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_deep);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_host_path);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_container_as_bytes);
    return _cmocka_run_group_tests("clues_manifests", tests, n, NULL, NULL);
}
