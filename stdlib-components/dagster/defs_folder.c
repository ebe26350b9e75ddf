/* defs_folder.c - dagster.DefsFolderComponent: a folder whose defs.yaml speaks for all below it. */
#include "runtime/component.h"

typedef struct Config {
    char none;
} Config;

static const char *const aliases[] = {
    "dagster.components.DefsFolderComponent",
    "dagster.components.core.defs_module.DefsFolderComponent",
    NULL,
};

const DgComponent dg_component_defs_folder = {
    .name = "dagster.DefsFolderComponent",
    .aliases = aliases,
    .summary = "A folder: its post_processing and template vars hold for everything below it.",
    .example = "type: dagster.DefsFolderComponent\n"
               "post_processing:\n"
               "  assets:\n"
               "    - target: \"*\"\n"
               "      attributes:\n"
               "        group_name: raw\n",
    .config_size = sizeof(Config),
};
