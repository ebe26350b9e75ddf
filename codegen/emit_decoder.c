/* emit_decoder.c - prints a decoder: a straight line of calls for each record. */
#include "codegen/emit_decoder.h"

static const char *call_of(const DgColumn *c, bool json)
{
    switch ((DgTypeKind)c->type.kind) {
    case DG_BOOL: return "bool";
    case DG_FLOAT32:
    case DG_FLOAT64: return "double";
    case DG_DECIMAL: return "decimal";
    case DG_DATE: return "date";
    case DG_TIMESTAMP:
    case DG_TIMESTAMPTZ: return "timestamp";
    case DG_TEXT: return "text";
    case DG_JSON: return json ? "raw" : "text";
    default: return "int";
    }
}

static Str c_char(Arena *a, char c)
{
    if (!c)
        return S("0");
    if (c == '\t')
        return S("'\\t'");
    return c == '\'' || c == '\\' ? str_format(a, "'\\%c'", c) : str_format(a, "'%c'", c);
}

static void emit_csv(Emit *e, Arena *a, const DgDecoderDecl *d)
{
    Str delimiter = c_char(a, d->delimiter ? d->delimiter : ','), quote = c_char(a, d->quote);
    Str escape = c_char(a, d->escape ? d->escape : d->quote);
    emit_line(e, "if (block->map)");
    emit_line(e, "    return dg_decode_generic(block, out, DG_CSV, %.*s, %.*s, %.*s, err);", FMT(delimiter),
              FMT(quote), FMT(escape));
    emit_line(e, "DgCsv c;");
    emit_line(e, "dg_csv_begin(&c, block, out, %.*s, %.*s, %.*s);", FMT(delimiter), FMT(quote), FMT(escape));
    emit_open(e, "while (dg_csv_next(&c))");
    for (int32_t i = 0; i < d->columns_count; i++)
        emit_line(e, "dg_csv_%s(&c, %d); /* %.*s */", call_of(&d->columns[i], false), i, FMT(d->columns[i].name));
    emit_line(e, "dg_csv_end(&c);");
    emit_close(e, "");
    emit_line(e, "return dg_csv_done(&c, err);");
}

static void emit_json(Emit *e, Arena *a, const DgDecoderDecl *d)
{
    emit_line(e, "int32_t seen[%d];", d->columns_count);
    emit_line(e, "DgJson j;");
    emit_line(e, "dg_json_begin(&j, block, out, seen);");
    emit_open(e, "while (dg_json_next(&j))");
    for (int32_t i = 0; i < d->columns_count; i++) {
        const DgColumn *c = &d->columns[i];
        StrBuf key = {0};
        buf_json(&key, c->path.len ? c->path : c->name);
        buf_char(&key, ':');
        Str quoted = str_copy(a, buf_str(&key));
        buf_free(&key);
        emit_line(e, "if (dg_json_key(&j, %.*s, %td))", FMT(c_string(a, quoted)), quoted.len);
        emit_line(e, "    dg_json_%s(&j, %d);", call_of(c, true), i);
    }
    emit_line(e, "dg_json_rest(&j);");
    emit_line(e, "dg_json_end(&j);");
    emit_close(e, "");
    emit_line(e, "return dg_json_done(&j, err);");
}

void emit_decoder(Emit *e, Str name, const DgDecoderDecl *decl, Span at)
{
    Arena *a = emit_arena(e);
    assert(decl->columns_count > 0);
    EmitSection before = emit_section(e, EMIT_FUNCS);
    emit_at(e, at);
    emit_open(e, "static DgStatus %.*s(DgBlock *block, DgBatch *out, DgError *err)", FMT(name));
    if (decl->format == DG_CSV)
        emit_csv(e, a, decl);
    else
        emit_json(e, a, decl);
    emit_close(e, "\n");
    emit_section(e, before);
}
