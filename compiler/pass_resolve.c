/* pass_resolve.c - attributes become config structs, by the component's field table. */
#include "compiler/pass.h"

void pass_resolve(Builder *b, Instance *const *instances, size_t count)
{
    Plan *plan = b->plan;
    for (size_t i = 0; i < count; i++)
        map_put(plan->arena, &b->instances, instances[i]->id, instances[i]);
    for (size_t i = 0; i < count; i++) {
        Instance *in = instances[i];
        const YamlNode *type = yaml_get(in->document, S("type"));
        const YamlEntry *attributes = yaml_entry(in->document, S("attributes"));
        ConfigTarget target = {str_from(in->component->name), in->component->fields,
                               in->component->config_size, in->component->flags};
        Config *config = push(plan->arena, Config, 1);
        b->current = in;
        *config = config_fill(plan->arena, plan->diag, in->names, &target, in->attributes,
                              attributes ? attributes->key->at
                              : type     ? type->at
                                         : in->document->at);
        in->filled = config;
        in->config = config->ok ? config->data : NULL;
        builder_add_config(b, config);
    }
    b->current = NULL;
}
