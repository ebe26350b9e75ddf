/* xml.h - a small reader of XML that others wrote for machines: spreadsheets, answers of S3.
 *
 * UTF-8 only. No document type, hence no entities but the five and numbers; nothing is fetched.
 * Memory is one buffer; text longer than it comes in pieces. Names come without their prefix.
 */
#ifndef DGC_XML_H
#define DGC_XML_H

#include "runtime/base/base.h"

enum { XML_BUFFER = 64 << 10, XML_ATTRIBUTES = 64, XML_DEPTH = 64 };

typedef enum XmlKind { XML_DONE, XML_OPEN, XML_CLOSE, XML_TEXT } XmlKind;

/* Up to n bytes; *got 0: the end. */
typedef DgStatus (*XmlRead)(void *context, char *to, size_t n, size_t *got, DgError *err);

typedef struct XmlReader {
    XmlRead read;
    void *context;
    const char *what;     /* for messages: "sheet1.xml" */
    /* Of the last xml_next(), good until the next one. */
    Str name;             /* OPEN, CLOSE */
    Str text;             /* TEXT: entities replaced */
    struct { Str name, value; } attributes[XML_ATTRIBUTES]; /* OPEN */
    int32_t attributes_count;
    int32_t depth;        /* elements that are open; after OPEN with this one */
    /* Private */
    bool ended, close_next, seen_root;
    size_t at, end;
    char buffer[XML_BUFFER];
} XmlReader;

DgStatus xml_next(XmlReader *x, XmlKind *kind, DgError *err);
Str xml_attribute(const XmlReader *x, const char *name); /* empty: not there */
/* A source that is in memory: context of xml_read_memory. */
typedef struct XmlMemory {
    Str rest;
} XmlMemory;
DgStatus xml_read_memory(void *context, char *to, size_t n, size_t *got, DgError *err);

#endif
