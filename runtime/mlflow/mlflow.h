/* mlflow.h - an MLflow tracking server, spoken to by REST 2.0: one call after another, by the services of the run.
 *
 * Where it is and who asks is what MLflow's own programs go by: MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN (or
 * MLFLOW_TRACKING_USERNAME and _PASSWORD); with `databricks` as address DATABRICKS_HOST and DATABRICKS_TOKEN.
 *
 * What dgc made is found again by two tags: dgc.run_id, the run of the pipeline (of a resumed one: the first), and
 * dgc.step. So a step that died anywhere goes on with the same MLflow run, or model version, as before.
 */
#ifndef DGC_MLFLOW_H
#define DGC_MLFLOW_H

#include "runtime/net/rest.h"

typedef struct MlflowPlace { /* what a component's attributes say; what is empty comes from the environment */
    DgStr url, token, username, password;
} MlflowPlace;

typedef struct Mlflow {
    DgStepRun *run;
    Rest rest;
    Str run_id, step;        /* values of the two tags */
    Str now;                 /* milliseconds since 1970, when it was opened */
    Str version, source;     /* what else is told in tags: dgc's version, the pipeline */
} Mlflow;

/* `step` names the step and, where there are, its partition. */
DgStatus mlflow_open(Mlflow *m, DgStepRun *run, const MlflowPlace *place, Str step, DgError *err);
void mlflow_close(Mlflow *m);

/* A call of /api/2.0/mlflow/PATH. `body` is taken over and freed; NULL: none. DG_END: what it names is not there.
 * *answer (may be NULL) lives until the next mlflow_begin(). */
void mlflow_begin(Mlflow *m); /* gives rest.arena free */
DgStatus mlflow_call(Mlflow *m, const char *method, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err);
/* The same, for what makes a thing anew each time: not repeated when it may have arrived (DG_UNAVAILABLE). */
DgStatus mlflow_create(Mlflow *m, Str path, StrBuf *body, DgValue *answer, const char *what, DgError *err);
bool mlflow_exists(const Mlflow *m); /* the last call failed since it is there already */
/* Content of a file to /api/2.0/mlflow-artifacts/artifacts/PATH. */
DgStatus mlflow_put(Mlflow *m, Str path, Str content, const char *what, DgError *err);

typedef struct MlflowRun {
    Str id, experiment_id, artifact_uri, status, url; /* url: of its page */
    Str start;               /* milliseconds, text: what is logged again has the same time, so that it is there once */
} MlflowRun;
/* The run that these tags name. DG_END: there is none. Strings live as long as the Mlflow. */
DgStatus mlflow_find_run(Mlflow *m, Str experiment_id, MlflowRun *out, DgError *err);
DgStatus mlflow_find_experiment(Mlflow *m, Str name, bool make, Str *id, DgError *err); /* DG_END: none, and not to be made */
DgStatus mlflow_make_run(Mlflow *m, Str experiment_id, Str name, MlflowRun *out, DgError *err); /* or finds it */
DgStatus mlflow_get_run(Mlflow *m, Str id, DgValue *answer, DgError *err);
DgStatus mlflow_end_run(Mlflow *m, Str id, const char *status, DgError *err);

/* {"key":...,"value":...} */
void mlflow_pair(StrBuf *b, Str key, Str value);
void mlflow_member(StrBuf *b, const char *name, Str value); /* "name":"value" */

#endif
