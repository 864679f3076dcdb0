/* SPDX-License-Identifier: MIT */
/* Methods of the control socket about alerts: why there was one or none, silences, a test of sinks. All fail where alerts are off. */
#pragma once

struct control;
struct control_call;
struct control_client;
struct waiting_call;

/* How an event was judged, by its id or the beginning of it. */
void control_explain(struct control *c, struct control_client *client, const struct control_call *call);

/* The kernel says who asks (daemon/silencing.h). */
void control_silence(struct control *c, struct control_client *client, const struct control_call *call);
void control_end_silence(struct control *c, struct control_client *client, const struct control_call *call);

/* Sends a test, and lets the call wait (PENDING_TEST) until all sinks have taken it or not. */
void control_test_alert(struct control *c, struct control_client *client, const struct control_call *call);
/* Answers such a call and forgets it, if the test is over. */
void control_answer_test(struct control *c, struct waiting_call *p);
