/* declare.c - see declare.h. */
#include "runtime/llm/declare.h"

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
