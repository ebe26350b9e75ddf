/* metadata_checks.c - Dagster's MetadataChecksComponent: column schema changes, bounds of metadata.
 *
 * Each check is a step of its own, run after the asset it judges. */
#include "stdlib-components/dagster/metadata_checks.h"

typedef struct Bounds {
    DgStr metadata_key;
    int32_t severity;
    DgValue min_value, max_value;
    bool exclusive_min, exclusive_max;
} Bounds;
typedef struct SchemaChange {
    int32_t severity;
} SchemaChange;

static const char *const severities[] = {"WARN", "ERROR", NULL};

static const DgField schema_fields[] = {
    DG_FIELD_ENUM(SchemaChange, severity, .flags = DG_BUILD, .fallback = "WARN",
                  .choices = severities, .doc = "What a failure means."),
    {0},
};
static const DgField bounds_fields[] = {
    DG_FIELD_STRING(Bounds, metadata_key, .flags = DG_REQUIRED | DG_BUILD,
                    .doc = "Metadata of the newest materialization, a number.",
                    .example = "dagster/row_count"),
    DG_FIELD_ENUM(Bounds, severity, .flags = DG_BUILD, .fallback = "WARN", .choices = severities,
                  .doc = "What a failure means."),
    DG_FIELD_ANY(Bounds, min_value, .flags = DG_BUILD, .doc = "The least that is good."),
    DG_FIELD_ANY(Bounds, max_value, .flags = DG_BUILD, .doc = "The most that is good."),
    DG_FIELD_BOOL(Bounds, exclusive_min, .flags = DG_BUILD, .fallback = "false",
                  .doc = "`min_value` itself is not good."),
    DG_FIELD_BOOL(Bounds, exclusive_max, .flags = DG_BUILD, .fallback = "false",
                  .doc = "`max_value` itself is not good."),
    {0},
};

static const DgVariant params[] = {
    {"column_schema_change", "Fails when the table's columns are not those of the time before.",
     schema_fields, sizeof(SchemaChange)},
    {"metadata_bounds", "Fails when a number is out of its bounds.", bounds_fields, sizeof(Bounds)},
    {0},
};

typedef struct Entry {
    DgStr key;
    DgOneOf params;
} Entry;
static const DgField entry_fields[] = {
    DG_FIELD_ASSET_KEY(Entry, key, .flags = DG_REQUIRED | DG_BUILD, .doc = "The asset judged.",
                       .example = "orders"),
    DG_FIELD_ONE_OF(Entry, params, params, .flags = DG_REQUIRED, .doc = "What is looked at.",
                    .example = "{type: column_schema_change}"),
    {0},
};

typedef struct Config {
    DgList checks;
} Config;
static const DgField fields[] = {
    DG_FIELD_STRUCTS(Config, checks, Entry, entry_fields, .flags = DG_REQUIRED,
                     .doc = "The checks.",
                     .example = "[{key: orders, params: {type: column_schema_change}}]"),
    {0},
};

static bool is_number(DgValue v)
{
    return v.kind == DG_V_INT || v.kind == DG_V_FLOAT;
}

static double number(DgValue v)
{
    return v.kind == DG_V_INT ? (double)v.as.i : v.as.f;
}

static DgStr shown(DgPlanner *p, DgValue v)
{
    if (v.kind == DG_V_INT)
        return p->api->format(p, "%lld", (long long)v.as.i);
    DgStr text = p->api->format(p, "%.15g", v.as.f);
    for (ptrdiff_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '.' || text.ptr[i] == 'e' || text.ptr[i] == 'n')
            return text;
    return p->api->format(p, "%.*s.0", (int)text.len, text.ptr); /* as Python writes 1.0 */
}

/* Dagster's words. */
static DgStr bounds_description(DgPlanner *p, const Bounds *b)
{
    DgStr text = p->api->format(p, "Checks that the latest materialization has metadata value `%.*s`",
                                (int)b->metadata_key.len, b->metadata_key.ptr);
    bool min = is_number(b->min_value);
    if (min) {
        DgStr n = shown(p, b->min_value);
        text = p->api->format(p, "%.*s greater than %s%.*s", (int)text.len, text.ptr,
                              b->exclusive_min ? "" : "or equal to ", (int)n.len, n.ptr);
    }
    if (is_number(b->max_value)) {
        DgStr n = shown(p, b->max_value);
        text = p->api->format(p, "%.*s %sless than %s%.*s", (int)text.len, text.ptr,
                              min ? "and " : "", b->exclusive_max ? "" : "or equal to ",
                              (int)n.len, n.ptr);
    }
    return text;
}

static bool bounds_sound(DgPlanner *p, const Bounds *b)
{
    const DgValue *values[] = {&b->min_value, &b->max_value};
    for (int i = 0; i < 2; i++) {
        if (values[i]->kind != DG_V_NONE && !is_number(*values[i])) {
            p->api->report(p, "E0102", values[i], NULL, "a bound must be a number");
            return false;
        }
    }
    if (!is_number(b->min_value) && !is_number(b->max_value)) {
        p->api->report(p, "E0106", &b->metadata_key, "add `min_value`, `max_value` or both",
                       "the check has no bounds");
        return false;
    }
    if (is_number(b->min_value) && is_number(b->max_value) &&
        number(b->min_value) > number(b->max_value)) {
        p->api->report(p, "E0111", &b->min_value, NULL, "`min_value` is greater than `max_value`");
        return false;
    }
    return true;
}

static void plan_entry(DgPlanner *p, const Entry *entry)
{
    if (!entry->params.config)
        return;
    const Bounds *bounds = entry->params.variant == 1 ? entry->params.config : NULL;
    const SchemaChange *schema = bounds ? NULL : entry->params.config;
    if (bounds && !bounds_sound(p, bounds))
        return;
    MetadataCheckStep *step = p->api->alloc(p, sizeof *step);
    step->asset = entry->key;
    step->min_value.kind = step->max_value.kind = DG_V_NONE;
    DgCheckDecl check = {.asset = entry->key, .at = &entry->key};
    if (bounds) {
        char *name = p->api->alloc(p, (size_t)bounds->metadata_key.len + 1);
        for (ptrdiff_t i = 0; i < bounds->metadata_key.len; i++) {
            char c = bounds->metadata_key.ptr[i];
            bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            name[i] = ok ? c : '_';
        }
        check.name = p->api->format(p, "%s_bounds_check", name);
        check.description = bounds_description(p, bounds);
        check.warn = bounds->severity == 0;
        step->metadata_key = bounds->metadata_key;
        step->min_value = bounds->min_value;
        step->max_value = bounds->max_value;
        step->exclusive_min = bounds->exclusive_min;
        step->exclusive_max = bounds->exclusive_max;
    } else {
        check.name = (DgStr)DG_S("column_schema_change");
        check.description = (DgStr)DG_S("Checks whether there are changes to column schema between "
                                        "the asset's  two most recent materializations");
        check.warn = schema->severity == 0;
    }
    step->check = check.name;
    p->api->check(p, &check);
    DgPair *judged = p->api->alloc(p, sizeof *judged);
    *judged = (DgPair){entry->key, check.name};
    p->api->step(p, &(DgStepDecl){.ops = &dg_metadata_check_ops, .config = step,
                                  .checks = {judged, 1}, .at = &entry->key});
}

static void metadata_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    for (size_t i = 0; i < config->checks.count; i++)
        plan_entry(p, &DG_ITEMS(Entry, config->checks)[i]);
}

static const char *const aliases[] = {"dagster.MetadataChecksComponent", NULL};
static const DgStepOps *const steps[] = {&dg_metadata_check_ops, NULL};

const DgComponent dg_component_metadata_checks = {
    .name = "dagster.components.lib.metadata_checks_component.MetadataChecksComponent",
    .aliases = aliases,
    .summary = "Checks of what materializations say about themselves: columns, numbers.",
    .doc = "`column_schema_change` compares the table's columns with those the check saw before. "
           "`metadata_bounds` reads a number that the newest materialization reported; "
           "`dagster/row_count` is counted where "
           "nothing was reported.",
    .example = "type: dagster.components.lib.metadata_checks_component.MetadataChecksComponent\n"
               "attributes:\n"
               "  checks:\n"
               "    - key: orders\n"
               "      params: {type: metadata_bounds, metadata_key: dagster/row_count, min_value: 1}\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = metadata_plan,
    .steps = steps,
};
