/* SPDX-License-Identifier: MIT */
/* The control socket: messages, pieces of them, and clients that behave badly. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/base64.h"
#include "control/call.h"
#include "control/client.h"
#include "control/connection.h"
#include "control/interface.h"
#include "control/reply.h"
#include "control/server.h"
#include "util/limits.h"

/* ---- messages ---- */

static const struct call_row {
    const char *name, *text;
    int r;
    const char *method;
    bool more, oneway;
} calls[] = {
    { "a call", "{\"method\":\"org.culprit.Status\"}", 0, "org.culprit.Status", false, false },
    { "with parameters and more", "{\"method\":\"a.B\",\"parameters\":{\"x\":1},\"more\":true}", 0, "a.B", true, false },
    { "oneway", "{\"method\":\"a.B\",\"oneway\":true}", 0, "a.B", false, true },
    { "what it does not know is passed over", "{\"method\":\"a.B\",\"upgrade\":false,\"z\":[]}", 0, "a.B", false, false },
    { "null is nothing", "{\"method\":\"a.B\",\"parameters\":null,\"more\":null}", 0, "a.B", false, false },
    { "no JSON", "method", -EBADMSG, NULL, false, false },
    { "nothing", "", -EBADMSG, NULL, false, false },
    { "half of it", "{\"method\":\"a.B\"", -EBADMSG, NULL, false, false },
    { "more than one", "{\"method\":\"a.B\"}{}", -EBADMSG, NULL, false, false },
    { "no object", "[1]", -EBADMSG, NULL, false, false },
    { "no method", "{\"parameters\":{}}", -EBADMSG, NULL, false, false },
    { "the method is no text", "{\"method\":7}", -EBADMSG, NULL, false, false },
    { "parameters are none", "{\"method\":\"a.B\",\"parameters\":[1]}", -EBADMSG, NULL, false, false },
    { "more is no truth", "{\"method\":\"a.B\",\"more\":\"yes\"}", -EBADMSG, NULL, false, false },
    { "a key twice", "{\"method\":\"a.B\",\"method\":\"a.C\"}", -EBADMSG, NULL, false, false },
    { "a NUL in a text", "{\"method\":\"a\\u0000B\"}", -EBADMSG, NULL, false, false },
    { "no UTF-8", "{\"method\":\"a\xff\"}", -EBADMSG, NULL, false, false },
};

static void parses_call(void **state)
{
    const struct call_row *row = *state;
    struct control_call call = { 0 };
    struct err err = ERR_INIT;

    assert_int_equal(control_call_parse(bytes_of(row->text), &call, &err), row->r);
    assert_int_equal(err.text[0] != '\0', row->r < 0);
    if (row->r < 0)
        return;
    assert_bytes(call.method, row->method);
    assert_int_equal(call.more, row->more);
    assert_int_equal(call.oneway, row->oneway);
    control_call_done(&call);
}

static void nests_without_end(void **state)
{
    struct control_call call;
    char *deep = malloc(LIMIT_CONTROL_CALL);

    (void)state;
    memset(deep, '[', LIMIT_CONTROL_CALL);
    assert_int_equal(control_call_parse((struct bytes){ deep, LIMIT_CONTROL_CALL }, &call, NULL), -EBADMSG);
    free(deep);
}

static void writes_and_reads(void **state)
{
    struct control_reply reply;
    struct sbuf out = SBUF_INIT;

    (void)state;
    control_reply_begin(&out);
    (void)json_string(&out, JSON_KEY("a"), bytes_of("\"\x1b\n"));
    json_number(&out, JSON_KEY("n"), 7);
    control_reply_end(&out, true);
    assert_int_equal(out.data[out.len - 1], '\0');
    assert_int_equal(control_reply_parse((struct bytes){ out.data, out.len - 1 }, &reply, NULL), 0);
    assert_true(reply.continues);
    assert_false(bytes_known(reply.error));
    assert_bytes(control_text(reply.parameters, "a"), "\"\x1b\n");
    assert_int_equal(control_number(reply.parameters, "n"), 7);
    assert_false(bytes_known(control_text(reply.parameters, "n")));
    control_reply_done(&reply);
    sbuf_clear(&out);
    control_error(&out, "a.Failed", "why");
    assert_int_equal(control_reply_parse((struct bytes){ out.data, out.len - 1 }, &reply, NULL), 0);
    assert_bytes(reply.error, "a.Failed");
    assert_bytes(control_error_text(&reply), "why");
    control_reply_done(&reply);
    sbuf_done(&out);
}

static const struct base64_row {
    const char *name, *plain, *coded;
    int r;
} base64_rows[] = {
    { "empty", "", "", 0 },
    { "one", "f", "Zg==", 0 },
    { "two", "fo", "Zm8=", 0 },
    { "three", "foo", "Zm9v", 0 },
    { "six", "foobar", "Zm9vYmFy", 0 },
    { "high bytes", "\xff\xfe\xfd", "//79", 0 },
    { "too short", NULL, "Zg=", -EBADMSG },
    { "another letter", NULL, "Zm9!", -EBADMSG },
    { "padding in the middle", NULL, "Zg==Zm9v", -EBADMSG },
    { "padding first", NULL, "====", -EBADMSG },
};

static void codes_base64(void **state)
{
    const struct base64_row *row = *state;
    struct sbuf out = SBUF_INIT;

    assert_int_equal(base64_read(bytes_of(row->coded), &out), row->r);
    if (row->r == 0) {
        assert_bytes(sbuf_bytes(&out), row->plain);
        sbuf_clear(&out);
        base64_write(&out, bytes_of(row->plain));
        assert_string_equal(sbuf_str(&out), row->coded);
    }
    sbuf_done(&out);
}

static void describes_itself(void **state)
{
    (void)state;
    assert_true(bytes_starts_with(control_interface(bytes_of("org.varlink.service")), bytes_of("interface org.varlink.service\n")));
    assert_non_null(strstr(control_interface(bytes_of("org.culprit")).data, "\ninterface org.culprit\n"));
    assert_false(bytes_known(control_interface(bytes_of("org.nobody"))));
}

/* ---- a connection ---- */

static void takes_pieces(void **state)
{
    struct control_connection c;
    struct bytes text;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    control_connection_init(&c, fds[0], 100);
    assert_int_equal(write(fds[1], "one\0tw", 6), 6);
    assert_int_equal(control_connection_read(&c), 0);
    assert_true(control_connection_next(&c, &text));
    assert_bytes(text, "one");
    assert_false(control_connection_next(&c, &text));
    assert_int_equal(write(fds[1], "o\0\0", 3), 3);
    assert_int_equal(control_connection_read(&c), 0);
    assert_true(control_connection_next(&c, &text));
    assert_bytes(text, "two");
    assert_true(control_connection_next(&c, &text));
    assert_bytes(text, "");
    assert_false(control_connection_next(&c, &text));
    for (int i = 0; i < 3; i++)
        assert_int_equal(write(fds[1], "0123456789012345678901234567890123456789", 40), 40);
    assert_int_equal(control_connection_read(&c), -EMSGSIZE); /* a message that does not end */
    close(fds[1]);
    control_connection_done(&c);
}

/* ---- a server ---- */

static char directory[] = "/tmp/culprit-control-XXXXXX", path[64];
static struct {
    unsigned calls, gone, finishing;
    struct control_client *kept; /* its answer comes later */
} seen;

static void on_call(void *data, struct control_client *client, const struct control_call *call)
{
    (void)data;
    seen.calls++;
    if (bytes_equal_str(call->method, "a.Later")) {
        seen.kept = client;
        return;
    }
    control_reply_begin(control_client_out(client));
    json_number(control_client_out(client), JSON_KEY("call"), seen.calls);
    control_reply_end(control_client_out(client), false);
    control_client_replied(client, true);
}

static void on_finishing(void *data, struct control_client *client)
{
    (void)data, (void)client;
    seen.finishing++;
}

static void on_gone(void *data, struct control_client *client)
{
    (void)data;
    seen.gone++;
    if (seen.kept == client)
        seen.kept = NULL;
}

static struct control_server *serve(void)
{
    struct control_server_options options = { .path = path, .call = on_call, .finishing = on_finishing, .gone = on_gone };
    struct control_server *s;

    memset(&seen, 0, sizeof(seen));
    assert_int_equal(control_server_open(&options, &s, NULL), 0);
    assert_int_equal(control_server_listen(s, NULL), 0);
    return s;
}

static struct control_asker connected(void)
{
    struct control_asker a = CONTROL_ASKER_INIT;

    assert_int_equal(control_connect(path, &a, NULL), 0);
    return a;
}

static void say(struct control_asker *a, const char *bytes, size_t len)
{
    sbuf_add(control_asker_out(a), bytes, len);
    assert_int_equal(control_send(a, 1000, NULL), 0);
}
#define SAY(a, text) say(a, text, sizeof(text))

static void turn(struct control_server *s)
{
    for (int i = 0; i < 20; i++)
        control_server_dispatch(s);
}

static void answers_in_order(void **state)
{
    struct control_server *s = serve();
    struct control_asker a = connected();
    struct control_reply reply;

    (void)state;
    SAY(&a, "{\"method\":\"a.One\"}\0{\"method\":\"a.Later\"}\0{\"method\":\"a.Three\"}");
    turn(s);
    assert_int_equal(seen.calls, 2); /* the third waits for the second one's answer */
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), 0);
    assert_int_equal(control_number(reply.parameters, "call"), 1);
    control_reply_done(&reply);
    assert_int_equal(control_receive_now(&a, &reply, NULL), -EAGAIN);
    control_reply_begin(control_client_out(seen.kept));
    control_reply_end(control_client_out(seen.kept), false);
    control_client_replied(seen.kept, true);
    turn(s);
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), 0);
    control_reply_done(&reply);
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), 0);
    assert_int_equal(control_number(reply.parameters, "call"), 3);
    control_reply_done(&reply);
    SAY(&a, "{\"method\":\"a.B\",\"oneway\":true}\0{\"method\":\"a.B\"}");
    turn(s);
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), 0);
    assert_int_equal(control_number(reply.parameters, "call"), 5); /* the one before has no answer */
    control_reply_done(&reply);
    control_disconnect(&a);
    turn(s);
    assert_int_equal(seen.gone, 1);
    assert_int_equal(control_server_clients(s), 0);
    control_server_close(s);
    assert_int_equal(access(path, F_OK), -1);
}

static void ends_what_is_no_message(void **state)
{
    struct control_server *s = serve();
    struct control_asker a = connected(), b = connected();
    struct control_reply reply;
    char *much = calloc(1, 2 * LIMIT_CONTROL_CALL);
    unsigned long sent = 0;

    (void)state;
    SAY(&a, "hello\0{\"method\":\"a.B\"}");
    turn(s);
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), 0);
    assert_bytes(reply.error, "org.culprit.BadMessage");
    control_reply_done(&reply);
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), -ECONNRESET);
    assert_int_equal(seen.calls, 0); /* nothing that follows a mistake is taken for a message */
    memset(much, 'x', 2 * LIMIT_CONTROL_CALL);
    while (sent < 2 * LIMIT_CONTROL_CALL) {
        ssize_t n = send(b.connection.fd, much, 4096, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0)
            sent += (unsigned long)n;
        turn(s);
        if (control_server_clients(s) == 0)
            break;
    }
    assert_int_equal(control_server_clients(s), 0);
    assert_true(sent <= LIMIT_CONTROL_CALL + 64 * 1024);
    control_disconnect(&a);
    control_disconnect(&b);
    control_server_close(s);
    free(much);
}

static void distinguishes_an_end_from_a_hang_up(void **state)
{
    struct control_server *s = serve();
    struct control_asker a = connected();
    struct control_reply reply;

    (void)state;
    SAY(&a, "{\"method\":\"a.Later\",\"more\":true}");
    turn(s);
    assert_int_equal(shutdown(a.connection.fd, SHUT_WR), 0);
    turn(s);
    assert_int_equal(seen.finishing, 1);
    assert_int_equal(control_server_clients(s), 1); /* it waits for the rest */
    control_reply_begin(control_client_out(seen.kept));
    control_reply_end(control_client_out(seen.kept), false);
    control_client_replied(seen.kept, true);
    turn(s);
    assert_int_equal(control_receive(&a, 1000, &reply, NULL), 0);
    assert_false(reply.continues);
    control_reply_done(&reply);
    turn(s);
    assert_int_equal(control_server_clients(s), 0);
    control_disconnect(&a);
    a = connected();
    SAY(&a, "{\"method\":\"a.Later\"}");
    turn(s);
    control_disconnect(&a); /* gone, in both directions */
    turn(s);
    assert_int_equal(control_server_clients(s), 0);
    assert_int_equal(seen.finishing, 1);
    control_server_close(s);
}

static void bounds_who_does_not_read(void **state)
{
    struct control_server *s = serve();
    struct control_asker slow = connected(), other = connected();
    struct control_reply reply;
    size_t written = 0;

    (void)state;
    SAY(&slow, "{\"method\":\"a.Later\",\"more\":true}");
    turn(s);
    while (control_client_has_room(seen.kept) && written < 64u * 1024 * 1024) {
        sbuf_fill(control_client_out(seen.kept), 'x', 64 * 1024);
        written += 64 * 1024;
        turn(s);
    }
    assert_true(written >= LIMIT_CONTROL_OUT && written < LIMIT_CONTROL_OUT + 1024 * 1024);
    SAY(&other, "{\"method\":\"a.B\"}");
    turn(s);
    assert_int_equal(control_receive(&other, 1000, &reply, NULL), 0); /* nobody else waits */
    control_reply_done(&reply);
    control_disconnect(&slow);
    control_disconnect(&other);
    control_server_close(s);
}

static void has_an_end(void **state)
{
    struct control_server *s = serve();
    struct control_asker many[LIMIT_CONTROL_CLIENTS + 1];
    struct control_reply reply;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
        many[i] = connected();
        turn(s);
    }
    assert_true(control_server_clients(s) <= LIMIT_CONTROL_CLIENTS);
    assert_int_equal(control_receive(&many[LIMIT_CONTROL_CLIENTS], 1000, &reply, NULL), 0);
    assert_bytes(reply.error, "org.culprit.Busy");
    control_reply_done(&reply);
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        control_disconnect(&many[i]);
    turn(s);
    assert_int_equal(control_server_clients(s), 0);
    control_server_close(s);
}

static void replaces_a_dead_one(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    struct control_asker a = CONTROL_ASKER_INIT;
    struct control_server *s;
    struct stat st;
    FILE *f;

    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
    close(dead);
    assert_int_equal(control_connect(path, &a, NULL), -ECONNREFUSED);
    s = serve();
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0660, 0); /* nobody else may connect */
    a = connected();
    control_disconnect(&a);
    assert_int_equal(unlink(path), 0); /* somebody else has the place now: it is not ours to take away */
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    control_server_close(s);
    assert_int_equal(access(path, F_OK), 0);
    {
        struct control_server_options options = { .path = path, .call = on_call, .finishing = on_finishing, .gone = on_gone };

        assert_int_equal(control_server_open(&options, &s, NULL), -EEXIST); /* a file is no socket, and stays */
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(control_connect(path, &a, NULL), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests_without_end),
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(describes_itself),
        cmocka_unit_test(takes_pieces),
        cmocka_unit_test(answers_in_order),
        cmocka_unit_test(ends_what_is_no_message),
        cmocka_unit_test(distinguishes_an_end_from_a_hang_up),
        cmocka_unit_test(bounds_who_does_not_read),
        cmocka_unit_test(has_an_end),
        cmocka_unit_test(replaces_a_dead_one),
    };
    int failed;

    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof(path), "%s/control", directory);
    failed = RUN_ROWS(calls, parses_call) + RUN_ROWS(base64_rows, codes_base64) + cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(directory);
    return failed;
}
