/* Text from the wire for the eye: made harmless, counted in the columns of a terminal, cut to fit. */
#ifndef SINK_CELL_H
#define SINK_CELL_H

#include "sink/line.h"

/* All three return the columns taken, at most `most`. What could steer the terminal or hide text is shown as
 * '?'. */

/* Cut at the end. */
size_t cell_text(struct line *out, struct slice s, size_t most);
/* A mail address: cut in its local part, as the domain says more; then at its front. */
size_t cell_address(struct line *out, struct slice s, size_t most);
/* "12 KiB". Returns the columns taken. */
size_t cell_size(struct line *out, uint64_t bytes);
/* Blanks up to `width`, and one at least. */
void cell_pad(struct line *out, size_t columns, size_t width);

#endif
