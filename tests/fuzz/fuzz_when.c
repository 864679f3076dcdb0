/* SPDX-License-Identifier: MIT */
/* The input is a command line of `culprit search`, words separated by newlines. */
#include <stdlib.h>

#include "fuzz.h"
#include "search/options.h"
#include "search/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *argv[128] = { (char *)(uintptr_t)"search" };
    struct search_options options;
    struct search_time when;
    struct err err = ERR_INIT;
    int argc = 1;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    (void)search_time_parse(text, NULL, false, 1795480000, 1000, &when, &err);
    (void)search_time_parse(NULL, text, true, 1795480000, 1000, &when, &err);
    for (char *word = text; word && argc < 127; argc++) {
        char *stop = strchr(word, '\n');

        if (stop)
            *stop++ = '\0';
        argv[argc] = word;
        word = stop;
    }
    if (search_options_parse(argc, argv, 1795480000, 1000, &options, &err) < 0 && !err.text[0])
        abort(); /* a refusal says why */
    free(text);
    return 0;
}
