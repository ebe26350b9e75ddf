/* schema.h - JSON Schema (draft-07) of component files, from the descriptors and nothing else.
 *
 * Draft-07 because that is what yaml-language-server reads. The schema lets through whatever
 * `dgc check` lets through: a template may stand where a number or a list is wanted.
 */
#ifndef DGC_SCHEMA_H
#define DGC_SCHEMA_H

#include "runtime/base/base.h"
#include "runtime/component.h"

void schema_component(const DgComponent *c, StrBuf *out); /* files of this one type */
void schema_all(StrBuf *out);                             /* every type of the registry */

#endif
