/* mailtap web with all of its rights: LeakSanitizer cannot look at a process that gave them up. The same
 * arguments. */
#include "web_main.h"
#include "web_rights.h"

int web_rights_drop(const struct web_rights *rights, struct error *reterr)
{
    (void)rights;
    (void)reterr;
    return 0;
}

int main(int argc, char **argv)
{
    return argc > 1 ? web_main(argc - 1, argv + 1) : 2;
}
