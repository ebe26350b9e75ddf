/* declare.c - see declare.h. */
#include "runtime/llm/declare.h"
#include <time.h>

enum { WARN_DAYS = 30 };

bool llm_check_model(DgPlanner *p, const DgStr *model, LlmModel *out)
{
    DgError err = {0};
    Str provider, name;
    *out = (LlmModel){0};
    if (!p->api->is_known(p, model))
        return false;
    if (llm_model(*model, out, &err) == DG_OK)
        return true;
    *out = (LlmModel){0};
    if (str_cut(*model, '/', &provider, &name) && name.len)
        p->api->report_name(p, model, "provider", provider, llm_provider_names, "%s", err.message);
    else
        p->api->report(p, "E0110", model, err.hint, "%s", err.message);
    return false;
}

bool llm_ends_soon(Str last_day, int64_t now_s)
{
    char until[16];
    time_t then = (time_t)(now_s + WARN_DAYS * 86400);
    struct tm day;
    if (!last_day.len || !gmtime_r(&then, &day) || !strftime(until, sizeof until, "%Y-%m-%d", &day))
        return false;
    return str_cmp(last_day, str_from(until)) <= 0;
}

void llm_check_end(DgPlanner *p, const DgStr *model, const DgStr *base_url, const LlmModel *m)
{
    Str ends = m->provider ? llm_model_ends(str_from(m->provider->name), m->name) : (Str){0};
    if (llm_ends_soon(ends, time(NULL)) && !p->api->is_set(p, base_url))
        p->api->report(p, "W0706", model, "name a model that stays; answers that are kept stay, too, but belong to the model that gave them",
                       "the last day of `%.*s` is %.*s", FMT(*model), FMT(ends));
}

DgStr llm_sql_name(DgPlanner *p, DgStr name)
{
    StrBuf b = {0};
    buf_char(&b, '"');
    for (ptrdiff_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_char(&b, '"');
        buf_char(&b, name.ptr[i]);
    }
    buf_char(&b, '"');
    DgStr out = p->api->format(p, "%.*s", FMT(buf_str(&b)));
    buf_free(&b);
    return out;
}
