/* place.c - attributes that the MLflow components share. */
#include "stdlib-components/mlflow/mlflow_parts.h"

const DgField dg_mlflow_place_fields[] = {
    DG_FIELD_STRING(MlflowPlace, url, .doc = "Address."),
    DG_FIELD_STRING(MlflowPlace, token, .doc = "Bearer token."),
    DG_FIELD_STRING(MlflowPlace, username, .doc = "User."),
    DG_FIELD_STRING(MlflowPlace, password, .doc = "Password."),
    {0},
};

void dg_mlflow_check_place(DgPlanner *p, const MlflowPlace *from)
{
    bool user = p->api->is_set(p, &from->username), password = p->api->is_set(p, &from->password);
    if (p->api->is_set(p, &from->token) && (user || password))
        p->api->report(p, "E0110", user ? &from->username : &from->password, "keep one of them", "`token` and a user with a password are two ways to say who asks");
    else if (user != password)
        p->api->report(p, "E0106", user ? &from->username : &from->password, user ? "add `password: \"{{ env('MLFLOW_PASSWORD') }}\"`" : "add `username`",
                       "`username` and `password` belong together");
    if (p->api->is_set(p, &from->url) && p->api->is_known(p, &from->url) && !str_eq(from->url, S("databricks")) && !str_starts(from->url, S("http://")) &&
        !str_starts(from->url, S("https://")))
        p->api->report(p, "E0110", &from->url, "write an address such as http://localhost:5000, or `databricks`; a folder or database is served by `mlflow server`",
                       "`%.*s` is no address of an MLflow server", FMT(from->url));
}

void dg_mlflow_copy_place(DgPlanner *p, const MlflowPlace *from, MlflowPlace *to)
{
    p->api->copy(p, &to->url, &from->url, sizeof(DgStr));
    p->api->copy(p, &to->token, &from->token, sizeof(DgStr));
    p->api->copy(p, &to->username, &from->username, sizeof(DgStr));
    p->api->copy(p, &to->password, &from->password, sizeof(DgStr));
}

void dg_mlflow_asset(DgPlanner *p, const AboutAsset *about, const DgStr *key, DgList deps)
{
    DgStr *kind = p->api->alloc(p, sizeof *kind);
    *kind = (DgStr)DG_S("mlflow");
    p->api->asset(p, &(DgAssetDecl){.key = *key, .description = about->description, .group = about->group, .deps = deps,
                                    .kinds = about->kinds.count ? about->kinds : (DgList){kind, 1}, .owners = about->owners, .tags = about->tags,
                                    .metadata = about->metadata, .at = key});
}
