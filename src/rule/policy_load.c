/* policy_load.c: the owner's policy, out of the settings file.
 * In: YAML events, a list of mappings. Out: struct policy, or file:line:column and what is wrong there. Owns:
 * nothing. Limits: POLICY_*. Knowingly: scripts may raise notices of any name, so a name is refused only
 * where it is one of mailtap's own misspelt. */
#include <errno.h>
#include <stdlib.h>
#include "base/amount.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "rule/policy.h"

enum { MISSPELT = 3 };
static const char *const wishes[] = {"no", "yes", "false", "true"};

/* Which of `names`, with NULL at the end, the scalar is; negative: none, and *reterr says the nearest. */
static int name_of(const struct yaml_file *f, const char *what, const char *const *names,
                   struct error *reterr)
{
    struct nearest near = nearest_to(yaml_file_scalar(f));
    if (f->event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%swants a %s", yaml_file_where(f).text, what);
    for (int i = 0; names[i]; i++) {
        if (slice_eq(near.given, slice_str(names[i])))
            return i;
        nearest_try(&near, names[i]);
    }
    return error_set(reterr, -EINVAL, "%sno %s '%s'; the nearest is '%s'", yaml_file_where(f).text, what,
                     shown(near.given).text, near.name ? near.name : names[0]);
}

static int wanted(const struct yaml_file *f, const char *what, struct error *reterr)
{
    return error_set(reterr, -EINVAL, "%swanted: %s", yaml_file_where(f).text, what);
}

static int scalar(struct yaml_file *f, const char *what, struct error *reterr)
{
    int err = yaml_file_next(f, reterr);
    if (err)
        return err;
    return f->event.type == YAML_SCALAR_EVENT && !yaml_file_is_nothing(f) ? 0 : wanted(f, what, reterr);
}

/* A list, or one scalar in its place. */
static int items(struct yaml_file *f, struct policy_row *row, const char *what,
                 int take(struct yaml_file *f, struct policy_row *row, struct error *reterr),
                 struct error *reterr)
{
    int err = yaml_file_next(f, reterr);
    if (err)
        return err;
    if (f->event.type == YAML_SCALAR_EVENT && !yaml_file_is_nothing(f))
        return take(f, row, reterr);
    if (f->event.type != YAML_SEQUENCE_START_EVENT)
        return wanted(f, what, reterr);
    for (bool any = false;;) {
        err = yaml_file_next(f, reterr);
        if (!err && f->event.type == YAML_SEQUENCE_END_EVENT)
            return any ? 0 : wanted(f, what, reterr);
        if (!err)
            err = f->event.type == YAML_SCALAR_EVENT ? take(f, row, reterr) : wanted(f, what, reterr);
        if (err)
            return err;
        any = true;
    }
}

static int take_action(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    const char *names[ACTIONS + 1] = {NULL};
    for (unsigned i = 0; i < ACTIONS; i++)
        names[i] = notice_action_name(1u << i);
    int i = name_of(f, "action", names, reterr);
    if (i < 0)
        return i;
    row->actions |= 1u << i;
    if (row->actions & ACTION_DROP && row->actions != ACTION_DROP)
        return error_set(reterr, -EINVAL, "%sdrop goes with no other action", yaml_file_where(f).text);
    return 0;
}

static int take_network(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    struct network *net = &row->networks[row->network_count];
    if (row->network_count == POLICY_NETWORKS)
        return error_set(reterr, -EINVAL, "%sa row holds %d networks at most", yaml_file_where(f).text,
                         POLICY_NETWORKS);
    if (!network_parse(yaml_file_scalar(f), net) || !network_is_whole(net))
        return wanted(f, "networks, as 192.0.2.0/24, without bits beyond the prefix", reterr);
    row->network_count++;
    return 0;
}

static int take_country(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    if (row->country_count == POLICY_COUNTRIES)
        return error_set(reterr, -EINVAL, "%sa row holds %d countries at most", yaml_file_where(f).text,
                         POLICY_COUNTRIES);
    if (!country_parse(yaml_file_scalar(f), row->countries[row->country_count]))
        return wanted(f, "countries, two letters each", reterr);
    row->country_count++;
    return 0;
}

static int read_only(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    static const char *const keys[] = {"local_host", "networks", "countries", NULL};
    unsigned seen = 0;
    int err = yaml_file_next(f, reterr);
    if (!err && f->event.type != YAML_MAPPING_START_EVENT)
        err = wanted(f, "only: {local_host: yes, networks: [...], countries: [...]}", reterr);
    while (!err) {
        err = yaml_file_next(f, reterr);
        if (err || f->event.type == YAML_MAPPING_END_EVENT)
            return err;
        int key = name_of(f, "condition", keys, reterr);
        if (key < 0)
            return key;
        if (seen & 1u << key)
            return error_set(reterr, -EINVAL, "%s%s is there twice", yaml_file_where(f).text, keys[key]);
        seen |= 1u << key;
        if (key == 1) {
            err = items(f, row, "networks, as 192.0.2.0/24", take_network, reterr);
        } else if (key == 2) {
            err = items(f, row, "countries, two letters each", take_country, reterr);
        } else {
            err = scalar(f, "yes or no", reterr);
            size_t i = 0;
            while (!err && i < 4 && !slice_case_eq(yaml_file_scalar(f), slice_str(wishes[i])))
                i++;
            if (!err && i == 4)
                err = wanted(f, "yes or no", reterr);
            row->local_host = i & 1 ? POLICY_YES : POLICY_NO;
        }
    }
    return err;
}

/* One of mailtap's own names, or the beginning of one, but for a slip. */
static bool is_slip(struct slice note, const char *name, struct nearest *near)
{
    bool open = note.len && note.data[note.len - 1] == '*';
    struct slice given = slice_sub(note, 0, note.len - open), known = slice_str(name);
    if (open)
        known = slice_sub(known, 0, given.len);
    if (slice_eq(given, known))
        return false;
    char text[POLICY_NOTE];
    snprintf(text, sizeof text, "%.*s", (int)known.len, (const char *)known.data);
    struct nearest one = nearest_to(given);
    nearest_try(&one, text);
    size_t edits = slice_case_eq(given, known) ? 0 : one.name ? one.edits : MISSPELT + 1;
    if (edits <= MISSPELT && edits < near->edits) {
        near->name = name;
        near->edits = edits;
    }
    return true;
}

/* Who comes from the ancestor types its names. */
static const char *name_of_old(struct slice note)
{
    static const char *const old[][2] = {{"SMTP_BL_Blocked_Host", "SMTP::Blocklist_Blocked_Host"},
                                         {"SMTP_BL_Error_Message", "SMTP::Blocklist_Error_Message"},
                                         {"SMTP_Suspicious_Origination", "SMTP::Suspicious_Origination"}};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (slice_find(note, old[i][0]) < note.len)
            return old[i][1];
    return NULL;
}

static int check_note(const struct yaml_file *f, struct slice note, struct error *reterr)
{
    const char *renamed = name_of_old(note);
    if (renamed)
        return error_set(reterr, -EINVAL, "%s'%s' is called %s here", yaml_file_where(f).text,
                         shown(note).text, renamed);
    struct nearest near = nearest_to(note);
    size_t star = slice_index(note, '*');
    if (star + 1 < note.len || (star == note.len && slice_find(note, "::") == note.len))
        return error_set(reterr, -EINVAL, "%s'%s' is no notice: wants a name as %s, SMTP::* or \"*\"",
                         yaml_file_where(f).text, shown(note).text, rule_table[0]->notes[0]);
    for (size_t i = 0; rule_table[i]; i++)
        for (size_t k = 0; rule_table[i]->notes[k]; k++)
            if (!is_slip(note, rule_table[i]->notes[k], &near))
                return 0;
    if (!near.name || star < 4)
        return 0;
    return error_set(reterr, -EINVAL, "%sno notice '%s'; the nearest is '%s'", yaml_file_where(f).text,
                     shown(note).text, near.name);
}

static int read_note(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    int err = scalar(f, "the name of a notice, or *", reterr);
    if (err)
        return err;
    struct slice note = yaml_file_scalar(f);
    if (note.len >= POLICY_NOTE)
        return wanted(f, "the name of a notice, up to 80 bytes", reterr);
    memcpy(row->note, note.data, note.len);
    row->note[note.len] = '\0';
    return check_note(f, note, reterr);
}

static int read_suppress(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    static const char wants[] = "a duration in ms, s, m or h, up to 168h";
    double most = 168 * 3600.0;
    int err = scalar(f, wants, reterr);
    if (!err && (!amount_parse(AMOUNT_DURATION, slice_trim(yaml_file_scalar(f)), &row->suppress_for) ||
                 row->suppress_for > most))
        err = wanted(f, wants, reterr);
    return err;
}

static int read_row(struct yaml_file *f, struct policy_row *row, struct error *reterr)
{
    static const char *const keys[] = {"note", "actions", "only", "suppress_for", NULL};
    unsigned seen = 0;
    const struct yaml_place start = yaml_file_place(f);
    *row = (struct policy_row){.suppress_for = -1};
    for (;;) {
        int err = yaml_file_next(f, reterr);
        if (err)
            return err;
        if (f->event.type == YAML_MAPPING_END_EVENT)
            break;
        int key = name_of(f, "key of notice_policy", keys, reterr);
        if (key < 0)
            return key;
        if (seen & 1u << key)
            return error_set(reterr, -EINVAL, "%s%s is there twice", yaml_file_where(f).text, keys[key]);
        seen |= 1u << key;
        err = key == 0   ? read_note(f, row, reterr)
              : key == 1 ? items(f, row, "log, email, webhook or drop", take_action, reterr)
              : key == 2 ? read_only(f, row, reterr)
                         : read_suppress(f, row, reterr);
        if (err)
            return err;
    }
    if ((seen & 3) != 3 || !row->actions)
        return error_set(reterr, -EINVAL, "%sa row of notice_policy wants note and actions",
                         yaml_file_say(f, start).text);
    return 0;
}

int policy_read(struct yaml_file *f, struct policy *ret, struct error *reterr)
{
    ret->count = 0;
    for (;;) {
        int err = yaml_file_next(f, reterr);
        if (err || f->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (f->event.type != YAML_MAPPING_START_EVENT)
            return wanted(f, "rows as {note: SMTP::*, actions: [log, email]}", reterr);
        if (ret->count == POLICY_ROWS)
            return error_set(reterr, -EINVAL, "%smore than %d rows of notice_policy", yaml_file_where(f).text,
                             POLICY_ROWS);
        err = read_row(f, &ret->rows[ret->count], reterr);
        if (err)
            return err;
        ret->count++;
    }
}
