/* Those who may log in: a file of names, roles, hashes of passwords and of tokens. */
#ifndef WEB_USERS_H
#define WEB_USERS_H

#include "base/error.h"
#include "web/password.h"
#include "web/role.h"
#include "web/token.h"

enum { USERS_MOST = 1000, USER_NAME = 64, USER_TOKENS = 8 };

struct user {
    char name[USER_NAME];
    char password[PASSWORD_LINE]; /* its line; "": tokens alone */
    enum role role;
    size_t token_count;
    uint8_t tokens[USER_TOKENS][TOKEN_HASH];
    uint8_t mark[TOKEN_HASH]; /* another one when name, password or role change */
};

struct users;

/* Reads the file. 0; or -errno with "file:line:column: ...". */
int users_open(const char *path, struct users **ret, struct error *reterr);
/* The same of a text, for which `name` stands. */
int users_open_text(const char *name, struct slice text, struct users **ret, struct error *reterr);
void users_close(struct users *u); /* NULL is fine */
/* NULL: there is none. Lives as long as the users. */
const struct user *users_find(const struct users *u, struct slice name);
const struct user *users_by_token(const struct users *u, struct slice token);
/* The line to check a password against where there is no such user, so that this takes as long as where there
 * is one. */
const char *users_nobody(const struct users *u);

#endif
