/* files_http.c - the same steps for paths that are URLs, or may turn out to be. */
#include "runtime/net/http_get.h"
#include "stdlib-components/files/files_decode.h"

static DgStatus http_decode_open(DgStepRun *run, const void *config, void *state, DgError *err)
{
    ((FilesDecodeState *)state)->download = http_download;
    return files_decode_open(run, config, state, err);
}

static DgStatus http_read_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    (void)state;
    return files_read_with(run, config, http_download, err);
}

const DgStepOps dg_files_decode_http_ops = {
    .name = "dgc.Files",
    .symbol = "dg_files_decode_http_ops",
    .role = DG_SOURCE,
    .fields = dg_files_decode_fields,
    .config_size = sizeof(FilesDecode),
    .state_size = sizeof(FilesDecodeState),
    .lane_size = sizeof(FilesDecodeLane),
    .open = http_decode_open,
    .read = files_decode_read,
    .close_lane = files_decode_close_lane,
    .close = files_decode_close,
};

const DgStepOps dg_files_http_ops = {
    .name = "dgc.Files",
    .symbol = "dg_files_http_ops",
    .role = DG_ACTION,
    .fields = dg_files_read_fields,
    .config_size = sizeof(FilesRead),
    .execute = http_read_execute,
};
