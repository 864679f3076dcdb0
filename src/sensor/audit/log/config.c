/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"
#include "util/parse.h"

#define END_OF_EVENT_DEFAULT 2 /* seconds: EOE_TIMEOUT of audit-userspace, auditd.conf(5) */

void audit_log_config_done(struct audit_log_config *config)
{
    free(config->log_file);
    config->log_file = NULL;
}

/* "key = value" in place; false: a comment or an empty line. */
static bool split(char *line, char **ret_key, char **ret_value)
{
    char *key = line + strspn(line, " \t"), *value, *end;

    if (*key == '#' || *key == '\n' || *key == '\0')
        return false;
    value = strchr(key, '=');
    if (!value)
        return false;
    end = value;
    while (end > key && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    value++;
    value += strspn(value, " \t");
    end = value + strlen(value);
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    *ret_key = key;
    *ret_value = value;
    return true;
}

int audit_log_config_read(const char *path, struct audit_log_config *ret, struct err *err)
{
    struct audit_log_config config = { .end_of_event_s = END_OF_EVENT_DEFAULT };
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    _cleanup_free_ char *line = NULL, *log_file = NULL;
    size_t size = 0;
    int r = f ? 0 : -errno;

    if (!f && r != -ENOENT)
        return err_set(err, r, "%s", path);
    for (unsigned number = 1; f && getline(&line, &size, f) >= 0; number++) {
        char *key, *value;

        if (!split(line, &key, &value))
            continue;
        if (strcasecmp(key, "log_file") == 0) {
            if (value[0] != '/')
                return err_say(err, -EINVAL, "%s:%u: log_file must be an absolute path", path, number);
            free(log_file);
            log_file = strdup(value);
            if (!log_file)
                return -ENOMEM;
        } else if (strcasecmp(key, "end_of_event_timeout") == 0) {
            if (parse_u32(bytes_of(value), 10, &config.end_of_event_s) < 0)
                return err_say(err, -EINVAL, "%s:%u: end_of_event_timeout must be a number of seconds", path, number);
        }
    }
    config.log_file = log_file ? TAKE_PTR(log_file) : strdup(AUDIT_LOG_DEFAULT_PATH);
    if (!config.log_file)
        return -ENOMEM;
    *ret = config;
    return r;
}
