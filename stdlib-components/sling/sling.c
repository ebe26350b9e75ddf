/* sling.c - dagster_sling.SlingReplicationCollectionComponent: Sling's files, compiled. */
#include "stdlib-components/sling/replication.h"

typedef struct File {
    DgStr path;
    DgOpSpec op;
    DgValue translation;
    DgList include_metadata; /* of DgStr */
} File;

static const DgField op_fields[] = {DG_OP_SPEC_FIELDS(0), {0}};

static const DgField file_fields[] = {
    DG_FIELD_PATH(File, path, .flags = DG_REQUIRED | DG_BUILD | DG_SHORTHAND, .example = "replication.yaml", .doc = "The replication, from the component's folder."),
    DG_FIELD_STRUCT(File, op, DgOpSpec, op_fields, .flags = DG_ADVANCED, .doc = "Name, tags, pool and retries of its steps."),
    DG_FIELD_ANY(File, translation, .flags = DG_NO_TEMPLATE | DG_ADVANCED, .doc = "Changes to its assets; `stream_definition` is in scope."),
    DG_FIELD_STRINGS(File, include_metadata, .flags = DG_BUILD | DG_ADVANCED, .doc = "`column_metadata`, `row_count`."),
    {0},
};

typedef struct Old { /* `sling: {connections: [...]}` */
    DgList connections;  /* of DgConnEntry */
} Old;

static const DgField old_fields[] = {
    DG_FIELD_STRUCTS(Old, connections, DgConnEntry, dg_conn_item_fields, .flags = DG_ADVANCED, .doc = "Connections, each with its `name`."),
    {0},
};

typedef struct Config {
    DgList connections;  /* of DgConnEntry */
    DgList replications; /* of File */
    Old sling;
} Config;

static const DgField fields[] = {
    DG_FIELD_STRUCT_MAP(Config, connections, DgConnEntry, dg_conn_entry_fields, .example = "{MY_PG: {type: postgres, host: localhost, user: me, database: shop}}",
                        .doc = "Connections by name. One that is not here is looked for in the environment."),
    DG_FIELD_STRUCTS(Config, replications, File, file_fields, .example = "[{path: replication.yaml}]", .doc = "Sling's replication files."),
    DG_FIELD_STRUCT(Config, sling, Old, old_fields, .flags = DG_DEPRECATED | DG_ADVANCED, .doc = "write the connections under `connections`, by name"),
    {0},
};

/* `a/b/replication.yaml`: replication. */
static DgStr stem(DgStr path)
{
    ptrdiff_t start = path.len, end;
    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    for (end = start; end < path.len && path.ptr[end] != '.'; end++)
        ;
    return (DgStr){path.ptr + start, end - start};
}

static void sling_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    DgList connections = config->connections.count ? config->connections : config->sling.connections;
    for (size_t i = 0; i < config->replications.count; i++) {
        const File *file = &DG_ITEMS(File, config->replications)[i];
        DgStr path = p->api->resolve(p, &file->path, file->path);
        const Replication *r = p->api->document(p, &file->path, path, dg_replication_fields, sizeof *r);
        if (!r)
            continue;
        dg_replication_plan(p, r, &(ReplicationContext){
            .name = file->op.name.len ? file->op.name : stem(path), .file = path, .connections = connections, .op = &file->op,
            .translation = &file->translation, .include_metadata = file->include_metadata, .at = &file->path});
    }
}

static const char *const aliases[] = {
    "dagster_sling.components.SlingReplicationCollectionComponent",
    "dagster_sling.components.sling_replication_collection.component.SlingReplicationCollectionComponent",
    "dagster_sling.SlingReplicationCollection",
    "dagster_components.dagster_sling.SlingReplicationCollectionComponent",
    NULL,
};

const DgComponent dg_component_sling = {
    .name = "dagster_sling.SlingReplicationCollectionComponent",
    .aliases = aliases,
    .summary = "Sling's replication files: tables and files moved between databases and stores, compiled.",
    .doc = "The files are Sling's own; [Moving from Sling](../../how-to/sling.md) says key by key what is done.\n"
           "Each stream is a step: it can be selected, retried and resumed alone. Cursor and rows are committed in one\n"
           "transaction of the target.",
    .example = "type: dagster_sling.SlingReplicationCollectionComponent\n"
               "attributes:\n"
               "  connections:\n"
               "    SHOP: {type: sqlite, instance: shop.db}\n"
               "  replications:\n"
               "    - path: replication.yaml\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = sling_plan,
    .steps = dg_replication_steps,
};
