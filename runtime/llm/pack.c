/* pack.c - see pack.h. */
#include "runtime/llm/pack.h"

#include "runtime/os/os.h"

const char pack_rule[] = "The question is a JSON document with several rows. Each row has a text of its own. Answer each row by itself, as if it were "
                         "the only one: what one row says holds for no other. Give one answer for each row, with the number of its row.";

void pack_schema(const DgList *fields, StrBuf *out)
{
    OutputField *all = os_alloc((fields->count + 1) * sizeof *all);
    if (!all) {
        out->failed = true;
        return;
    }
    all[0] = (OutputField){.key = S(PACK_ROW), .type = OUTPUT_INT, .min = -9e15, .max = 9e15, .description = S("Number of the row.")};
    memcpy(all + 1, fields->items, fields->count * sizeof *all);
    buf_add(out, S("{\"type\":\"object\",\"properties\":{\"answers\":{\"type\":\"array\",\"items\":"));
    output_schema(&(DgList){all, fields->count + 1}, out);
    buf_add(out, S("}},\"required\":[\"answers\"],\"additionalProperties\":false}"));
    os_free(all);
}

void pack_add(StrBuf *out, size_t row, Str text)
{
    buf_format(out, row == 1 ? "{\"rows\":[{\"" PACK_ROW "\":%zu,\"text\":" : ",{\"" PACK_ROW "\":%zu,\"text\":", row);
    buf_json(out, text);
    buf_char(out, '}');
}

void pack_end(StrBuf *out)
{
    buf_add(out, S("]}"));
}

bool pack_example(DgEval *ev, const DgList *fields, Str answer, StrBuf *out)
{
    DgValue v, d = dg_new_dict(ev);
    DgError ignored;
    dg_put_str(ev, d, PACK_ROW, dgv_int(1));
    if (dg_read_json(ev, answer, &v, &ignored) != DG_OK || v.kind != DG_V_DICT) {
        if (fields->count != 1 || DG_ITEMS(OutputField, *fields)[0].type != OUTPUT_STRING)
            return false;
        v = dgv_from_str(answer);
        dg_put(ev, d, dgv_from_str(DG_ITEMS(OutputField, *fields)[0].key), v);
    }
    for (size_t i = 0; v.kind == DG_V_DICT && i < fields->count; i++) {
        const DgValue *found = dgv_get_str(v, DG_ITEMS(OutputField, *fields)[i].key);
        if (found)
            dg_put(ev, d, dgv_from_str(DG_ITEMS(OutputField, *fields)[i].key), *found);
    }
    buf_add(out, S("{\"answers\":["));
    dg_write_json(ev, out, d, 0, false);
    buf_add(out, S("]}"));
    return !out->failed;
}

bool pack_split(DgEval *ev, Str answer, size_t count, Str *texts)
{
    DgValue v;
    DgError ignored;
    memset(texts, 0, count * sizeof *texts);
    if (!output_read(ev, answer, &v, &ignored))
        return false;
    const DgValue *all = dgv_at(&v, "answers");
    bool *seen = push(ev->arena, bool, count);
    if (!seen || !all || all->kind != DG_V_LIST)
        return false;
    for (size_t i = 0; i < all->as.list->count; i++) {
        DgValue item = all->as.list->items[i];
        const DgValue *row = dgv_at(&item, PACK_ROW);
        if (!row || row->kind != DG_V_INT || row->as.i < 1 || (size_t)row->as.i > count) {
            memset(texts, 0, count * sizeof *texts);
            return false;
        }
        size_t at = (size_t)row->as.i - 1;
        StrBuf b = {0};
        if (!seen[at]) {
            dg_write_json(ev, &b, item, 0, false);
            texts[at] = b.failed ? (Str){0} : str_copy(ev->arena, buf_str(&b));
        } else {
            texts[at] = (Str){0};
        }
        seen[at] = true;
        buf_free(&b);
    }
    return true;
}
