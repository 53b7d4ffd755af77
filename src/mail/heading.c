/* heading.c: the table of header fields. In: names. Out: numbers. Owns: nothing. */
#include "mail/heading.h"

static const struct slice names[] = {
    {0},
#define HEADING(name, text) {(const uint8_t *)text, sizeof text - 1},
#include "mail/heading.def"
#undef HEADING
};

/* The first of each length. */
static const uint8_t firsts[] = {
    [2] = HEADING_to,
    [3] = HEADING_bcc,
    [4] = HEADING_date,
    [6] = HEADING_sender,
    [7] = HEADING_subject,
    [8] = HEADING_received,
    [9] = HEADING_list_help,
    [10] = HEADING_message_id,
    [11] = HEADING_in_reply_to,
    [12] = HEADING_content_type,
    [14] = HEADING_dkim_signature,
    [16] = HEADING_x_originating_ip,
    [19] = HEADING_content_disposition,
    [21] = HEADING_arc_message_signature,
    [22] = HEADING_authentication_results,
    [25] = HEADING_content_transfer_encoding,
    [26] = HEADING_arc_authentication_results,
};

enum heading heading_of(struct slice name)
{
    enum heading h = name.len < sizeof firsts ? firsts[name.len] : HEADING_other;
    while (h && h < HEADING_COUNT && names[h].len == name.len && !slice_case_eq(name, names[h]))
        h++;
    return h < HEADING_COUNT && names[h].len == name.len ? h : HEADING_other;
}
