/* users.c: those who may log in.
 * In: YAML, a list of mappings. Out: users, or file:line:column and what is wrong there. Owns: the users.
 * Limits: USERS_MOST users, USER_TOKENS tokens of each. Spec: docs/web.md says what a row is. */
#include "web/users.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/shown.h"
#include "base/utf8.h"
#include "base/yaml_rows.h"

enum key { NAME, PASSWORD, ROLE, TOKENS, KEYS };
static const char *const key_names[KEYS] = {"name", "password", "role", "tokens"};
static const char *const role_names[] = {[ROLE_REDACTED] = "redacted", [ROLE_FULL] = "full"};

enum { USERS_FILE = 1 << 20 };

/* scrypt of a password that nobody has, at the cost of new ones. */
static const char NOBODY[] =
    "$scrypt$ln=16,r=8,p=1$bm9ib2R5bm9ib2R5bm9ibw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct users {
    size_t count, room;
    struct user *items;
    char nobody[PASSWORD_LINE];
};

struct reading {
    struct users *users;
    struct yaml_file file;
    struct user one; /* the row that is read */
};

static void begin(void *ctx)
{
    ((struct reading *)ctx)->one = (struct user){.name = ""};
}

static int bad(const struct reading *r, const char *what, struct error *reterr)
{
    return error_set(reterr, -EINVAL, "%s%s", yaml_file_where(&r->file).text, what);
}

static int take_role(struct reading *r, struct slice text, struct error *reterr)
{
    struct nearest near = nearest_to(text);
    for (enum role role = ROLE_REDACTED; role <= ROLE_FULL; role++) {
        r->one.role = role;
        if (slice_eq(text, slice_str(role_names[role])))
            return 0;
        nearest_try(&near, role_names[role]);
    }
    return yaml_no_such(&r->file, "role", &near, reterr);
}

static int take_name(struct reading *r, struct slice text, struct error *reterr)
{
    bool plain = text.len && text.len < USER_NAME && utf8_is_valid(text);
    for (size_t i = 0; i < text.len; i++)
        plain &= text.data[i] >= ' ' && text.data[i] != 0x7f;
    if (!plain)
        return bad(r, "name wants 1 to 63 bytes of text", reterr);
    if (users_find(r->users, text))
        return error_set(reterr, -EINVAL, "%suser '%s' is there twice", yaml_file_where(&r->file).text,
                         shown(text).text);
    memcpy(r->one.name, text.data, text.len);
    r->one.name[text.len] = '\0';
    return 0;
}

static int take_value(void *ctx, size_t key, struct slice text, struct error *reterr)
{
    struct reading *r = ctx;
    if (key == NAME)
        return take_name(r, text, reterr);
    if (key == ROLE)
        return take_role(r, text, reterr);
    if (!password_is_line(text))
        return bad(r, "password wants a line that mailtap web --hash-password printed", reterr);
    memcpy(r->one.password, text.data, text.len);
    r->one.password[text.len] = '\0';
    return 0;
}

static int take_token(void *ctx, struct yaml_row *row, struct slice text, struct error *reterr)
{
    struct reading *r = ctx;
    (void)row;
    if (r->one.token_count == USER_TOKENS)
        return error_set(reterr, -EINVAL, "%smore than %d tokens of one user", yaml_file_where(&r->file).text,
                         USER_TOKENS);
    if (!token_parse_line(text, r->one.tokens[r->one.token_count++]))
        return bad(r, "tokens wants lines that mailtap web --make-token printed", reterr);
    return 0;
}

/* Over what stands before the tokens, all of which was zeroed. */
static void make_mark(struct user *u)
{
    token_hash((struct slice){(const uint8_t *)u, offsetof(struct user, token_count)}, u->mark);
}

static int take_row(void *ctx, const struct yaml_row *row, struct error *reterr)
{
    struct reading *r = ctx;
    struct users *u = r->users;
    if (!row->has[NAME] || !row->has[ROLE])
        return error_set(reterr, -EINVAL, "%sthis user has no %s", yaml_file_say(&r->file, row->start).text,
                         row->has[NAME] ? "role" : "name");
    if (!row->has[PASSWORD] && !r->one.token_count)
        return error_set(reterr, -EINVAL, "%sthis user has neither password nor tokens",
                         yaml_file_say(&r->file, row->start).text);
    if (u->count == USERS_MOST)
        return error_set(reterr, -EINVAL, "%smore than %d users", yaml_file_say(&r->file, row->start).text,
                         USERS_MOST);
    if (u->count == u->room) {
        u->room = u->room ? 2 * u->room : 16;
        u->items = realloc(u->items, u->room * sizeof *u->items);
        memory_check(u->items);
    }
    make_mark(&r->one);
    u->items[u->count++] = r->one;
    /* Nobody costs as much as whoever costs most. */
    const char *line = r->one.password;
    if (password_cost(slice_str(line)) > password_cost(slice_str(u->nobody)))
        strcpy(u->nobody, line);
    return 0;
}

static int read_rows(struct reading *r, struct users **ret, struct error *reterr)
{
    const struct yaml_rows how = {key_names, KEYS, TOKENS, begin, take_value, take_token, take_row, r};
    struct users *u = r->users = calloc(1, sizeof *u);
    memory_check(u);
    strcpy(u->nobody, NOBODY);
    int err = yaml_rows_read(&r->file, &how, USERS_FILE, reterr);
    yaml_file_close(&r->file);
    if (!err && !u->count)
        err = error_set(reterr, -EINVAL, "%s: nobody is in it", r->file.path);
    if (err)
        users_close(u);
    else
        *ret = u;
    return err;
}

int users_open(const char *path, struct users **ret, struct error *reterr)
{
    struct reading r = {0};
    int err = yaml_file_open(&r.file, path, "users", USERS_FILE, reterr);
    return err ? err : read_rows(&r, ret, reterr);
}

int users_open_text(const char *name, struct slice text, struct users **ret, struct error *reterr)
{
    struct reading r = {0};
    int err = yaml_file_open_text(&r.file, name, text, "users", USERS_FILE, reterr);
    return err ? err : read_rows(&r, ret, reterr);
}

void users_close(struct users *u)
{
    if (!u)
        return;
    free(u->items);
    free(u);
}

const struct user *users_find(const struct users *u, struct slice name)
{
    for (size_t i = 0; i < u->count; i++)
        if (slice_eq(name, slice_str(u->items[i].name)))
            return &u->items[i];
    return NULL;
}

const struct user *users_by_token(const struct users *u, struct slice token)
{
    uint8_t hash[TOKEN_HASH];
    const struct user *found = NULL;
    token_hash(token, hash);
    for (size_t i = 0; i < u->count; i++)
        for (size_t t = 0; t < u->items[i].token_count; t++)
            if (token_same(hash, u->items[i].tokens[t]))
                found = &u->items[i];
    return found;
}

const char *users_nobody(const struct users *u)
{
    return u->nobody;
}
