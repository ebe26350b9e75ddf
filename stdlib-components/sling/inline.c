/* inline.c - dgc.Replication: a replication written where the component is. */
#include "stdlib-components/sling/replication.h"

typedef struct Config {
    DgStr name;
    DgList connections; /* of DgConnEntry */
    Replication r;
    DgValue translation;
    DgList include_metadata;
} Config;

#define WITHIN(f, k, CT, ...) {.name = #f, .kind = k, .offset = offsetof(Config, r) + DG_OFFSET(Replication, f, CT), __VA_ARGS__}
static const DgField fields[] = {
    DG_FIELD_STRING(Config, name, .flags = DG_BUILD, .doc = "Name of the replication: part of its steps' names and of its state's key."),
    DG_FIELD_STRUCT_MAP(Config, connections, DgConnEntry, dg_conn_entry_fields, .example = "{MY_PG: {type: postgres, host: localhost, user: me, database: shop}}",
                        .doc = "Connections by name. One that is not here is looked for in the environment."),
    WITHIN(source, DG_F_STRING, DgStr, .flags = DG_REQUIRED, .example = "MY_PG", .doc = "Connection that rows come from."),
    WITHIN(target, DG_F_STRING, DgStr, .flags = DG_REQUIRED, .example = "warehouse", .doc = "Connection that rows go to; `warehouse` is the pipeline's own DuckDB file."),
    WITHIN(defaults, DG_F_STRUCT, DgStreamSettings, .of = dg_stream_fields, .of_size = sizeof(DgStreamSettings), .doc = "Settings of all streams that do not say otherwise."),
    WITHIN(streams, DG_F_MAP, DgList, .of_kind = DG_F_STRUCT, .of = dg_stream_fields, .of_size = sizeof(DgStreamSettings), .flags = DG_REQUIRED,
           .example = "{public.orders: {object: main.orders}}", .doc = "Tables, `schema.*`, files or queries, each with its settings."),
    WITHIN(hooks, DG_F_STRUCT, DgHooks, .of = dg_hook_fields, .of_size = sizeof(DgHooks), .flags = DG_ADVANCED, .doc = "What runs before the first and after the last stream."),
    WITHIN(env, DG_F_MAP, DgList, .of_kind = DG_F_ANY, .of_size = sizeof(DgValuePair), .doc = "Variables, and Sling's settings (`SLING_LOADED_AT_COLUMN` ...)."),
    DG_FIELD_ANY(Config, translation, .flags = DG_NO_TEMPLATE | DG_ADVANCED, .doc = "Changes to its assets; `stream_definition` is in scope."),
    DG_FIELD_STRINGS(Config, include_metadata, .flags = DG_BUILD | DG_ADVANCED, .doc = "`column_metadata`, `row_count`."),
    {0},
};

/* `src/p/defs/ingest/defs.yaml[0]`: the folder's name. */
static DgStr folder_name(DgPlanner *p)
{
    DgStr folder = p->api->folder(p);
    ptrdiff_t start = folder.len;
    while (start > 0 && folder.ptr[start - 1] != '/')
        start--;
    return (DgStr){folder.ptr + start, folder.len - start};
}

static void inline_plan(DgPlanner *p, const void *data)
{
    const Config *c = data;
    dg_replication_plan(p, &c->r, &(ReplicationContext){.name = c->name.len ? c->name : folder_name(p), .connections = c->connections,
                                                        .translation = &c->translation, .include_metadata = c->include_metadata,
                                                        .at = &c->r.source});
}

const DgComponent dg_component_replication = {
    .name = "dgc.Replication",
    .summary = "Tables and files moved between databases and stores; Sling's replication, written in place.",
    .doc = "Keys and meanings are those of Sling's replication.yaml; see [Moving from Sling](../../how-to/sling.md).",
    .example = "type: dgc.Replication\n"
               "attributes:\n"
               "  connections:\n"
               "    SHOP: {type: sqlite, instance: shop.db}\n"
               "  source: SHOP\n"
               "  target: warehouse\n"
               "  defaults: {mode: full-refresh, object: \"shop.{stream_table}\"}\n"
               "  streams:\n"
               "    orders: {mode: incremental, primary_key: id, update_key: updated_at}\n"
               "    customers:\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = inline_plan,
    .steps = dg_replication_steps,
};
