/* mailtap load: from a bus into ClickHouse. */
#ifndef LOAD_MAIN_H
#define LOAD_MAIN_H

/* argv[0] is "load". Returns an exit code (enum exit_code): 0 it was told to end, or nothing is left; 1
 * something is left or was lost; 2 wrong arguments or settings. */
int load_main(int argc, char **argv);

#endif
