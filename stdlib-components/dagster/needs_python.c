/* needs_python.c - Dagster's component types whose meaning is Python code.
 *
 * Known by name, so that a project that has one is told what to do instead of "no such type". */
#include "runtime/component.h"

static const char *const function_aliases[] = {
    "dagster.components.FunctionComponent",
    "dagster.components.lib.executable_component.function_component.FunctionComponent", NULL};
const DgComponent dg_component_dagster_function = {
    .name = "dagster.FunctionComponent",
    .aliases = function_aliases,
    .summary = "Assets made by a Python function inside Dagster.",
    .needs_python = "put the function into a script and use `dagster.PythonScriptComponent`: it "
                    "takes the same `assets` and `checks`",
};

static const char *const definitions_aliases[] = {
    "dagster.components.DefinitionsComponent",
    "dagster.components.lib.definitions_component.DefinitionsComponent",
    "dagster_components.dagster.DefinitionsComponent", NULL};
const DgComponent dg_component_dagster_definitions = {
    .name = "dagster.DefinitionsComponent",
    .aliases = definitions_aliases,
    .summary = "Definitions of a Python file, loaded by Dagster.",
    .needs_python = "write the assets as components; Python that makes them runs as a step of "
                    "`dagster.PythonScriptComponent` or `dgc.Script`",
};

static const char *const sql_aliases[] = {
    "dagster.components.SqlComponent",
    "dagster.components.lib.sql_component.sql_component.SqlComponent", NULL};
const DgComponent dg_component_dagster_sql = {
    .name = "dagster.SqlComponent",
    .aliases = sql_aliases,
    .summary = "Base class of SQL components, to be subclassed in Python.",
    .needs_python = "use `dagster.TemplatedSqlComponent`, or `dgc.SqlModels` for a folder of models",
};

static const char *const dlt_aliases[] = {
    "dagster_dlt.components.DltLoadCollectionComponent",
    "dagster_components.dagster_dlt.DltLoadCollectionComponent", NULL};
const DgComponent dg_component_dlt_load_collection = {
    .name = "dagster_dlt.DltLoadCollectionComponent",
    .aliases = dlt_aliases,
    .summary = "dlt pipelines, loaded from Python by Dagster.",
    .needs_python = "run the pipeline as a script, `python loads.py`, with "
                    "`dagster.PythonScriptComponent`",
};
