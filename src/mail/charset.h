/* Text in any charset to UTF-8, through iconv. */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/arena.h"
#include "base/buf.h"

struct charsets; /* open conversions: one for each converter of the table in charset.c, kept for reuse */

struct charsets *charsets_new(void);
void charsets_free(struct charsets **cs);
/* Adds `bytes`, read as charset `name` (any case; the aliases of real mail are known), to `out` as UTF-8.
 * What is not valid becomes U+FFFD. An unknown charset is read as UTF-8 where it is valid, else as
 * windows-1252. */
void charset_to_utf8(struct charsets *cs, struct slice name, struct slice bytes, struct buf *out);
/* Adds text that is valid already; where the buffer's maximum cuts it, only whole characters. True: all of it
 * went in. */
bool utf8_add(struct slice valid, struct buf *out);
/* Adds `bytes` to `out` with each invalid sequence (RFC 3629) replaced by U+FFFD; valid text goes through
 * unchanged. */
void utf8_clean(struct slice bytes, struct buf *out);
/* Adds text that has no charset, as of the envelope or a reply: UTF-8 where it is that, the piece of a
 * character at its end left out; else it is read as windows-1252, as header fields are. */
void utf8_read(struct slice bytes, struct buf *out);
/* Is it a name of UTF-8? */
bool charset_is_utf8(struct slice name);
bool utf8_valid(struct slice bytes);
/* UTF-8 but for forms that are longer than the character needs (RFC 3629 3), of which it has one or more. */
bool utf8_overlong(struct slice bytes);
/* Was such a text among what was to be read as UTF-8 since this was asked last? */
bool charsets_overlong(struct charsets *cs);
bool ascii_only(struct slice bytes);
/* A copy in the arena, as utf8_read gives it: valid, and cut where the budget ends. `scratch` is working
 * room, cleared where it is needed; `text` may lie in it if it is valid. */
struct slice utf8_copy(struct arena *mem, struct slice text, struct buf *scratch);
/* Valid text that was cut anywhere: without the piece of a character at its end. */
struct slice utf8_whole(struct slice text);

#endif
