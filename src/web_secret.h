/* Lines for the file of users. */
#ifndef WEB_SECRET_H
#define WEB_SECRET_H

/* Reads a password, from the terminal twice and without echo, else the first line of standard input; prints
 * its line. */
int web_hash_password(void);
/* Makes a token; prints it and its line. Both return an exit code. */
int web_make_token(void);

#endif
