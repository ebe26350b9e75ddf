/* connection.c - dagster_duckdb.DuckDBConnectionComponent: a DuckDB database, by reference.
 *
 * Makes nothing itself. Components that run SQL name it: `{{ context.load_component('...') }}`. */
#include "runtime/component.h"

typedef struct Config {
    DgStr database;
    DgList connection_config;
    DgStr resource_key;
} Config;

static const DgField fields[] = {
    DG_FIELD_STRING(Config, database, .flags = DG_REQUIRED,
                    .doc = "File of the database, from the project's folder.",
                    .example = "data/warehouse.duckdb"),
    DG_FIELD_ANY_MAP(Config, connection_config, .flags = DG_BUILD,
                     .doc = "DuckDB's settings for connections to it."),
    DG_FIELD_STRING(Config, resource_key, .flags = DG_BUILD,
                    .doc = "Name under which it is listed as a resource."),
    {0},
};

static void connection_plan(DgPlanner *p, const void *data)
{
    const Config *config = data;
    DgStr md = DG_S("md:");
    if (config->database.len >= 3 && memcmp(config->database.ptr, md.ptr, 3) == 0)
        p->api->report(p, "E0110", &config->database, "use a file, such as data/warehouse.duckdb",
                       "MotherDuck databases cannot be reached from here");
    if (config->resource_key.len)
        p->api->resource(p, &(DgResourceDecl){.name = config->resource_key,
                                              .type = DG_S("DuckDBResource"),
                                              .at = &config->resource_key});
}

static const char *const aliases[] = {
    "dagster_duckdb.components.DuckDBConnectionComponent",
    "dagster_duckdb.components.duckdb_connection.DuckDBConnectionComponent",
    "dagster_duckdb.DuckDBResourceComponent",
    NULL,
};

const DgComponent dg_component_duckdb_connection = {
    .name = "dagster_duckdb.DuckDBConnectionComponent",
    .aliases = aliases,
    .summary = "A DuckDB database that other components run SQL on.",
    .example = "type: dagster_duckdb.DuckDBConnectionComponent\n"
               "attributes:\n"
               "  database: data/warehouse.duckdb\n",
    .fields = fields,
    .config_size = sizeof(Config),
    .plan = connection_plan,
};
