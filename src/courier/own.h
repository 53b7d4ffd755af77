/* The Message-IDs of the courier's mails: nobody without the key can make one that is taken for ours. */
#ifndef COURIER_OWN_H
#define COURIER_OWN_H

#include "base/error.h"
#include "base/slice.h"

enum { OWN_KEY = 32, OWN_ID = 400 };

/* A new key: 0 or -errno. */
int own_key_random(uint8_t ret[static OWN_KEY], struct error *reterr);
/* The key kept in this directory, made where there is none yet. `name` is the directory's, for messages. */
int own_key_kept(int directory, const char *name, uint8_t ret[static OWN_KEY], struct error *reterr);
/* <mailtap.TIME.RANDOM.MAC@domain of the sender>, for a mail with this envelope sender. */
void own_id(const uint8_t key[static OWN_KEY], int64_t time, const char *from, char ret[static OWN_ID]);
/* True: own_id made it, with this key and for this envelope sender (case ignored, as domains have none). */
bool own_is(const uint8_t key[static OWN_KEY], struct slice id, struct slice from);

#endif
