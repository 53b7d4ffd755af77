/* The store as a sink: -o sqlite:DIR. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "sink/sink.h"

extern const struct sink_ops sink_sqlite;

#endif
