/* pack.h - several rows in one call: {"rows":[{"row":1,"text":...},...]} asked, {"answers":[{"row":1,...},...]} answered.
 *
 * Rows go as JSON, so that no row's text can pass for the end of one or the beginning of another. Rows are numbered from
 * one in each call.
 */
#ifndef DGC_LLM_PACK_H
#define DGC_LLM_PACK_H

#include "runtime/llm/output.h"

#define PACK_ROW "row" /* the number's name: no field of the output may have it */
extern const char pack_rule[]; /* for the system prompt */

void pack_schema(const DgList *fields, StrBuf *out);
/* The row'th text, beginning with 1; pack_end() after the last. */
void pack_add(StrBuf *out, size_t row, Str text);
void pack_end(StrBuf *out);
/* An example of one row; false: `answer` is no JSON object, though there are fields, or memory ran out. */
bool pack_example(DgEval *ev, const DgList *fields, Str answer, StrBuf *out);
/* texts[i]: the JSON object that answers row i + 1; empty: there is none, or there are two. False: the answer cannot be
 * taken apart, or it names rows that were not asked about, so that none of it can be trusted. */
bool pack_split(DgEval *ev, Str answer, size_t count, Str *texts);

#endif
