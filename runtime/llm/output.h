/* output.h - what an answer must look like: fields with types, sent as a JSON Schema, checked on what comes back.
 *
 * `output` of dgc.Llm is a mapping of names to a type, or to {type, enum, description, nullable, min, max}. The same
 * fields are columns of the table.
 */
#ifndef DGC_LLM_OUTPUT_H
#define DGC_LLM_OUTPUT_H

#include "runtime/component.h"
#include "runtime/eval/value.h"

/* Lists and json are JSON columns. */
#define OUTPUT_TYPES(X)                                                                                                    \
    X(STRING, "string", DG_TEXT) X(INT, "int", DG_INT64) X(FLOAT, "float", DG_FLOAT64) X(BOOL, "bool", DG_BOOL)             \
    X(DATE, "date", DG_DATE) X(TIMESTAMP, "timestamp", DG_TIMESTAMP) X(JSON, "json", DG_JSON) X(STRINGS, "string[]", DG_JSON) \
    X(INTS, "int[]", DG_JSON) X(FLOATS, "float[]", DG_JSON)
typedef enum OutputType {
#define X(name, text, column) OUTPUT_##name,
    OUTPUT_TYPES(X)
#undef X
} OutputType;

typedef struct OutputField {
    DgStr key;                /* column; also the name in the answer */
    int32_t type;             /* OutputType */
    bool nullable;
    DgList choices;           /* `enum`, of DgStr; of strings and lists of them; empty: any */
    DgStr description;
    double min, max;          /* beyond -9e15, 9e15: none */
} OutputField;
extern const DgField output_fields[];

DgType output_column_type(const OutputField *f);
/* {"type":"object",...}: every field required, none besides. */
void output_schema(const DgList *fields, StrBuf *out);
/* The JSON of an answer, though it stands in a fence or after a word. */
bool output_read(DgEval *ev, DgStr answer, DgValue *out, DgError *err);
/* Checks an answer. Empty: it fits, and values[i] is that of field i (NONE: null). Else what is wrong, in words by
 * which a model can mend it. */
DgStr output_check(DgEval *ev, const DgList *fields, DgStr answer, DgValue *values);
/* The same of values that have been taken apart; UNDEFINED: not there. */
DgStr output_check_values(DgEval *ev, const DgList *fields, DgValue *values);
/* Into a row of a batch; control characters but tab and newline are left out. DG_NOMEM only. */
DgStatus output_set(DgEval *ev, const OutputField *f, DgValue v, DgVector *to, int32_t row, DgError *err);
/* Text of a service without control characters, in the arena. */
DgStr output_clean(Arena *a, DgStr text);

#endif
