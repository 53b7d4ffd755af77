/* mailtap web: a store for people and programs, over HTTP. */
#ifndef WEB_MAIN_H
#define WEB_MAIN_H

/* What stands behind "mailtap": argv[0] is "web". Returns an exit code. */
int web_main(int argc, char **argv);

#endif
