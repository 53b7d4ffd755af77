/* rollup_write.c: sums by minute and by hour, as they are written.
 * In: sums of a transaction. Out: rows of the tables minute and hourly. Owns: what is known of the keys in
 * the file. Limits: `keys` of a dimension and hour. Knowingly: which keys an hour has is decided by who comes
 * first. */
#include "store/day.h"
#include "store/rollup_parts.h"

static const char minute_sql[] =
    "INSERT INTO minute(minute, mails, accepted, rejected, deferred, aborted, unknown, tls, recipients, "
    "bytes, sessions, notices) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(minute) DO UPDATE SET "
    "mails = mails + excluded.mails, accepted = accepted + excluded.accepted, "
    "rejected = rejected + excluded.rejected, deferred = deferred + excluded.deferred, "
    "aborted = aborted + excluded.aborted, unknown = unknown + excluded.unknown, tls = tls + excluded.tls, "
    "recipients = recipients + excluded.recipients, bytes = bytes + excluded.bytes, "
    "sessions = sessions + excluded.sessions, notices = notices + excluded.notices";
static const char update_sql[] =
    "UPDATE hourly SET mails = mails + ?4, accepted = accepted + ?5, rejected = rejected + ?6, "
    "deferred = deferred + ?7, tls = tls + ?8, recipients = recipients + ?9, bytes = bytes + ?10, "
    "delay = delay + ?11, delays = delays + ?12 WHERE dimension = ?1 AND hour = ?2 AND key = ?3";
static const char insert_sql[] =
    "INSERT INTO hourly(dimension, hour, key, mails, accepted, rejected, deferred, tls, recipients, bytes, "
    "delay, delays) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char keys_sql[] = "SELECT key FROM hourly WHERE dimension = ?1 AND hour = ?2 AND key <> ''";

static int fail(const struct rollup *r, int code, struct error *reterr)
{
    return day_error(r->db, code, "sums", reterr);
}

int rollup_prepare(struct rollup *r, struct error *reterr)
{
    struct {
        const char *sql;
        sqlite3_stmt **stmt;
    } all[] = {{minute_sql, &r->minute_stmt},
               {update_sql, &r->update},
               {insert_sql, &r->insert},
               {keys_sql, &r->keys}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int code = sqlite3_prepare_v3(r->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].stmt, NULL);
        if (code != SQLITE_OK)
            return fail(r, code, reterr);
    }
    return 0;
}

static int run(const struct rollup *r, sqlite3_stmt *stmt, struct error *reterr)
{
    int code = sqlite3_step(stmt);
    int err = code == SQLITE_DONE ? 0 : fail(r, code, reterr);
    sqlite3_reset(stmt);
    return err;
}

static int write_minutes(struct rollup *r, struct error *reterr)
{
    int err = 0;
    for (size_t i = 0; i < r->dirty_count && !err; i++) {
        const struct minute *m = &r->minutes[r->dirty[i]];
        sqlite3_bind_int64(r->minute_stmt, 1, (int64_t)r->day * ROLLUP_MINUTES + r->dirty[i]);
        for (int c = 0; c < COUNTS; c++)
            sqlite3_bind_int64(r->minute_stmt, 2 + c, m->counts[c]);
        err = run(r, r->minute_stmt, reterr);
    }
    return err;
}

static void bind_sum(const struct rollup *r, sqlite3_stmt *stmt, const struct sum *s, struct slice key)
{
    const int64_t counts[] = {s->mails, s->accepted,   s->rejected, s->deferred,
                              s->tls,   s->recipients, s->bytes};
    sqlite3_bind_text(stmt, 1, rollup_names[s->dimension], -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, (int64_t)r->day * ROLLUP_HOURS + s->hour);
    sqlite3_bind_text64(stmt, 3, key.len ? (const char *)key.data : "", key.len, SQLITE_STATIC, SQLITE_UTF8);
    for (int i = 0; i < 7; i++)
        sqlite3_bind_int64(stmt, 4 + i, counts[i]);
    sqlite3_bind_double(stmt, 11, s->delay);
    sqlite3_bind_int64(stmt, 12, s->delays);
}

static int load_keys(struct rollup *r, size_t dimension, struct known *k, struct error *reterr)
{
    int code;
    sqlite3_bind_text(r->keys, 1, rollup_names[dimension], -1, SQLITE_STATIC);
    sqlite3_bind_int64(r->keys, 2, (int64_t)r->day * ROLLUP_HOURS + k->hour);
    while ((code = sqlite3_step(r->keys)) == SQLITE_ROW) {
        const struct slice key = {sqlite3_column_text(r->keys, 0), (size_t)sqlite3_column_bytes(r->keys, 0)};
        uint64_t hash = rollup_hash(r, dimension, (size_t)k->hour, key);
        if (!keyset_has(&k->keys, hash))
            keyset_add(&k->keys, hash);
    }
    int err = code == SQLITE_DONE ? 0 : fail(r, code, reterr);
    sqlite3_reset(r->keys);
    return err;
}

static int write_row(struct rollup *r, const struct sum *s, struct slice key, bool there,
                     struct error *reterr)
{
    sqlite3_stmt *stmt = there ? r->update : r->insert;
    bind_sum(r, stmt, s, key);
    int err = run(r, stmt, reterr);
    if (err || !there || sqlite3_changes(r->db))
        return err;
    return write_row(r, s, key, false, reterr);
}

static int write_others(struct rollup *r, struct known *k, struct error *reterr)
{
    int err = k->others.mails ? write_row(r, &k->others, (struct slice){0}, true, reterr) : 0;
    k->others = (struct sum){0};
    return err;
}

/* The keys of that hour; in the place of the one that was not asked for longest. */
static int known_of(struct rollup *r, const struct sum *s, struct known **ret, struct error *reterr)
{
    struct known *k = &r->known[s->dimension][0];
    for (size_t i = 0; i < ROLLUP_RECENT && k->hour != s->hour; i++) {
        struct known *each = &r->known[s->dimension][i];
        if (each->hour == s->hour || each->used < k->used)
            k = each;
    }
    k->used = ++r->uses;
    *ret = k;
    if (k->hour == s->hour)
        return 0;
    int err = write_others(r, k, reterr);
    keyset_free(&k->keys);
    k->hour = s->hour;
    return err ? err : load_keys(r, s->dimension, k, reterr);
}

static void add_sum(struct sum *to, const struct sum *s)
{
    to->dimension = s->dimension;
    to->hour = s->hour;
    to->mails += s->mails;
    to->accepted += s->accepted;
    to->rejected += s->rejected;
    to->deferred += s->deferred;
    to->tls += s->tls;
    to->recipients += s->recipients;
    to->bytes += s->bytes;
    to->delay += s->delay;
    to->delays += s->delays;
}

static int write_sum(struct rollup *r, const struct sum *s, struct error *reterr)
{
    const struct slice key = {r->texts.data + s->key_at, s->key_len};
    struct known *k;
    int err = known_of(r, s, &k, reterr);
    if (err)
        return err;
    bool there = keyset_has(&k->keys, s->hash);
    if (!there && k->keys.count >= r->most) {
        add_sum(&k->others, s);
        return 0;
    }
    if (!there)
        keyset_add(&k->keys, s->hash);
    return write_row(r, s, key, there, reterr);
}

static int write_all_others(struct rollup *r, struct error *reterr)
{
    int err = 0;
    for (size_t d = 0; d < ROLLUP_DIMENSIONS; d++)
        for (size_t i = 0; i < ROLLUP_RECENT && !err; i++)
            err = write_others(r, &r->known[d][i], reterr);
    return err;
}

int rollup_write(struct rollup *r, struct error *reterr)
{
    int err = write_minutes(r, reterr);
    for (size_t i = 0; i < r->sum_count && !err; i++)
        err = write_sum(r, &r->sums[i], reterr);
    err = err ? err : write_all_others(r, reterr);
    if (!err)
        rollup_clear(r);
    return err;
}
