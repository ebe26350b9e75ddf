/* http_get.h - a file over http or https, to a file of ours. */
#ifndef DGC_HTTP_GET_H
#define DGC_HTTP_GET_H

#include "runtime/base/base.h"

/* Downloads to `to` (replaced). Redirects are followed a few times, within http and https only; a
 * server that cannot be reached or answers 5xx or 429 is DG_UNAVAILABLE, so that the step is tried
 * again; any other answer than 200 is DG_DATA. At most `bytes_max` bytes. */
DgStatus http_download(Str url, const char *to, int64_t bytes_max, DgError *err);

#endif
