/* members.c: members of archives.
 * In: struct zip_event, struct tnef_file. Out: rows of a part's members. Owns: nothing; texts go to the
 * draft's arena. Limits: member_items, the arena's budget. Knowingly: beyond them nothing is compared. */
#include "record/members.h"

#include "record/spare.h"

static struct slice name_of(struct draft *d, const struct zip_event *ev, struct spares *with)
{
    struct buf out;
    buf_init(&out, 3 * ZIP_NAME);
    zip_name(ev->name, ev->utf8, &out);
    struct slice name = draft_text(d, buf_slice(&out), &with->scratch);
    buf_free(&out);
    return name;
}

static struct member *add(struct members *m, struct draft *d, struct spares *with)
{
    return draft_add_row(d, with->set->member_items, (struct object_list *)&m->list, sizeof *m->list.items);
}

static void note_flags(struct members *m, const struct zip_event *ev)
{
    m->encrypted |= ev->encrypted;
    m->nested |= zip_is_archive(ev->name);
    m->lost |= ev->lost;
}

static struct member *take(struct members *m, struct draft *d, struct spares *with,
                           const struct zip_event *ev)
{
    struct member *to = add(m, d, with);
    if (!to) {
        m->left_out++;
        return NULL;
    }
    *to =
        (struct member){.name = name_of(d, ev, with), .size = ev->known ? ev->size : 0, .offset = ev->offset};
    to->encrypted = ev->encrypted;
    to->archive = zip_is_archive(ev->name);
    return to;
}

/* The member whose header is there; they are in the order of these. */
static struct member *find(const struct members *m, uint64_t offset)
{
    size_t from = m->first, to = m->list.len;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (m->list.items[mid].offset < offset)
            from = mid + 1;
        else
            to = mid;
    }
    return from < m->list.len && m->list.items[from].offset == offset ? &m->list.items[from] : NULL;
}

static void tell_conflict(struct members *m, struct draft *d, struct spares *with, struct slice name,
                          uint64_t at)
{
    if (!m->told)
        draft_add_anomaly(d, with->set, &(struct found_anomaly){ANOMALY_archive_conflict, at, name},
                          &with->scratch);
    m->told = true;
}

static void central(struct members *m, struct draft *d, struct spares *with, const struct zip_event *ev,
                    uint64_t at)
{
    /* What stands before the archive is counted, or not. */
    uint64_t base = m->list.len > m->first ? m->list.items[m->first].offset : 0;
    struct member *is = find(m, ev->offset);
    m->directory = true;
    if (!is)
        is = find(m, ev->offset + base);
    if (!is) {
        bool compared = !m->left_out && !m->lost;
        is = take(m, d, with, ev);
        if (is && compared)
            tell_conflict(m, d, with, is->name, at);
        /* The order of places ends here. */
        m->lost = true;
        return;
    }
    struct buf name;
    buf_init(&name, 3 * ZIP_NAME);
    zip_name(ev->name, ev->utf8, &name);
    if (!slice_eq(buf_slice(&name), is->name) && !d->mem.over)
        tell_conflict(m, d, with, buf_slice(&name), at);
    buf_free(&name);
    is->listed = true;
    is->encrypted |= ev->encrypted;
    if (!is->size)
        is->size = ev->size;
}

static void end(struct members *m, struct draft *d, struct spares *with, uint64_t at)
{
    for (size_t i = m->first; m->directory && !m->lost && i < m->list.len; i++)
        if (!m->list.items[i].listed)
            tell_conflict(m, d, with, m->list.items[i].name, at);
    m->first = m->list.len;
    m->directory = m->lost = false;
}

void members_zip(struct members *m, struct draft *d, struct spares *with, const struct zip_event *ev,
                 uint64_t at)
{
    switch (ev->kind) {
    case ZIP_LOCAL:
        note_flags(m, ev);
        take(m, d, with, ev);
        break;
    case ZIP_SIZE:
        if (!m->left_out && m->list.len)
            m->list.items[m->list.len - 1].size = ev->size;
        break;
    case ZIP_CENTRAL:
        note_flags(m, ev);
        central(m, d, with, ev, at);
        break;
    case ZIP_END:
        end(m, d, with, at);
        break;
    }
}

void members_tnef(struct members *m, struct draft *d, struct spares *with, const struct tnef_file *file)
{
    struct member *to = add(m, d, with);
    m->nested |= zip_is_archive(file->name);
    if (!to)
        return;
    if (file->name.len)
        to->name = draft_text(d, file->name, &with->scratch);
    to->size = file->size;
    to->archive = zip_is_archive(file->name);
}
