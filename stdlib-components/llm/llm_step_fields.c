/* llm_step_fields.c - the settings of dgc.Llm as a step. */
#include "runtime/llm/llm_step.h"

#include "runtime/os/os.h"

const DgField llm_example_fields[] = {
    DG_FIELD_STRING(LlmExample, input, .flags = DG_REQUIRED, .doc = "What is asked."),
    DG_FIELD_STRING(LlmExample, output, .flags = DG_REQUIRED, .doc = "What is to be answered; JSON when `output` is given."),
    {0},
};

const DgField llm_step_fields[] = {
    DG_FIELD_ASSET_KEY(LlmStep, from, .doc = "The asset it reads."),
    DG_FIELD_ASSET_KEY(LlmStep, asset, .doc = "The asset it makes."),
    DG_FIELD_STRUCT(LlmStep, llm, LlmSettings, llm_settings_fields, .doc = "Model and budget."),
    DG_FIELD_CODE(LlmStep, prompt, .doc = "Renders the question."),
    DG_FIELD_STRING(LlmStep, rule, .doc = "What the task says."),
    DG_FIELD_STRING(LlmStep, system, .doc = "What holds for every question."),
    DG_FIELD_STRING(LlmStep, image, .doc = "Column with images."),
    DG_FIELD_STRING(LlmStep, effort, .doc = "Of reasoning."),
    DG_FIELD_STRING(LlmStep, column, .doc = "Column of an answer that is text."),
    DG_FIELD_STRUCT_MAP(LlmStep, output, OutputField, output_fields, .doc = "Fields of the answer."),
    DG_FIELD_STRUCTS(LlmStep, examples, LlmExample, llm_example_fields, .doc = "Examples."),
    DG_FIELD_STRINGS(LlmStep, keep, .doc = "Columns that are kept."),
    DG_FIELD_INT(LlmStep, tokens_max, .doc = "Of an answer."),
    DG_FIELD_INT(LlmStep, repairs, .doc = "Rounds of mending."),
    DG_FIELD_INT(LlmStep, limit, .doc = "Rows at most; 0: all."),
    DG_FIELD_INT(LlmStep, pack, .doc = "Rows of a call."),
    DG_FIELD_INT(LlmStep, seed, .doc = "Seed."),
    DG_FIELD_BOOL(LlmStep, batch, .doc = "In batches."),
    DG_FIELD_FLOAT(LlmStep, temperature, .doc = "Temperature."),
    {0},
};

DgStatus llm_schema(DgStepRun *sr, void (*write)(const DgList *fields, StrBuf *out), const DgList *fields, DgStr *out, DgError *err)
{
    StrBuf b = {0};
    write(fields, &b);
    *out = step_copy(sr, buf_str(&b));
    bool failed = b.failed || !out->len;
    buf_free(&b);
    return failed ? os_no_memory(err, "for a schema") : DG_OK;
}
