/* SPDX-License-Identifier: MIT */
#include "cause/ansible.h"

#include "cause/argv.h"
#include "cause/table.h"

/* Options of ansible and ansible-playbook that have a value, which may end in ".yml" as well. */
static bool has_value(struct bytes option)
{
    return word_in("-i --inventory --inventory-file -l --limit -e --extra-vars -t --tags --skip-tags --start-at-task -f --forks "
                   "-u --user -c --connection -T --timeout -M --module-path --private-key --key-file --ssh-common-args "
                   "--sftp-extra-args --scp-extra-args --ssh-extra-args --vault-id --vault-password-file --vault-pass-file "
                   "--become-method --become-user --become-password-file --connection-password-file -m --module-name "
                   "-B --background -P --poll --playbook-dir --task-timeout -d --directory -U --url -C --checkout ",
                   option);
}

static bool is_playbook(struct bytes word)
{
    return bytes_ends_with(word, bytes_of(".yml")) || bytes_ends_with(word, bytes_of(".yaml"));
}

static struct bytes module_arguments(struct argv a)
{
    static const char with[] = "--args=";
    struct bytes word;

    while (argv_next(&a, &word))
        if (bytes_equal_str(word, "-a") || bytes_equal_str(word, "--args"))
            return argv_next(&a, &word) ? word : BYTES_NULL;
        else if (bytes_starts_with(word, bytes_of(with)))
            return (struct bytes){ word.data + sizeof(with) - 1, word.len - sizeof(with) + 1 };
        else if (has_value(word))
            (void)argv_next(&a, &word);
    return BYTES_NULL;
}

static struct bytes playbook(struct argv a)
{
    struct bytes word, found = BYTES_NULL;

    while (argv_next(&a, &word)) {
        if (has_value(word)) {
            (void)argv_next(&a, &word);
        } else if (word.len && word.data[0] != '-' && is_playbook(word)) {
            if (found.len)
                return BYTES_NULL;
            found = word;
        }
    }
    return found;
}

struct bytes ansible_task(const struct process *p)
{
    struct argv a = argv_of(p->args);

    if (bytes_equal_str(bytes_basename(p->script.len ? p->script : p->executable), "ansible"))
        return module_arguments(a);
    return playbook(a);
}

struct bytes ansible_command(const struct chain *c, unsigned at)
{
    if (c->link[at]->run.kind != RUN_ANSIBLE || !bytes_equal_str(c->link[at]->run.name, "command"))
        return BYTES_NULL;
    for (unsigned i = at; i-- > 0;) {
        const struct process *p = c->process[i];

        if (p->pid == c->process[at]->pid || bytes_equal(p->args, c->process[at]->args))
            continue; /* its own child, before it executes the command */
        return c->link[i]->run.kind == RUN_TEXT ? c->link[i]->run.text : p->args;
    }
    return BYTES_NULL;
}
