/* scaffold_text.c - the texts of new projects and of a new component type. */
#include "compiler/scaffold.h"

/* ---- A component type: rows from a counter, until its author has something better ---- */

static const char component_text[] =
    "/* {file}.c - {type}: one sentence about what it brings in.\n"
    " *\n"
    " * A component type of this project. dgc compiles it whenever the project is read; `dgc check`,\n"
    " * `dgc explain {type}` and editors then know its attributes. It includes no header of libc, so\n"
    " * it compiles wherever dgc runs; runtime/component.h says what it may call.\n"
    " */\n"
    "#include \"runtime/component.h\"\n"
    "\n"
    "typedef struct Config { /* what stands under `attributes` */\n"
    "    DgStr asset;\n"
    "    int64_t rows;\n"
    "} Config;\n"
    "\n"
    "static const DgField fields[] = {\n"
    "    DG_FIELD_ASSET_KEY(Config, asset, .flags = DG_REQUIRED | DG_BUILD, .example = \"raw/{file}\",\n"
    "                       .doc = \"The asset it makes.\"),\n"
    "    DG_FIELD_INT(Config, rows, .min = 0, .max = 1e9, .fallback = \"10\", .doc = \"How many rows.\"),\n"
    "    {0},\n"
    "};\n"
    "\n"
    "/* ---- Run time: one attempt at the step ---- */\n"
    "\n"
    "static const DgColumn columns[] = {\n"
    "    {DG_S(\"id\"), {DG_INT64, 0, 0}, true, {0, 0}},\n"
    "    {DG_S(\"half\"), {DG_FLOAT64, 0, 0}, false, {0, 0}},\n"
    "};\n"
    "enum { ID, HALF, COLUMNS_COUNT };\n"
    "\n"
    "typedef struct State { /* zeroed at first */\n"
    "    int64_t next;\n"
    "} State;\n"
    "\n"
    "static DgStatus {name}_open(DgStepRun *run, const void *config, void *state, DgError *err)\n"
    "{\n"
    "    DgLoad load = {DG_REPLACE, columns, COLUMNS_COUNT};\n"
    "    load.lanes_max = 1; /* `next` is not shared */\n"
    "    return dg_load(run, &load, err);\n"
    "}\n"
    "\n"
    "/* Fills one batch at a time; DG_END with the last. */\n"
    "static DgStatus {name}_read(DgStepRun *run, const void *config, void *state, void *lane,\n"
    "                            DgBatch *out, DgError *err)\n"
    "{\n"
    "    const Config *c = config;\n"
    "    State *s = state;\n"
    "    while (s->next < c->rows && out->rows < out->rows_max) {\n"
    "        ((int64_t *)out->vectors[ID].values)[out->rows] = s->next;\n"
    "        ((double *)out->vectors[HALF].values)[out->rows] = (double)s->next / 2;\n"
    "        out->rows++;\n"
    "        s->next++;\n"
    "    }\n"
    "    return s->next < c->rows ? DG_OK : DG_END;\n"
    "}\n"
    "\n"
    "/* Not static: the emitted program refers to it by `symbol`. */\n"
    "const DgStepOps dg_{name}_ops = {\n"
    "    .name = \"{type}\",\n"
    "    .symbol = \"dg_{name}_ops\",\n"
    "    .role = DG_SOURCE,\n"
    "    .fields = fields,\n"
    "    .config_size = sizeof(Config),\n"
    "    .state_size = sizeof(State),\n"
    "    .open = {name}_open,\n"
    "    .read = {name}_read,\n"
    "};\n"
    "\n"
    "/* ---- Compile time: what it declares ---- */\n"
    "\n"
    "static void {name}_plan(DgPlanner *p, const void *config)\n"
    "{\n"
    "    const Config *c = config;\n"
    "    DgAssetDecl asset = {.key = c->asset, .columns = columns, .columns_count = COLUMNS_COUNT,\n"
    "                         .at = &c->asset};\n"
    "    p->api->asset(p, &asset);\n"
    "    DgStepDecl step = {.ops = &dg_{name}_ops, .config = c, .assets = {(void *)&c->asset, 1}};\n"
    "    p->api->step(p, &step);\n"
    "}\n"
    "\n"
    "static const DgStepOps *const steps[] = {&dg_{name}_ops, NULL};\n"
    "\n"
    "const DgComponent dg_component_{name} = {\n"
    "    .name = \"{type}\",\n"
    "    .summary = \"One sentence about what it brings in.\",\n"
    "    .example = \"type: {type}\\nattributes: {asset: raw/{file}, rows: 3}\\n\",\n"
    "    .fields = fields,\n"
    "    .config_size = sizeof(Config),\n"
    "    .plan = {name}_plan,\n"
    "    .steps = steps,\n"
    "};\n";

static Str identifier(Arena *a, Str type)
{
    Str out = str_lower(a, type);
    char *p = str_cstr(a, out);
    for (ptrdiff_t i = 0; i < out.len; i++)
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9')))
            p[i] = '_';
    return (Str){p, out.len};
}

static const char fixture_text[] =
    "name: as many rows as were asked for\n"
    "given:\n"
    "  files:\n"
    "    defs/{file}/defs.yaml: |\n"
    "      type: {type}\n"
    "      attributes: {asset: test/{file}, rows: 3}\n"
    "when: {select: test/{file}}\n"
    "then:\n"
    "  rows:\n"
    "    test/{file}:\n"
    "      - {id: 0, half: 0}\n"
    "      - {id: 1, half: 0.5}\n"
    "      - {id: 2, half: 1}\n";

static Str fill_in(Arena *a, const char *text, Str type)
{
    ptrdiff_t dot = type.len;
    while (dot > 0 && type.ptr[dot - 1] != '.')
        dot--;
    Str out = str_replace(a, str_from(text), S("{type}"), type);
    out = str_replace(a, out, S("{name}"), identifier(a, type));
    return str_replace(a, out, S("{file}"), identifier(a, str_sub(type, dot, type.len)));
}

Str scaffold_component(Arena *a, Str type)
{
    return fill_in(a, component_text, type);
}

Str scaffold_fixture(Arena *a, Str type)
{
    return fill_in(a, fixture_text, type);
}

/* ---- Projects ---- */

#define IGNORE "/.dgc/\n/.env\n/*.bin\n"

static const ScaffoldFile shop_files[] = {
    {"dgc.yaml", "name: {name}\n"
                 "vars:\n"
                 "  small_order: 10\n"},
    {".gitignore", IGNORE},
    {"README.md", "# {name}\n"
                  "\n"
                  "    dgc check                  every mistake, with place and fix\n"
                  "    dgc run                    compile in memory and run\n"
                  "    dgc test                   the tests in tests/, each in a sandbox\n"
                  "    dgc build -o {name}.bin    one executable; `./{name}.bin run` on any machine\n"
                  "\n"
                  "`defs/` holds the components: a CSV file is loaded, a SQL model adds it up, checks\n"
                  "judge both, a schedule says when.\n"},
    {"data/orders.csv", "id,customer,ordered_on,amount\n"
                        "1,Ada,2024-01-03,40.50\n"
                        "2,Grace,2024-01-05,12.00\n"
                        "3,Ada,2024-01-21,99.95\n"
                        "4,Edsger,2024-02-02,7.30\n"
                        "5,Grace,2024-02-14,150.00\n"
                        "6,Barbara,2024-02-29,61.25\n"},
    {"defs/raw/defs.yaml", "# yaml-language-server: $schema=../../.dgc/schema.json\n"
                           "type: dgc.Files\n"
                           "attributes:\n"
                           "  path: ../../data/orders.csv\n"
                           "  asset: raw/orders\n"
                           "---\n"
                           "type: dgc.Checks\n"
                           "attributes:\n"
                           "  asset: raw/orders\n"
                           "  checks:\n"
                           "    - {unique: id}\n"
                           "    - {not_null: [customer, amount]}\n"},
    {"defs/marts/defs.yaml", "# yaml-language-server: $schema=../../.dgc/schema.json\n"
                             "type: dgc.SqlModels\n"
                             "attributes:\n"
                             "  path: models\n"
                             "  prefix: marts\n"
                             "  materialized: table\n"
                             "  group: marts\n"
                             "---\n"
                             "type: dgc.Checks\n"
                             "attributes:\n"
                             "  asset: marts/customers\n"
                             "  checks:\n"
                             "    - {range: {column: spent, min: 0}}\n"},
    {"defs/marts/models/customers.sql", "-- What each customer has spent, small orders left out.\n"
                                        "select customer, count(*) as orders, sum(amount) as spent\n"
                                        "from {{ source('raw', 'orders') }}\n"
                                        "where amount >= {{ var('small_order') }}\n"
                                        "group by customer\n"},
    {"defs/ops/defs.yaml", "# yaml-language-server: $schema=../../.dgc/schema.json\n"
                           "type: dgc.Schedule\n"
                           "attributes:\n"
                           "  name: nightly\n"
                           "  cron: \"0 2 * * *\"\n"
                           "  timezone: UTC\n"
                           "  target: \"*\"\n"},
    {"tests/customers.yaml", "name: small orders do not count\n"
                             "given:\n"
                             "  tables:\n"
                             "    raw/orders:\n"
                             "      - {id: 1, customer: Ada, amount: 40.5}\n"
                             "      - {id: 2, customer: Ada, amount: 9.99}\n"
                             "when: {select: marts/customers}\n"
                             "then:\n"
                             "  rows:\n"
                             "    marts/customers:\n"
                             "      - {customer: Ada, orders: 1, spent: 40.5}\n"},
    {0},
};

static const ScaffoldFile empty_files[] = {
    {"dgc.yaml", "name: {name}\n"},
    {".gitignore", IGNORE},
    {"defs/.gitkeep", ""},
    {0},
};

static const ScaffoldFile dagster_files[] = {
    {"pyproject.toml", "[project]\n"
                       "name = \"{name}\"\n"
                       "requires-python = \">=3.10\"\n"
                       "version = \"0.1.0\"\n"
                       "dependencies = [\"dagster>=1.13\"]\n"
                       "\n"
                       "[tool.dg]\n"
                       "directory_type = \"project\"\n"
                       "\n"
                       "[tool.dg.project]\n"
                       "root_module = \"{module}\"\n"},
    {".gitignore", IGNORE "__pycache__/\n.venv/\n"},
    {"src/{module}/__init__.py", ""},
    {"src/{module}/definitions.py", "from pathlib import Path\n"
                                    "\n"
                                    "from dagster import definitions, load_from_defs_folder\n"
                                    "\n"
                                    "\n"
                                    "@definitions\n"
                                    "def defs():\n"
                                    "    return load_from_defs_folder(path_within_project=Path(__file__).parent)\n"},
    {"src/{module}/defs/__init__.py", ""},
    {"src/{module}/defs/hello/hello.py", "print(\"hello\")\n"},
    {"src/{module}/defs/hello/defs.yaml", "# yaml-language-server: $schema=../../../../.dgc/schema.json\n"
                                          "type: dagster.PythonScriptComponent\n"
                                          "attributes:\n"
                                          "  execution:\n"
                                          "    path: hello.py\n"
                                          "  assets:\n"
                                          "    - key: hello\n"},
    {0},
};

const ScaffoldTemplate scaffold_templates[] = {
    {"shop", "a CSV file, a SQL model, checks and a schedule", shop_files},
    {"empty", "the settings and an empty folder for definitions", empty_files},
    {"dagster", "Dagster's layout: the same files run with dg and with dgc", dagster_files},
    {0},
};
