/* The command `mailtap query`. */
#ifndef QUERY_MAIN_H
#define QUERY_MAIN_H

/* argv[0] is "query". Returns an exit code (enum exit_code): 0 found or not, 1 a file could not be read or
 * the output failed, 2 wrong arguments or query, EXIT_UNREAD. */
int query_main(int argc, char **argv);

#endif
