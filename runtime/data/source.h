/* source.h - the decompressed bytes of a file, in order. Private to runtime/data. */
#ifndef DGC_SOURCE_BYTES_H
#define DGC_SOURCE_BYTES_H

#include "runtime/base/base.h"

typedef struct DataSource DataSource;
DgStatus data_source_open(const char *path, Str shown, DataSource **out, DgError *err);
/* Up to n bytes; fewer only at the end. Damaged or cut-off compressed data is DG_DATA. */
DgStatus data_source_read(DataSource *s, char *to, size_t n, size_t *got, DgError *err);
int64_t data_source_bytes(const DataSource *s); /* of the file, as it is on disk */
void data_source_close(DataSource *s);

#endif
