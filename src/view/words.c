/* words.c: the words of texts.
 * In: texts. Out: their words. Owns: SQLite's tokenizer, and a database without tables that it is of. Limits:
 * texts of 2 GiB. */
#include "view/words.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include "base/memory.h"

struct words {
    sqlite3 *db; /* has the module that the tokenizer is of */
    fts5_tokenizer module;
    Fts5Tokenizer *tokenizer;
};

void words_each(struct words *w, struct slice text, words_fn *word, void *ctx)
{
    if (text.len && text.len < INT32_MAX)
        w->module.xTokenize(w->tokenizer, ctx, FTS5_TOKENIZE_DOCUMENT, (const char *)text.data, (int)text.len,
                            word);
}

static int find_tokenizer(struct words *w)
{
    static const char *options[] = {"remove_diacritics", "2"}; /* as the table find has it */
    sqlite3_stmt *stmt = NULL;
    fts5_api *api = NULL;
    void *data;
    if (sqlite3_prepare_v2(w->db, "SELECT fts5(?1)", -1, &stmt, NULL) != SQLITE_OK)
        return -ENOSYS;
    sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
    sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    if (!api || api->xFindTokenizer(api, "unicode61", &data, &w->module) != SQLITE_OK)
        return -ENOSYS;
    return w->module.xCreate(data, options, 2, &w->tokenizer) == SQLITE_OK ? 0 : -ENOSYS;
}

int words_open(struct words **ret, struct error *reterr)
{
    struct words *w = calloc(1, sizeof *w);
    memory_check(w);
    int err =
        sqlite3_open_v2(":memory:", &w->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
            ? find_tokenizer(w)
            : -ENOMEM;
    if (err) {
        words_close(&w);
        return error_set(reterr, err, "SQLite on this machine has no full-text search (FTS5)");
    }
    *ret = w;
    return 0;
}

void words_close(struct words **pw)
{
    struct words *w = *pw;
    *pw = NULL;
    if (!w)
        return;
    if (w->tokenizer)
        w->module.xDelete(w->tokenizer);
    sqlite3_close(w->db);
    free(w);
}
