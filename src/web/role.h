/* What somebody may see. */
#ifndef WEB_ROLE_H
#define WEB_ROLE_H

enum role {
    ROLE_NOBODY,   /* who has not logged in where that is needed */
    ROLE_REDACTED, /* neither local parts of addresses nor subjects, names of files, paths of URLs */
    ROLE_FULL
};

#endif
