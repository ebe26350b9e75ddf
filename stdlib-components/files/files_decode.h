/* files_decode.h - what files_decode.c and files_http.c share. */
#ifndef DGC_FILES_DECODE_H
#define DGC_FILES_DECODE_H

#include <pthread.h>

#include "runtime/data/reader.h"
#include "stdlib-components/files/files_step.h"

typedef struct OpenFile { /* shared by the lanes that still decode its blocks */
    DgReader *reader;
    int32_t *map;     /* of its columns, when they lie otherwise; NULL: in order */
    int32_t map_count;
} OpenFile;

typedef struct FilesDecodeState {
    FilesDownload download; /* NULL: without a network */
    Arena arena;
    FilesPaths paths;
    DgColumn *columns;
    int32_t columns_count;
    pthread_mutex_t lock;
    bool has_lock;
    OpenFile *files;  /* one for each path; opened in order, closed at the end */
    size_t opened;
    size_t current;
    int64_t skipped;  /* records left out so far */
} FilesDecodeState;

typedef struct FilesDecodeLane {
    DgBlockBuffer buffer;
    bool has_block;
} FilesDecodeLane;

extern const DgField dg_files_decode_fields[], dg_files_read_fields[];
DgStatus files_decode_open(DgStepRun *run, const void *config, void *state, DgError *err);
DgStatus files_decode_read(DgStepRun *run, const void *config, void *state, void *lane_memory, DgBatch *out,
                           DgError *err);
void files_decode_close_lane(DgStepRun *run, const void *config, void *state, void *lane_memory);
void files_decode_close(DgStepRun *run, const void *config, void *state);
DgStatus files_read_with(DgStepRun *run, const FilesRead *f, FilesDownload download, DgError *err);

#endif
