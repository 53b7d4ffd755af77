/* The page: its files, which are a part of the program. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "base/slice.h"

enum { PAGE_TAG = 32 };

struct page_file {
    const char *type;
    struct slice plain, gzip; /* gzip: empty where it is not smaller; both live as long as the page */
    char tag[PAGE_TAG];       /* an entity tag, quotes included: another one when the bytes change */
};

struct page;

struct page *page_open(void);
void page_close(struct page *p);
/* What stands at `path` (undecoded); index.html for the address of a view. NULL: nothing. */
const struct page_file *page_find(const struct page *p, struct slice path);
/* Whether an If-None-Match header names the tag. */
bool page_is_known(const struct page_file *f, struct slice if_none_match);

#endif
