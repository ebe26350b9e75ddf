/* mlflow_parts.h - what dgc.MlflowRun, dgc.MlflowModel and dgc.Predict share: where MLflow is, and their steps. */
#ifndef DGC_COMPONENT_MLFLOW_H
#define DGC_COMPONENT_MLFLOW_H

#include "runtime/mlflow/mlflow.h"

extern const DgField dg_mlflow_place_fields[]; /* of a step's config */
void dg_mlflow_check_place(DgPlanner *p, const MlflowPlace *from); /* reports what contradicts itself */
void dg_mlflow_copy_place(DgPlanner *p, const MlflowPlace *from, MlflowPlace *to); /* into a step's config */

/* The fields of a MlflowPlace that stands at byte `base` of a larger struct. */
#define MLFLOW_PLACE_(base, f, k, ...) {.name = #f, .kind = k, .offset = (base) + DG_OFFSET(MlflowPlace, f, DgStr), __VA_ARGS__}
#define MLFLOW_PLACE_FIELDS(base)                                                                                         \
    MLFLOW_PLACE_(base, url, DG_F_STRING, .example = "http://localhost:5000",                                             \
                  .doc = "Address of the tracking server; `databricks`: that of DATABRICKS_HOST. Default: MLFLOW_TRACKING_URI."), \
    MLFLOW_PLACE_(base, token, DG_F_SECRET, .flags = DG_ADVANCED, .doc = "Bearer token; default: MLFLOW_TRACKING_TOKEN."), \
    MLFLOW_PLACE_(base, username, DG_F_STRING, .flags = DG_ADVANCED, .doc = "User; default: MLFLOW_TRACKING_USERNAME."),  \
    MLFLOW_PLACE_(base, password, DG_F_SECRET, .flags = DG_ADVANCED, .doc = "Password; default: MLFLOW_TRACKING_PASSWORD.")

/* What every asset may say about itself. */
typedef struct AboutAsset {
    DgStr description, group;
    DgList tags, kinds, owners, metadata;
} AboutAsset;
#define ABOUT_(base, f, k, CT, ...) {.name = #f, .kind = k, .offset = (base) + DG_OFFSET(AboutAsset, f, CT), __VA_ARGS__}
#define ABOUT_ASSET_FIELDS(base, what)                                                                                    \
    ABOUT_(base, description, DG_F_STRING, DgStr, .flags = DG_BUILD, .doc = "What the " what " is."),                     \
    ABOUT_(base, group, DG_F_STRING, DgStr, .flags = DG_BUILD, .doc = "Group of the asset."),                             \
    ABOUT_(base, tags, DG_F_MAP, DgList, .of_kind = DG_F_STRING, .of_size = sizeof(DgPair), .flags = DG_BUILD, .doc = "Tags of the asset."), \
    ABOUT_(base, kinds, DG_F_LIST, DgList, .of_kind = DG_F_STRING, .of_size = sizeof(DgStr), .flags = DG_BUILD, .doc = "Its kinds."), \
    ABOUT_(base, owners, DG_F_LIST, DgList, .of_kind = DG_F_STRING, .of_size = sizeof(DgStr), .flags = DG_BUILD, .doc = "Its owners."), \
    ABOUT_(base, metadata, DG_F_MAP, DgList, .of_kind = DG_F_ANY, .of_size = sizeof(DgValuePair), .flags = DG_BUILD, .doc = "Its metadata.")
/* Declares it. Kind `mlflow` when none is given. */
void dg_mlflow_asset(DgPlanner *p, const AboutAsset *about, const DgStr *key, DgList deps);

/* ---- dgc.MlflowRun ---- */

typedef struct RunMetrics { /* rows that become metrics: of an asset, or of a query */
    DgStr asset, sql, prefix, step;
    DgCode code;
} RunMetrics;
typedef struct RunDataset {
    DgStr asset, name, context;
} RunDataset;
typedef struct RunArtifact {
    DgStr path, to;          /* of a step: project-relative, or absolute */
} RunArtifact;
typedef struct RunStep {
    DgStr asset, experiment, name;
    MlflowPlace place;
    DgList of;               /* of DgStr: assets it is about */
    DgList params, metrics;  /* of DgValuePair */
    DgList tags;             /* of DgPair */
    DgList sources;          /* of RunMetrics */
    DgList datasets;         /* of RunDataset */
    DgList artifacts;        /* of RunArtifact */
} RunStep;
extern const DgStepOps dg_mlflow_run_ops, dg_mlflow_run_plain_ops /* touches no table */, dg_mlflow_end_ops;

/* Parts of the step: run_data.c. */
DgStatus dg_mlflow_log_metrics(Mlflow *m, const MlflowRun *run, const RunStep *c, int64_t *count, DgError *err);
DgStatus dg_mlflow_log_datasets(Mlflow *m, const MlflowRun *run, const RunStep *c, DgError *err);
DgStatus dg_mlflow_log_artifacts(Mlflow *m, const MlflowRun *run, const RunStep *c, int64_t *count, DgError *err);

/* ---- dgc.MlflowModel ---- */

typedef struct ModelStep {
    DgStr asset, name;
    MlflowPlace place;
    DgStr run, artifact;     /* asset that tells its MLflow run; what of it is the model */
    DgStr source;            /* or where it is */
    DgList aliases;          /* of DgStr */
    DgList tags;             /* of DgPair */
    int64_t wait;            /* nanoseconds */
    DgStr promote, judged, check; /* alias that moves when this check of this asset passes, and `when` is true */
    DgCode when;
} ModelStep;
extern const DgStepOps dg_mlflow_model_ops, dg_mlflow_model_plain_ops /* touches no table */;

#endif
