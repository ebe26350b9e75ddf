/* spec.c - asset keys, AssetSpec, AssetCheckSpec and OpSpec applied to the plan's nouns. */
#include "compiler/spec.h"

#include "compiler/template.h"

Span spec_at(const SpecContext *c, const void *field)
{
    const ConfigPlace *place = c->config ? config_place(c->config, field) : NULL;
    return place && place->node ? place->node->at : c->at;
}

bool spec_sets(const SpecContext *c, const void *field)
{
    return c->config && config_place(c->config, field) != NULL;
}

/* ---- Keys ---- */

bool asset_key_parts(Arena *arena, Str key, StrArray *parts)
{
    *parts = (StrArray){0};
    char *bytes = push(arena, char, key.len + 1);
    ptrdiff_t start = 0, n = 0;
    for (ptrdiff_t i = 0; i <= key.len; i++) {
        if (i == key.len || key.ptr[i] == '/') {
            if (n == start)
                return false;
            array_add(arena, parts, ((Str){bytes + start, n - start}));
            start = n;
            continue;
        }
        if (key.ptr[i] == '\\' && i + 1 < key.len)
            i++;
        bytes[n++] = key.ptr[i];
    }
    return true;
}

Str asset_key_join(Arena *arena, const Str *parts, size_t count)
{
    size_t bytes = count;
    for (size_t i = 0; i < count; i++)
        bytes += 2 * (size_t)parts[i].len;
    char *out = push(arena, char, bytes + 1);
    ptrdiff_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i)
            out[n++] = '/';
        for (ptrdiff_t j = 0; j < parts[i].len; j++) {
            if (parts[i].ptr[j] == '/' || parts[i].ptr[j] == '\\')
                out[n++] = '\\';
            out[n++] = parts[i].ptr[j];
        }
    }
    return (Str){out, n};
}

Str asset_key_check(Plan *plan, Str key, Span at)
{
    StrArray parts;
    if (!key.len) {
        diag_report(plan->diag, E0205, at, "an asset key must not be empty");
        return (Str){0};
    }
    if (!asset_key_parts(plan->arena, key, &parts)) {
        diag_help(diag_report(plan->diag, E0205, at, "asset key `%.*s` has an empty part",
                              FMT(key)),
                  "parts are joined by single slashes, as in `raw/orders`");
        return (Str){0};
    }
    return asset_key_join(plan->arena, parts.items, parts.count);
}

/* ---- What is allowed in the fields of an AssetSpec; Dagster's own rules ---- */

static bool is_tag_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.';
}

static bool tag_part_valid(Str s, bool may_be_empty)
{
    if (!s.len || s.len > 63)
        return s.len == 0 && may_be_empty;
    for (ptrdiff_t i = 0; i < s.len; i++)
        if (!is_tag_char(s.ptr[i]))
            return false;
    return true;
}

/* A key may have a prefix: `dagster/priority`. */
static bool tag_key_valid(Str key)
{
    Str before, after;
    if (!str_cut(key, '/', &before, &after))
        return tag_part_valid(key, false);
    return tag_part_valid(before, false) && tag_part_valid(after, false);
}

/* Tags as text: what is no text becomes what Python's str() makes of it. */
static DgPair *read_tags(const SpecContext *c, const DgList *tags)
{
    DgPair *out = push(c->plan->arena, DgPair, tags->count + 1);
    DgEval ev;
    dg_eval_init(&ev, c->plan->arena);
    for (size_t i = 0; i < tags->count; i++) {
        const DgValuePair *tag = &DG_ITEMS(DgValuePair, *tags)[i];
        Str value = tag->value.kind == DG_V_STR ? tag->value.as.s : dg_to_str(&ev, tag->value);
        out[i] = (DgPair){tag->key, value};
        if (!tag_key_valid(tag->key))
            diag_help(diag_report(c->plan->diag, E0110, spec_at(c, &tag->value),
                                  "`%.*s` is not a tag key", FMT(tag->key)),
                      "letters, digits, `_`, `-`, `.`, 63 at most, and one `/` after a prefix");
        else if (!tag_part_valid(value, true))
            diag_help(diag_report(c->plan->diag, E0110, spec_at(c, &tag->value),
                                  "`%.*s` is not a tag value", FMT(value)),
                      "letters, digits, `_`, `-`, `.`, 63 at most");
    }
    dg_eval_free(&ev);
    return out;
}

static bool is_email(Str s)
{
    ptrdiff_t at = str_find_char(s, '@');
    if (at <= 0 || at == s.len - 1 || str_find_char(s, ' ') >= 0)
        return false;
    Str domain = str_sub(s, at + 1, s.len);
    ptrdiff_t dot = str_find_char(domain, '.');
    return dot > 0 && domain.ptr[domain.len - 1] != '.' && str_find_char(domain, '@') < 0;
}

static void check_owners(const SpecContext *c, const DgList *owners)
{
    for (size_t i = 0; i < owners->count; i++) {
        const Str *owner = &DG_ITEMS(DgStr, *owners)[i];
        if (str_starts(*owner, S("team:")) ? owner->len > 5 : is_email(*owner))
            continue;
        diag_help(diag_report(c->plan->diag, E0110, spec_at(c, owner),
                              "owner `%.*s` is neither an e-mail address nor a team", FMT(*owner)),
                  "write `name@example.com` or `team:NAME`");
    }
}

static void check_group(const SpecContext *c, const Str *group)
{
    bool ok = group->len > 0;
    for (ptrdiff_t i = 0; i < group->len; i++)
        ok &= group->ptr[i] != '-' && group->ptr[i] != '.' && is_tag_char(group->ptr[i]);
    if (!ok)
        diag_help(diag_report(c->plan->diag, E0110, spec_at(c, group),
                              "`%.*s` is not a group name", FMT(*group)),
                  "letters, digits and `_`");
}

static void check_kinds(const SpecContext *c, const Asset *asset, const DgList *kinds)
{
    if (asset->kinds.count > 10)
        diag_report(c->plan->diag, E0111, spec_at(c, kinds),
                    "an asset may have ten kinds at most, `%.*s` has %zu", FMT(asset->key),
                    asset->kinds.count);
    for (size_t i = 0; i < kinds->count; i++) {
        const Str *kind = &DG_ITEMS(DgStr, *kinds)[i];
        if (!tag_part_valid(*kind, false))
            diag_report(c->plan->diag, E0110, spec_at(c, kind), "`%.*s` is not a kind",
                        FMT(*kind));
    }
}

/* ---- Applying ---- */

static void add_missing(Arena *arena, StrArray *to, Str item)
{
    for (size_t i = 0; i < to->count; i++)
        if (str_eq(to->items[i], item))
            return;
    array_add(arena, to, item);
}

static void put_strs(const SpecContext *c, StrArray *to, const DgList *from, SpecMerge how)
{
    if (how != SPEC_ADD)
        *to = (StrArray){0};
    for (size_t i = 0; i < from->count; i++)
        add_missing(c->plan->arena, to, DG_ITEMS(DgStr, *from)[i]);
}

static void put_deps(const SpecContext *c, StrArray *to, const DgList *from, SpecMerge how)
{
    if (how != SPEC_ADD)
        *to = (StrArray){0};
    for (size_t i = 0; i < from->count; i++) {
        const Str *dep = &DG_ITEMS(DgStr, *from)[i];
        Str key = asset_key_check(c->plan, *dep, spec_at(c, dep));
        if (key.len)
            add_missing(c->plan->arena, to, key);
    }
}

static void put_tags(const SpecContext *c, Asset *asset, const DgList *from, SpecMerge how)
{
    const DgPair *tags = read_tags(c, from);
    if (how == SPEC_REPLACE)
        asset->tags.count = 0;
    for (size_t i = 0; i < from->count; i++) {
        size_t at = 0;
        while (at < asset->tags.count && !str_eq(asset->tags.items[at].key, tags[i].key))
            at++;
        if (at < asset->tags.count)
            asset->tags.items[at] = tags[i];
        else
            array_add(c->plan->arena, &asset->tags, tags[i]);
    }
}

static void put_metadata(const SpecContext *c, Asset *asset, const DgList *from, SpecMerge how)
{
    if (how == SPEC_REPLACE)
        asset->metadata.count = 0;
    for (size_t i = 0; i < from->count; i++) {
        DgValuePair pair = DG_ITEMS(DgValuePair, *from)[i];
        size_t at = 0;
        while (at < asset->metadata.count && !str_eq(asset->metadata.items[at].key, pair.key))
            at++;
        if (at < asset->metadata.count)
            asset->metadata.items[at] = pair;
        else
            array_add(c->plan->arena, &asset->metadata, pair);
    }
}

static void put_freshness(const SpecContext *c, Asset *asset, const DgValue *value)
{
    if (value->kind != DG_V_NONE && !str_eq(dgv_record_class(*value), S("FreshnessPolicy"))) {
        diag_help(diag_report(c->plan->diag, E0110, spec_at(c, value),
                              "`freshness_policy` must be a FreshnessPolicy"),
                  "for example `{{ dg.FreshnessPolicy.cron(deadline_cron='0 9 * * *', "
                  "lower_bound_delta=datetime.timedelta(hours=2)) }}`");
        return;
    }
    asset->freshness = *value;
}

static void apply_objects(const SpecContext *c, Asset *asset, const DgAssetSpec *spec)
{
    if (spec_sets(c, &spec->automation_condition)) {
        Span at = spec_at(c, &spec->automation_condition);
        if (automation_check(c->plan, spec->automation_condition, at))
            asset->automation = spec->automation_condition;
    }
    if (spec_sets(c, &spec->partitions_def))
        asset->partitions = spec_partitions(c, &spec->partitions_def);
    if (spec_sets(c, &spec->freshness_policy))
        put_freshness(c, asset, &spec->freshness_policy);
}

void spec_apply(const SpecContext *c, Asset *asset, const DgAssetSpec *spec, SpecMerge how)
{
    if (spec_sets(c, &spec->deps))
        put_deps(c, &asset->dep_keys, &spec->deps, how);
    if (spec_sets(c, &spec->description))
        asset->description = spec->description;
    if (spec_sets(c, &spec->group_name) && spec->group_name.len) {
        check_group(c, &spec->group_name);
        asset->group = spec->group_name;
    }
    if (spec_sets(c, &spec->code_version))
        asset->code_version = spec->code_version;
    if (spec_sets(c, &spec->skippable))
        asset->skippable = spec->skippable;
    if (spec_sets(c, &spec->owners)) {
        check_owners(c, &spec->owners);
        put_strs(c, &asset->owners, &spec->owners, how);
    }
    if (spec_sets(c, &spec->kinds)) {
        put_strs(c, &asset->kinds, &spec->kinds, how);
        check_kinds(c, asset, &spec->kinds);
    }
    if (spec_sets(c, &spec->tags))
        put_tags(c, asset, &spec->tags, how);
    if (spec_sets(c, &spec->metadata))
        put_metadata(c, asset, &spec->metadata, how);
    apply_objects(c, asset, spec);
}

void spec_apply_check(const SpecContext *c, Check *check, const DgCheckSpec *spec)
{
    check->name = spec->name;
    check->asset_key = asset_key_check(c->plan, spec->asset, spec_at(c, &spec->asset));
    check->description = spec->description;
    check->blocking = spec->blocking;
    put_deps(c, &check->dep_keys, &spec->additional_deps, SPEC_ADD);
    for (size_t i = 0; i < spec->metadata.count; i++)
        array_add(c->plan->arena, &check->metadata, DG_ITEMS(DgValuePair, spec->metadata)[i]);
    if (spec_sets(c, &spec->automation_condition) &&
        automation_check(c->plan, spec->automation_condition,
                         spec_at(c, &spec->automation_condition)))
        check->automation = spec->automation_condition;
}

/* ---- OpSpec ---- */

typedef struct Backfill {
    int32_t type;
    int64_t max_partitions_per_run;
} Backfill;
static const char *const backfill_types[] = {"single_run", "multi_run", NULL};
static const DgField backfill_fields[] = {
    DG_FIELD_ENUM(Backfill, type, .flags = DG_REQUIRED | DG_BUILD, .choices = backfill_types,
                  .doc = "All partitions in one run, or so many a run."),
    DG_FIELD_INT(Backfill, max_partitions_per_run, .flags = DG_BUILD, .fallback = "1", .min = 1,
                 .max = 1000000, .doc = "Partitions one run takes."),
    {0},
};

static void apply_backfill(const SpecContext *c, Step *step, const DgValue *value)
{
    const ConfigPlace *place = config_place(c->config, value);
    if (value->kind == DG_V_NONE || !place)
        return;
    ConfigTarget target = {S("backfill_policy"), backfill_fields, sizeof(Backfill), 0};
    Config filled = config_fill(c->plan->arena, c->plan->diag, c->scope, &target, place->node,
                                place->node ? place->node->at : c->at);
    const Backfill *backfill = filled.data;
    if (filled.ok)
        step->backfill_partitions_max =
            backfill->type == 0 ? 0 : (int32_t)backfill->max_partitions_per_run;
}

void spec_apply_op(const SpecContext *c, Step *step, const DgOpSpec *op)
{
    if (op->name.len)
        step->name = op->name;
    if (op->description.len)
        step->description = op->description;
    if (op->pool.len)
        step->pool = op->pool;
    DgEval ev;
    dg_eval_init(&ev, c->plan->arena);
    for (size_t i = 0; i < op->tags.count; i++) {
        DgValuePair tag = DG_ITEMS(DgValuePair, op->tags)[i];
        DgPair pair = {tag.key, tag.value.kind == DG_V_STR ? tag.value.as.s
                                                           : dg_to_str(&ev, tag.value)};
        array_add(c->plan->arena, &step->tags, pair);
    }
    dg_eval_free(&ev);
    if (spec_sets(c, &op->backfill_policy))
        apply_backfill(c, step, &op->backfill_policy);
    const DgRetryPolicy *retry = &op->retry_policy;
    if (spec_sets(c, &retry->max_retries) || spec_sets(c, &retry->delay) ||
        spec_sets(c, &retry->backoff) || spec_sets(c, &retry->jitter)) {
        step->retry = (DgRetry){
            .retries_max = (int32_t)retry->max_retries,
            .delay_ms = (int64_t)(retry->delay * 1000),
            .exponential = retry->backoff == 2,
            .jitter = (int8_t)retry->jitter,
        };
    }
}
