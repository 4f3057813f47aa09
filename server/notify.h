/*
 * notify.h - tells a service manager how we are (systemd's notification protocol,
 * sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names).
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdint.h>

/* Nothing happens without NOTIFY_SOCKET; that it failed, the log tells: a manager that
 * hears nothing ends us in a while. state: "READY=1", "STOPPING=1" … */
void notify(const char *state);

/* STOPPING=1; within_ms above 0: and that it may take so long, more than the unit's
 * TimeoutStopSec= may be. */
void notify_stopping(uint64_t within_ms);

/* RELOADING=1 with the monotonic time that Type=notify-reload wants. */
void notify_reloading(void);

#endif
