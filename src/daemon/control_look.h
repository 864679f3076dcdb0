/* SPDX-License-Identifier: MIT */
/* Methods of the control socket that say what is: of the socket itself, and of the daemon. All answer at once, whoever asks. */
#pragma once

struct control;
struct control_call;
struct control_client;

/* Varlink's own. */
void control_get_info(struct control *c, struct control_client *client, const struct control_call *call);
void control_get_interface(struct control *c, struct control_client *client, const struct control_call *call);

/* The daemon, as it is now. */
void control_get_status(struct control *c, struct control_client *client, const struct control_call *call);
void control_get_watches(struct control *c, struct control_client *client, const struct control_call *call);
void control_get_metrics(struct control *c, struct control_client *client, const struct control_call *call);
