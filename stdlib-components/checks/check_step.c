/* check_step.c - counts the rows that break a check. */
#include "stdlib-components/checks/check_step.h"

#include "runtime/base/base.h"

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(CheckStep, asset, .doc = "The asset that is judged."),
    DG_FIELD_STRING(CheckStep, check, .doc = "Name of the check."),
    DG_FIELD_CODE(CheckStep, sql, .doc = "Renders the query."),
    {0},
};

static DgStatus check_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const CheckStep *c = config;
    DgValue v;
    int64_t failures = 0;
    (void)state;
    DG_TRY(((DgTemplateFn)c->sql.call)(dg_eval(run), &v, err));
    Str text = v.kind == DG_V_STR ? str_trim(v.as.s) : (Str){0};
    while (text.len && text.ptr[text.len - 1] == ';')
        text = str_trim(str_sub(text, 0, text.len - 1));
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM (\n%.*s\n) AS failures", FMT(text)),
                      &failures, err));
    Str detail = failures ? dg_format(run, "%lld row%s failed", (long long)failures, failures == 1 ? "" : "s")
                          : (Str){0};
    dg_report_check(run, c->asset, c->check, failures == 0, detail);
    return DG_OK;
}

const DgStepOps dg_sql_check_ops = {
    .name = "dgc.Checks",
    .symbol = "dg_sql_check_ops",
    .role = DG_ACTION,
    .fields = fields,
    .config_size = sizeof(CheckStep),
    .execute = check_execute,
};
