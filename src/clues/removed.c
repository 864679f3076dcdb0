/* SPDX-License-Identifier: MIT */
#include "clues/removed.h"

#include <errno.h>

#include "engine/engine.h"
#include "engine/json.h"
#include "util/cleanup.h"

void removed_event(struct bytes line, bool volume, struct bytes name, struct arena *arena, struct removed_thing *ret)
{
    _cleanup_json_ json_t *root = json_read(line, "the engine's answer", NULL);
    const json_t *actor = root ? json_object_get(root, "Actor") : NULL, *attributes = actor ? json_object_get(actor, "Attributes") : NULL;
    uint64_t ns = root ? json_number_at(root, "timeNano", INT64_MAX) : 0;
    struct bytes id = actor ? json_text_at(actor, "ID") : BYTES_NULL, called = volume || !attributes ? id : json_text_at(attributes, "name");
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes image;

    if (ns <= ret->ns || !bytes_equal_str(json_text_at(root, "Action"), "destroy") || !id.len ||
        !bytes_equal_str(json_text_at(root, "Type"), volume ? "volume" : "container") ||
        !(bytes_equal(called, name) || (!volume && name.len >= 12 && bytes_starts_with(id, name))))
        return;
    sbuf_add_str(&text, volume ? "volume " : "container ");
    sbuf_add_bytes(&text, bytes_cut(called, 100));
    image = attributes && !volume ? json_text_at(attributes, "image") : BYTES_NULL;
    if (image.len) {
        sbuf_add_str(&text, " (");
        sbuf_add_bytes(&text, bytes_cut(image, 100));
        sbuf_add_char(&text, ')');
    }
    sbuf_add_str(&text, volume ? " was removed, with all that was in it"
                               : " was removed: what it had in its writable layer is gone with it; volumes that have a name outlive it");
    ret->ns = ns;
    ret->text = arena_copy(arena, sbuf_bytes(&text));
}

int removed_find(struct engines *engines, struct bytes runtime, bool volume, struct bytes name, struct arena *arena, struct removed_thing *ret)
{
    _cleanup_sbuf_ struct sbuf word = SBUF_INIT, lines = SBUF_INIT;
    struct container asked = { .runtime = runtime.len ? runtime : bytes_of("docker") };

    if (!name.len)
        return -ENOENT;
    sbuf_add_str(&word, volume ? ENGINE_VOLUME : "");
    sbuf_add_bytes(&word, name);
    asked.id = sbuf_bytes(&word);
    *ret = (struct removed_thing){ .ns = 0 };
    if (engines_recent(engines, &asked, &lines, NULL) < 0)
        return -ENOENT;
    for (struct bytes rest = sbuf_bytes(&lines); rest.len;)
        removed_event(bytes_next_line(&rest), volume, name, arena, ret);
    return ret->ns ? 0 : -ENOENT;
}
