/* check_step.c - counts the rows that break a check, and shows the first of them. */
#include "stdlib-components/checks/check_step.h"

#include "runtime/base/base.h"

enum { SHOWN_MAX = 5, DETAIL_MAX = 2000 };

static const DgField fields[] = {
    DG_FIELD_ASSET_KEY(CheckStep, asset, .doc = "The asset that is judged."),
    DG_FIELD_STRING(CheckStep, check, .doc = "Name of the check."),
    DG_FIELD_CODE(CheckStep, sql, .doc = "Renders the query."),
    DG_FIELD_BOOL(CheckStep, explains, .doc = "Its one row says what is wrong."),
    {0},
};

static DgStatus render(DgStepRun *run, const CheckStep *c, Str *out, DgError *err)
{
    DgValue v;
    if (!c->sql.call)
        return dg_fail(err, DG_BUG, "the check has no SQL");
    DG_TRY(((DgTemplateFn)c->sql.call)(dg_eval(run), &v, err));
    Str text = v.kind == DG_V_STR ? str_trim(v.as.s) : (Str){0};
    while (text.len && text.ptr[text.len - 1] == ';')
        text = str_trim(str_sub(text, 0, text.len - 1));
    *out = text;
    return text.len ? DG_OK : dg_fail(err, DG_BUG, "the check's SQL is empty");
}

/* "3 of 812 rows failed: {"id":7}, ..." */
static DgStatus describe(DgStepRun *run, const CheckStep *c, Str sql, int64_t failures, Str *out,
                         DgError *err)
{
    int64_t total = 0;
    Str rows;
    if (c->explains)
        return dg_sql_text(run, sql, out, err);
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM %.*s",
                                     FMT(dg_table(run, c->asset))), &total, err));
    DG_TRY(dg_sql_text(run, dg_format(run, "SELECT string_agg(to_json(failure)::VARCHAR, ', ') "
                                      "FROM (SELECT * FROM (\n%.*s\n) LIMIT %d) AS failure",
                                      FMT(sql), SHOWN_MAX), &rows, err));
    bool cut = rows.len > DETAIL_MAX;
    ptrdiff_t end = cut ? DETAIL_MAX : rows.len;
    while (cut && end > 0 && ((unsigned char)rows.ptr[end] & 0xc0) == 0x80)
        end--;
    *out = dg_format(run, "%lld of %lld rows failed: %.*s%s", (long long)failures,
                     (long long)total, FMT(str_sub(rows, 0, end)),
                     cut || failures > SHOWN_MAX ? " ..." : "");
    return DG_OK;
}

static DgStatus check_execute(DgStepRun *run, const void *config, void *state, DgError *err)
{
    const CheckStep *c = config;
    int64_t failures = 0;
    Str sql, detail = {0};
    DG_TRY(render(run, c, &sql, err));
    DG_TRY(dg_sql_int(run, dg_format(run, "SELECT count(*) FROM (\n%.*s\n) AS failures", FMT(sql)),
                      &failures, err));
    if (failures) {
        DG_TRY(describe(run, c, sql, failures, &detail, err));
        dg_log(run, DG_LOG_DEBUG, "check %.*s: %.*s", FMT(c->check), FMT(sql));
    }
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
