/* spec_fields.c - Dagster's AssetSpec, AssetCheckSpec and OpSpec as field tables.
 *
 * Shared by every component that takes them and by the compiler, so that one table decides what is
 * allowed, documented and suggested everywhere. */
#include "runtime/component.h"

#define SPEC DgAssetSpec
#define SPEC_SHARED_FIELDS                                                                        \
    DG_FIELD_(SPEC, deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY, .of_size = sizeof(DgStr), \
              .flags = DG_BUILD, .doc = "Keys of the assets that this one is made from.",         \
              .example = "[raw/orders]"),                                                         \
    DG_FIELD_STRING(SPEC, description, .flags = DG_BUILD, .doc = "What the asset is."),           \
    DG_FIELD_ANY_MAP(SPEC, metadata, .flags = DG_BUILD, .doc = "Facts about the asset."),         \
    DG_FIELD_STRING(SPEC, group_name, .flags = DG_BUILD,                                          \
                    .doc = "Group the asset is shown in; `default` when not given."),             \
    DG_FIELD_BOOL(SPEC, skippable, .flags = DG_BUILD,                                             \
                  .doc = "The step may leave it out; what depends on it is then skipped."),       \
    DG_FIELD_STRING(SPEC, code_version, .flags = DG_BUILD,                                        \
                    .doc = "Version of the code that makes it; change it when the code changes."),\
    DG_FIELD_STRINGS(SPEC, owners, .flags = DG_BUILD,                                             \
                     .doc = "E-mail addresses, or `team:NAME`.", .example = "[team:data]"),       \
    DG_FIELD_ANY_MAP(SPEC, tags, .flags = DG_BUILD, .doc = "Tags to filter and organise by."),    \
    DG_FIELD_STRINGS(SPEC, kinds, .flags = DG_BUILD, .max = 10,                                   \
                     .doc = "What it is made of, such as `duckdb`, `python`; ten at most."),      \
    DG_FIELD_ANY(SPEC, automation_condition, .flags = DG_BUILD,                                   \
                 .doc = "When it is made by itself: `{{ dg.AutomationCondition.eager() }}`."),    \
    DG_FIELD_ANY(SPEC, partitions_def, .flags = DG_BUILD,                                         \
                 .doc = "Partitions: `{type: hourly|daily|weekly|time_window|static, ...}` or "   \
                        "`{{ dg.DailyPartitionsDefinition(...) }}`."),                            \
    DG_FIELD_ANY(SPEC, freshness_policy, .flags = DG_BUILD,                                       \
                 .doc = "How old it may be, from a template.")

const DgField dg_asset_spec_fields[] = {
    DG_FIELD_ASSET_KEY(SPEC, key, .flags = DG_REQUIRED | DG_BUILD | DG_SHORTHAND,
                       .doc = "Key of the asset, parts joined by `/`.", .example = "raw/orders"),
    SPEC_SHARED_FIELDS,
    {0},
};

const DgField dg_asset_update_fields[] = {
    DG_FIELD_ASSET_KEY(SPEC, key, .flags = DG_BUILD, .doc = "Key in place of the one worked out."),
    DG_FIELD_ANY(SPEC, key_prefix, .flags = DG_BUILD,
                 .doc = "Put before the key: text, or a list of parts."),
    SPEC_SHARED_FIELDS,
    {0},
};

const DgField dg_asset_post_fields[] = {SPEC_SHARED_FIELDS, {0}};

const DgField dg_check_spec_fields[] = {
    DG_FIELD_STRING(DgCheckSpec, name, .flags = DG_REQUIRED | DG_BUILD,
                    .doc = "Name of the check, unique for its asset."),
    DG_FIELD_ASSET_KEY(DgCheckSpec, asset, .flags = DG_REQUIRED | DG_BUILD,
                       .doc = "The asset it judges."),
    DG_FIELD_(DgCheckSpec, additional_deps, DG_F_LIST, DgList, .of_kind = DG_F_ASSET_KEY,
              .of_size = sizeof(DgStr), .flags = DG_BUILD, .doc = "Other assets it reads."),
    DG_FIELD_STRING(DgCheckSpec, description, .flags = DG_BUILD, .doc = "What it looks for."),
    DG_FIELD_BOOL(DgCheckSpec, blocking, .flags = DG_BUILD, .fallback = "false",
                  .doc = "When it fails, what depends on the asset is not run."),
    DG_FIELD_ANY_MAP(DgCheckSpec, metadata, .flags = DG_BUILD, .doc = "Facts about the check."),
    DG_FIELD_ANY(DgCheckSpec, automation_condition, .flags = DG_BUILD,
                 .doc = "When it is run by itself, from a template."),
    {0},
};

const char *const dg_backoff_names[] = {"", "LINEAR", "EXPONENTIAL", NULL};
const char *const dg_jitter_names[] = {"", "FULL", "PLUS_MINUS", NULL};

const DgField dg_retry_policy_fields[] = {
    DG_FIELD_INT(DgRetryPolicy, max_retries, .flags = DG_BUILD, .fallback = "1", .min = 0,
                 .max = 1000, .doc = "How often the step is tried again."),
    DG_FIELD_FLOAT(DgRetryPolicy, delay, .flags = DG_BUILD, .fallback = "0", .min = 0,
                   .max = 1000000, .doc = "Seconds before the next try."),
    DG_FIELD_ENUM(DgRetryPolicy, backoff, .flags = DG_BUILD, .choices = dg_backoff_names,
                  .doc = "How the delay grows: `LINEAR` or `EXPONENTIAL`."),
    DG_FIELD_ENUM(DgRetryPolicy, jitter, .flags = DG_BUILD, .choices = dg_jitter_names,
                  .doc = "Chance in the delay: `FULL` or `PLUS_MINUS`."),
    {0},
};

const DgField dg_op_spec_fields[] = {DG_OP_SPEC_FIELDS(0), {0}};
