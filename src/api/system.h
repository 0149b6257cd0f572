/* What operators and their machines ask of the process: alive, ready, and how it does.
 * Owner: handlers; see call.h. On HTTP threads.
 * /healthz is about the process, /readyz about the database too, /metrics is Prometheus text.
 * Never tells anything of an organization.
 * Next: docs/operate.md. */
#ifndef INNKEEPER_API_SYSTEM_H
#define INNKEEPER_API_SYSTEM_H

#include "api/call.h"

enum err system_health(struct call *call);
enum err system_ready(struct call *call);
enum err system_metrics(struct call *call);

#endif
