/* zip.h - reading members of a ZIP archive that may be hostile.
 *
 * Sizes are believed only as upper bounds, checksums are verified, and a member that grows beyond
 * a ratio no honest one has is refused. No encryption, no ZIP64.
 */
#ifndef DGC_ZIP_H
#define DGC_ZIP_H

#include <zlib.h>

#include "runtime/base/base.h"

typedef struct ZipMember {
    Str name;
    uint16_t method, flags;
    uint32_t checksum;
    int64_t packed, size, offset;
} ZipMember;

typedef struct ZipFile {
    int fd;
    const char *path;
    int64_t size;
    const ZipMember *members;
    int32_t members_count;
} ZipFile;

DgStatus zip_open(ZipFile *z, Arena *a, const char *path, DgError *err);
/* The same of a file that is open; takes `fd` over, also when it fails. `shown` is its name in messages. */
DgStatus zip_open_fd(ZipFile *z, Arena *a, int fd, int64_t size, const char *shown, DgError *err);
void zip_close(ZipFile *z);
const ZipMember *zip_find(const ZipFile *z, Str name); /* case does not matter; NULL: not there */

typedef struct ZipStream {
    const ZipFile *zip;
    const ZipMember *member;
    z_stream inflate;
    bool inflating, done;
    int64_t at, left, given; /* packed: where, how much; unpacked so far */
    uint32_t checksum;
    unsigned char input[16 << 10];
} ZipStream;

DgStatus zip_stream_open(ZipStream *s, const ZipFile *z, const ZipMember *m, DgError *err);
DgStatus zip_stream_read(void *stream, char *to, size_t n, size_t *got, DgError *err); /* an XmlRead */
void zip_stream_close(ZipStream *s);

#endif
