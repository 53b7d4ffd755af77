/* report.c: counts of all stages in one table.
 * In: what each stage has counted. Out: struct stats, a line on standard error. Owns: nothing. */
#include "report.h"

#include <stdio.h>

void report_add_source(struct stats *ret, const struct source_stats *s)
{
    ret->packets += s->packets;
    ret->bytes += s->bytes;
    ret->cut_packets += s->cut_packets;
    ret->skipped_blocks += s->skipped_blocks;
}

void report_add_decoder(struct stats *ret, const struct decode_stats *s)
{
    ret->not_tcp += s->other - s->too_deep;
    ret->too_deep += s->too_deep;
    ret->cut_headers += s->cut;
    ret->broken += s->broken;
    ret->bad_checksums += s->checksum;
    ret->fragments_lost += s->fragments_expired + s->fragments_shed;
}

static void add_scripts(struct stats *ret, const struct script_counts *s)
{
    ret->script_errors += s->errors;
    ret->script_stops += s->stopped;
    ret->script_deaf += s->deaf;
    ret->script_counters_shed += s->counters_shed;
}

void report_add_pipeline(struct stats *ret, const struct pipeline_stats *s)
{
    ret->sessions += s->sessions;
    ret->mails += s->mails;
    ret->sessions_ended += s->ended;
    ret->one_sided += s->one_sided;
    ret->truncated += s->truncated;
    ret->patterns_stopped += s->lists.limits;
    ret->replies_cut += s->lists.cut;
    add_scripts(ret, &s->scripts);
    ret->flows += s->flow.flows;
    ret->stream_bytes += s->flow.passed_bytes;
    ret->gaps += s->flow.gaps;
    ret->gap_bytes += s->flow.gap_bytes;
    ret->forged += s->flow.forged;
    ret->unchecked += s->flow.unchecked;
    ret->holes_given_up += s->flow.over_budget;
    ret->shed += s->flow.shed;
    ret->shed_silent += s->flow.shed_silent;
    ret->flows_now += s->flow.live;
    ret->sessions_now += s->flow.opened;
    ret->held_bytes += s->flow.held_bytes;
}

void report_add_back(struct stats *ret, const struct back_counts *s)
{
    ret->notices += s->notices;
    ret->notices_folded += s->folded;
    ret->notices_dropped += s->dropped;
    ret->notices_own += s->own;
    ret->notices_early += s->shed;
    add_scripts(ret, &s->scripts);
    ret->files_extracted += s->files.written;
    ret->files_over += s->files.over;
    ret->files_failed += s->files.failed;
    ret->lookups_failed += s->lookups_failed;
}

void report_print(const char *who, const struct stats *s, double seconds)
{
    fprintf(stderr, "mailtap: %s%llu packets, %llu bytes, %llu sessions, %llu mails in %.2f s", who,
            (unsigned long long)s->packets, (unsigned long long)s->bytes, (unsigned long long)s->sessions,
            (unsigned long long)s->mails, seconds);
    for (size_t i = 0; i < STATS; i++) {
        const struct stats_row *row = &stat_table[i];
        uint64_t n = stats_value(s, row);
        if (n && *row->phrase)
            fprintf(stderr, ", %llu %s", (unsigned long long)n, row->phrase);
    }
    fputc('\n', stderr);
}
