/* step_services.c - see step_services.h. */
#include "runtime/net/step_services.h"

static bool run_cancelled(void *opaque)
{
    return atomic_load_explicit(&((Run *)opaque)->cancel, memory_order_relaxed) != 0;
}

static Str run_redact(void *opaque, Arena *a, Str text)
{
    StrBuf b = {0};
    redact_text(((Run *)opaque)->redactor, text, &b);
    Str out = str_copy(a, buf_str(&b));
    a->failed = a->failed || b.failed;
    buf_free(&b);
    return out;
}

DgStatus step_services(DgStepRun *sr, DgServices **out, DgError *err)
{
    Run *run = sr->run;
    DgServicesOptions o = {.cancelled = run_cancelled, .redact = run_redact, .context = run,
                           .tape = run->options.record.len ? DG_TAPE_RECORD : run->options.replay.len ? DG_TAPE_REPLAY : DG_TAPE_NONE,
                           .tape_folder = run->options.record.len ? run->options.record : run->options.replay};
    pthread_mutex_lock(&run->services_lock);
    DgStatus status = run->services ? DG_OK : services_open(&o, &run->services, err);
    if (status == DG_OK)
        run->services_close = services_close;
    *out = run->services;
    pthread_mutex_unlock(&run->services_lock);
    return status;
}

DgStatus step_secret(DgStepRun *sr, const char *name, Str *out, DgError *err)
{
    bool marked;
    DG_TRY(secrets_get(sr->run->secrets, str_from(name), out, &marked, err));
    return redactor_add(sr->run->redactor, *out) ? DG_OK : dg_fail(err, DG_NOMEM, "out of memory for a secret");
}
