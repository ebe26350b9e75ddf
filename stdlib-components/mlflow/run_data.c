/* run_data.c - what dgc.MlflowRun logs of tables and files: metrics, datasets, artifacts. */
#include <errno.h>
#include <math.h>
#include <sys/stat.h>

#include "runtime/base/sha256.h"
#include "runtime/data/batch.h"
#include "runtime/data/value_text.h"
#include "runtime/files/fs.h"
#include "runtime/os/os.h"
#include "runtime/run/secrets.h"
#include "runtime/run/step_tables.h"
#include "stdlib-components/mlflow/mlflow_parts.h"

enum { METRICS_AT_ONCE = 1000, ROWS_MAX = 100000, FILE_MAX = 256 << 20, FILES_MAX = 10000, DEPTH_MAX = 32 };

/* ---- Metrics ---- */

typedef struct Metrics {
    Mlflow *m;
    const MlflowRun *run;
    StrBuf b;
    int64_t open, count;     /* in `b`; all */
} Metrics;

static DgStatus send_metrics(Metrics *x, DgError *err)
{
    if (!x->open)
        return DG_OK;
    buf_add(&x->b, S("],\"params\":[],\"tags\":[]}"));
    x->open = 0;
    mlflow_begin(x->m);
    return mlflow_call(x->m, "POST", S("runs/log-batch"), &x->b, NULL, "log metrics", err);
}

static DgStatus add_metric(Metrics *x, Str prefix, Str name, double value, Str step, DgError *err)
{
    if (!x->open) {
        x->b = (StrBuf){0};
        buf_char(&x->b, '{');
        mlflow_member(&x->b, "run_id", x->run->id);
        buf_add(&x->b, S(",\"metrics\":["));
    }
    StrBuf key = {0};
    buf_add(&key, prefix);
    buf_add(&key, name);
    buf_add(&x->b, x->open ? S(",{") : S("{"));
    mlflow_member(&x->b, "key", buf_str(&key));
    buf_add(&x->b, S(",\"value\":"));
    if (isfinite(value))
        dg_float_repr(&x->b, value);
    else
        buf_add(&x->b, isnan(value) ? S("\"NaN\"") : value > 0 ? S("\"Infinity\"") : S("\"-Infinity\""));
    buf_format(&x->b, ",\"timestamp\":%.*s,\"step\":%.*s}", FMT(x->run->start), FMT(step));
    buf_free(&key);
    x->open++;
    x->count++;
    return x->open == METRICS_AT_ONCE ? send_metrics(x, err) : DG_OK;
}

static Str text_of(Arena *a, const DgBatch *b, int32_t column, int32_t row)
{
    StrBuf text = {0};
    value_write_text(&text, &b->vectors[column], b->columns[column].type, row);
    Str out = str_copy(a, buf_str(&text));
    buf_free(&text);
    return out;
}

static DgStatus add_row(Metrics *x, const RunMetrics *s, const DgBatch *b, int32_t row, int32_t step, DgError *err)
{
    Arena a;
    arena_init(&a, 1 << 20);
    Str at = S("0");
    DgStatus status = DG_OK;
    int64_t whole;
    if (step >= 0) {
        at = DG_VALID(&b->vectors[step], row) ? text_of(&a, b, step, row) : (Str){0};
        if (!str_to_int(at, &whole))
            status = dg_fail(err, DG_DATA, "`%.*s` is the step of metrics, but is %s%.*s in one row", FMT(s->step), at.len ? "" : "null", FMT(at));
    }
    for (int32_t i = 0; i < b->columns_count && status == DG_OK; i++) {
        double value;
        if (i == step || !value_is_number(b->columns[i].type) || !DG_VALID(&b->vectors[i], row))
            continue;
        if (str_to_double(text_of(&a, b, i, row), &value))
            status = add_metric(x, s->prefix, b->columns[i].name, value, at, err);
        else if (b->columns[i].type.kind == DG_FLOAT64 || b->columns[i].type.kind == DG_FLOAT32)
            status = add_metric(x, s->prefix, b->columns[i].name,
                                b->columns[i].type.kind == DG_FLOAT64 ? ((const double *)b->vectors[i].values)[row] : (double)((const float *)b->vectors[i].values)[row],
                                at, err);
    }
    arena_free(&a);
    return status;
}

static DgStatus find_step(const RunMetrics *s, const DgColumn *columns, int32_t count, int32_t *step, DgError *err)
{
    bool numbers = false;
    *step = -1;
    for (int32_t i = 0; i < count; i++) {
        if (s->step.len && str_eq_nocase(columns[i].name, s->step))
            *step = i;
        else
            numbers |= value_is_number(columns[i].type);
    }
    if (s->step.len && *step < 0)
        return dg_fail(err, DG_DATA, "there is no column `%.*s` for the step of metrics", FMT(s->step));
    return numbers ? DG_OK : dg_fail(err, DG_DATA, "there is no column of numbers for metrics");
}

static DgStatus add_rows(Metrics *x, const RunMetrics *s, DgScan *scan, DgError *err)
{
    DgBatch b;
    int32_t count, step;
    int64_t rows = 0;
    const DgColumn *columns = dg_scan_columns(scan, &count);
    DG_TRY(find_step(s, columns, count, &step, err));
    DG_TRY(dg_batch_init(&b, columns, count, DG_BATCH_ROWS, err));
    DgStatus status = DG_OK;
    while (status == DG_OK) {
        dg_batch_reset(&b);
        status = dg_scan_next(scan, &b, err);
        bool end = status == DG_END;
        if (end)
            status = DG_OK;
        for (int32_t i = 0; i < b.rows && status == DG_OK; i++)
            if (++rows > (step < 0 ? 1 : ROWS_MAX)) {
                status = step < 0 ? dg_fail(err, DG_DATA, "more than one row of metrics") : dg_fail(err, DG_DATA, "more than %d rows of metrics", ROWS_MAX);
                dg_hint(err, step < 0 ? "name the column that tells the rows apart: `step: epoch`" : "log every tenth step");
            } else {
                status = add_row(x, s, &b, i, step, err);
            }
        if (end)
            break;
    }
    dg_batch_release(&b);
    return status == DG_OK && !rows ? dg_fail(err, DG_DATA, "no row of metrics") : status;
}

static DgStatus render(DgStepRun *sr, DgCode code, Str *out, DgError *err)
{
    DgValue v;
    DG_TRY(((DgTemplateFn)code.call)(dg_eval(sr), &v, err));
    Str text = v.kind == DG_V_STR ? str_trim(v.as.s) : (Str){0};
    while (text.len && text.ptr[text.len - 1] == ';')
        text = str_trim(str_sub(text, 0, text.len - 1));
    *out = step_copy(sr, text);
    return text.len ? DG_OK : dg_fail(err, DG_CONFIG, "the query of metrics is empty");
}

static DgStatus log_source(Metrics *x, const RunMetrics *s, DgError *err)
{
    DgStepRun *sr = x->m->run;
    DgScan *scan;
    Str sql;
    DG_TRY(render(sr, s->code, &sql, err));
    DG_TRY(dg_step_scan_own(sr, sql, &scan, err));
    DgStatus status = add_rows(x, s, scan, err);
    dg_scan_close(scan);
    if (status == DG_DATA) {
        DgError inner = *err;
        dg_fail(err, DG_DATA, "%s%.*s: %s", s->asset.len ? "metrics of " : "the query of metrics", FMT(s->asset), inner.message);
        if (inner.hint[0])
            dg_hint(err, "%s", inner.hint);
    }
    return status;
}

DgStatus dg_mlflow_log_metrics(Mlflow *m, const MlflowRun *run, const RunStep *c, int64_t *count, DgError *err)
{
    Metrics x = {.m = m, .run = run};
    DgStatus status = DG_OK;
    for (size_t i = 0; i < c->metrics.count && status == DG_OK; i++) {
        const DgValuePair *p = &DG_ITEMS(DgValuePair, c->metrics)[i];
        double value = p->value.kind == DG_V_INT ? (double)p->value.as.i : p->value.kind == DG_V_FLOAT ? p->value.as.f : 0;
        bool number = p->value.kind == DG_V_INT || p->value.kind == DG_V_FLOAT || (p->value.kind == DG_V_STR && str_to_double(str_trim(p->value.as.s), &value));
        status = number ? add_metric(&x, (Str){0}, p->key, value, S("0"), err) : dg_fail(err, DG_CONFIG, "metric `%.*s` is no number", FMT(p->key));
    }
    for (size_t i = 0; i < c->sources.count && status == DG_OK; i++)
        status = log_source(&x, &DG_ITEMS(RunMetrics, c->sources)[i], err);
    if (status == DG_OK)
        status = send_metrics(&x, err);
    if (x.open)
        buf_free(&x.b);
    *count = x.count;
    return status;
}

/* ---- Datasets ---- */

static const char *mlflow_type(DgType t)
{
    switch (t.kind) {
    case DG_BOOL: return "boolean";
    case DG_INT8: case DG_INT16: case DG_INT32: case DG_UINT8: case DG_UINT16: return "integer";
    case DG_INT64: case DG_UINT32: case DG_UINT64: return "long";
    case DG_FLOAT32: return "float";
    case DG_FLOAT64: case DG_DECIMAL: return "double";
    case DG_DATE: case DG_TIMESTAMP: case DG_TIMESTAMPTZ: return "datetime";
    case DG_BINARY: return "binary";
    default: return "string";
    }
}

/* {"mlflow_colspec":[{"type":"long","name":"id","required":true}]}, and how many. */
static DgStatus schema_of(DgStepRun *sr, Str table, StrBuf *out, int32_t *count, DgError *err)
{
    DgScan *scan;
    DG_TRY(dg_step_scan_own(sr, dg_format(sr, "SELECT * FROM %.*s LIMIT 0", FMT(table)), &scan, err));
    const DgColumn *columns = dg_scan_columns(scan, count);
    buf_add(out, S("{\"mlflow_colspec\":["));
    for (int32_t i = 0; i < *count; i++) {
        buf_format(out, "%s{\"type\":\"%s\",", i ? "," : "", mlflow_type(columns[i].type));
        mlflow_member(out, "name", columns[i].name);
        buf_format(out, ",\"required\":%s}", columns[i].not_null ? "true" : "false");
    }
    buf_add(out, S("]}"));
    dg_scan_close(scan);
    return DG_OK;
}

static Str digest_of(DgStepRun *sr, Str schema, int64_t rows, Str content)
{
    Sha256 sum;
    char hex[65];
    sha256_init(&sum);
    sha256_add(&sum, schema);
    sha256_add(&sum, dg_format(sr, "\n%lld\n%.*s", (long long)rows, FMT(content)));
    sha256_hex(&sum, hex);
    return dg_format(sr, "%.16s", hex);
}

static DgStatus add_dataset(Mlflow *m, const RunDataset *d, StrBuf *b, DgError *err)
{
    DgStepRun *sr = m->run;
    Str table = dg_table(sr, d->asset), content;
    StrBuf schema = {0}, source = {0};
    int32_t columns = 0;
    int64_t rows = 0;
    DgStatus status = schema_of(sr, table, &schema, &columns, err);
    if (status == DG_OK)
        status = dg_sql_int(sr, dg_format(sr, "SELECT count(*) FROM %.*s", FMT(table)), &rows, err);
    if (status == DG_OK) /* of the rows in any order; alike only where DuckDB's hash() is */
        status = dg_sql_text(sr, dg_format(sr, "SELECT sum(hash(t)::HUGEINT)::VARCHAR FROM %.*s AS t", FMT(table)), &content, err);
    if (status == DG_OK) {
        buf_char(&source, '{');
        mlflow_member(&source, "pipeline", m->source);
        buf_char(&source, ',');
        mlflow_member(&source, "asset", d->asset);
        buf_char(&source, '}');
        buf_add(b, S("{\"tags\":["));
        if (d->context.len)
            mlflow_pair(b, S("mlflow.data.context"), d->context);
        buf_add(b, S("],\"dataset\":{"));
        mlflow_member(b, "name", d->name.len ? d->name : d->asset);
        buf_char(b, ',');
        mlflow_member(b, "digest", digest_of(sr, buf_str(&schema), rows, content));
        buf_add(b, S(",\"source_type\":\"dgc\","));
        mlflow_member(b, "source", buf_str(&source));
        buf_char(b, ',');
        mlflow_member(b, "schema", buf_str(&schema));
        buf_char(b, ',');
        mlflow_member(b, "profile", dg_format(sr, "{\"num_rows\":%lld,\"num_elements\":%lld}", (long long)rows, (long long)rows * columns));
        buf_add(b, S("}}"));
    }
    buf_free(&schema);
    buf_free(&source);
    return status;
}

DgStatus dg_mlflow_log_datasets(Mlflow *m, const MlflowRun *run, const RunStep *c, DgError *err)
{
    if (!c->datasets.count)
        return DG_OK;
    StrBuf b = {0};
    DgStatus status = DG_OK;
    buf_char(&b, '{');
    mlflow_member(&b, "run_id", run->id);
    buf_add(&b, S(",\"datasets\":["));
    for (size_t i = 0; i < c->datasets.count && status == DG_OK; i++) {
        buf_add(&b, i ? S(",") : S(""));
        status = add_dataset(m, &DG_ITEMS(RunDataset, c->datasets)[i], &b, err);
    }
    buf_add(&b, S("],\"models\":[]}"));
    mlflow_begin(m);
    if (status == DG_OK)
        return mlflow_call(m, "POST", S("runs/log-inputs"), &b, NULL, "log datasets", err);
    buf_free(&b);
    return status;
}

/* ---- Artifacts ---- */

typedef struct Upload {
    Mlflow *m;
    Str root;                /* of the run: on the server, or in `fs` */
    DgFs *fs;                /* the server does not store it itself; else NULL */
    Arena arena;             /* of fs */
    int64_t files;
} Upload;

/* file:///mlruns/1/ID/artifacts, a plain path, or s3://bucket/1/ID/artifacts: MLflow's own clients write there, and so does this. */
static DgStatus open_store(Upload *u, Str uri, DgError *err)
{
    Str url, endpoint = {0};
    DgConn conn;
    DgPair pairs[2];
    bool marked, s3 = str_starts(uri, S("s3://"));
    if ((!s3 && !str_starts(uri, S("file:")) && !str_starts(uri, S("/"))) || !fs_split_url(&u->arena, uri, &url, &u->root)) {
        dg_fail(err, DG_CONFIG, "the artifacts of this experiment are at %.*s, where dgc does not store any", FMT(uri));
        dg_hint(err, "start the server with --serve-artifacts, and use a new experiment; or keep artifacts in a folder or in S3");
        return DG_CONFIG;
    }
    if (s3) { /* as MLflow's own clients find a server that speaks S3 */
        DgStatus status = secrets_get(u->m->run->run->secrets, S("MLFLOW_S3_ENDPOINT_URL"), &endpoint, &marked, err);
        if (status != DG_OK && status != DG_END)
            return status;
    }
    pairs[0] = (DgPair){S("url"), url};
    pairs[1] = (DgPair){S("endpoint"), endpoint};
    DG_TRY(conn_from_props(&u->arena, S("artifacts of MLflow"), s3 ? S("s3") : S("file"), pairs, endpoint.len ? 2 : 1, &conn, err));
    return fs_open(&conn, S(""), &u->fs, err);
}

/* mlflow-artifacts:/1/ID/artifacts, or mlflow-artifacts://host/1/...: what the server stores itself. */
static DgStatus root_of(Upload *u, Str uri, DgError *err)
{
    Str *root = &u->root;
    if (!str_starts(uri, S("mlflow-artifacts:")))
        return open_store(u, uri, err);
    *root = str_sub(uri, 17, uri.len);
    if (str_starts(*root, S("//"))) { /* a host */
        ptrdiff_t slash = str_find_char(str_sub(*root, 2, root->len), '/');
        *root = slash < 0 ? (Str){0} : str_sub(*root, 2 + slash, root->len);
    }
    while (root->len && root->ptr[0] == '/')
        *root = str_sub(*root, 1, root->len);
    return DG_OK;
}

static Str join(DgStepRun *sr, Str folder, Str name)
{
    return folder.len ? dg_format(sr, "%.*s/%.*s", FMT(folder), FMT(name)) : name;
}

static DgStatus put_file(Upload *u, Str path, Str to, DgError *err)
{
    Arena a;
    Str content;
    if (++u->files > FILES_MAX)
        return dg_fail(err, DG_DATA, "more than %d artifacts", FILES_MAX);
    if (dg_cancelled(u->m->run))
        return dg_fail(err, DG_CANCELLED, "cancelled");
    arena_init(&a, (size_t)FILE_MAX + (1 << 20));
    a.can_fail = true;
    if (u->fs) {
        struct stat st;
        DgStatus put = fs_put(u->fs, &a, path, join(u->m->run, u->root, to), &(DgFsPut){0}, NULL, err);
        dg_progress(u->m->run, 0, put == DG_OK && dg_os.stat(path.ptr, &st) == 0 ? st.st_size : 0);
        arena_free(&a);
        return put;
    }
    DgStatus status = os_read_file(&a, path.ptr, FILE_MAX, &content, err);
    if (status == DG_OK) {
        mlflow_begin(u->m);
        status = mlflow_put(u->m, join(u->m->run, u->root, to), content, str_format(&u->m->rest.arena, "store artifact `%.*s`", FMT(to)).ptr, err);
        dg_progress(u->m->run, 0, content.len);
    }
    arena_free(&a);
    return status;
}

static DgStatus put_path(Upload *u, Str path, Str to, int depth, DgError *err);

static DgStatus put_folder(Upload *u, Str path, Str to, int depth, DgError *err)
{
    StrArray names = {0};
    Arena a;
    arena_init(&a, 64 << 20);
    a.can_fail = true;
    DgStatus status = depth > DEPTH_MAX ? dg_fail(err, DG_DATA, "folders of artifacts nest deeper than %d", DEPTH_MAX) : os_list(&a, path.ptr, &names, err);
    for (size_t i = 0; i < names.count && status == DG_OK; i++)
        status = put_path(u, join(u->m->run, path, names.items[i]), join(u->m->run, to, names.items[i]), depth + 1, err);
    arena_free(&a);
    return status;
}

static DgStatus put_path(Upload *u, Str path, Str to, int depth, DgError *err)
{
    struct stat st;
    if (dg_os.stat(path.ptr, &st) != 0)
        return os_fail(err, errno, "read", path.ptr);
    return S_ISDIR(st.st_mode) ? put_folder(u, path, to, depth, err) : put_file(u, path, to, err);
}

static Str last_part(Str path)
{
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    ptrdiff_t i = path.len;
    while (i > 0 && path.ptr[i - 1] != '/')
        i--;
    return str_sub(path, i, path.len);
}

static Str without_slashes(Str s)
{
    while (s.len && s.ptr[0] == '/')
        s = str_sub(s, 1, s.len);
    while (s.len && s.ptr[s.len - 1] == '/')
        s.len--;
    return s;
}

static DgStatus put_all(Upload *u, const MlflowRun *run, const RunStep *c, DgError *err)
{
    DG_TRY(root_of(u, run->artifact_uri, err));
    for (size_t i = 0; i < c->artifacts.count; i++) {
        const RunArtifact *x = &DG_ITEMS(RunArtifact, c->artifacts)[i];
        Str path = dg_project_path(u->m->run, x->path), to = without_slashes(x->to);
        struct stat st;
        if (dg_os.stat(path.ptr, &st) != 0)
            return os_fail(err, errno, "read", path.ptr);
        bool folder = S_ISDIR(st.st_mode);
        DG_TRY(put_path(u, path, folder && to.len ? to : join(u->m->run, to, last_part(path)), 0, err));
    }
    return DG_OK;
}

DgStatus dg_mlflow_log_artifacts(Mlflow *m, const MlflowRun *run, const RunStep *c, int64_t *count, DgError *err)
{
    Upload u = {.m = m};
    arena_init(&u.arena, 1 << 20);
    u.arena.can_fail = true;
    DgStatus status = c->artifacts.count ? put_all(&u, run, c, err) : DG_OK;
    fs_close(u.fs);
    arena_free(&u.arena);
    *count = u.files;
    return status;
}
