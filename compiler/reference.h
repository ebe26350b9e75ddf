/* reference.h - reference pages as Markdown, from the descriptors and nothing else. */
#ifndef DGC_REFERENCE_H
#define DGC_REFERENCE_H

#include "runtime/base/base.h"
#include "runtime/component.h"

void reference_component(const DgComponent *c, StrBuf *out);
bool reference_field(const DgComponent *c, Str field, StrBuf *out); /* false: no such field */
void reference_index(StrBuf *out); /* all types, one line each */

#endif
