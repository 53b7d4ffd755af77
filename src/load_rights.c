/* load_rights.c: what mailtap load gives up before it talks to anybody.
 * In: settings. Out: a process that writes one folder, or two, and connects to the servers of two URLs. Owns:
 * nothing. Knowingly: as in carrier_rights.c; brokers of Kafka name others, so with these it may go to any
 * port. */
#include "load_rights.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <unistd.h>
#include "carrier_rights.h"
#include "confine.h"

enum { AGAIN = 3, WRITES = 2 };

/* They are renewed while we run. */
static size_t list_files(const struct load_settings *load, const char *ret[static AGAIN])
{
    size_t count = 0;
    const struct carrier_settings *from = &load->from.link;
    if (from->ca_file)
        ret[count++] = from->ca_file;
    if (load->into.ca_file)
        ret[count++] = load->into.ca_file;
    if (from->password_file && load->source->rereads && access(from->password_file, R_OK) == 0)
        ret[count++] = from->password_file;
    return count;
}

int load_rights_drop(const struct load_settings *load, const struct load_rights *rights, struct error *reterr)
{
    const char *again[AGAIN], *writes[WRITES] = {load->into.outbox};
    char state[PATH_MAX];
    size_t count = list_files(load, again), write_count = 1;
    struct carrier_target target = {.count = 0};
    struct confine_report report;
    carrier_target_add(&target, load->from.link.url, load->source->port);
    carrier_target_add(&target, load->into.url, load->carrier->port);
    if (rights->state && *rights->state) {
        snprintf(state, sizeof state, "%s", rights->state);
        writes[write_count++] = dirname(state);
    }
    const struct confine_settings to = {.user = rights->user,
                                        .reread_files = again,
                                        .reread_count = count,
                                        .write_paths = writes,
                                        .write_count = write_count,
                                        .children = &rights->courier,
                                        .child_count = rights->courier > 0,
                                        .refusals_to = -1,
                                        .connects = true,
                                        .ports = target.ports,
                                        .port_count = target.any ? 0 : target.count,
                                        .resolves = target.named};
    int err = confine(&to, &report, reterr);
    if (err)
        return err;
    confine_show(&report);
    err = access(load->into.outbox, R_OK | W_OK | X_OK) == 0 ? 0 : -errno;
    return err ? error_set(reterr, err, "%.300s: %s; it is written by user %s", load->into.outbox,
                           strerror(-err), *rights->user ? rights->user : "who started mailtap")
               : 0;
}
