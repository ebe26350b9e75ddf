/* pipeline_help.h - what a built pipeline's `--help` says, where there is none at hand: for the reference. */
#ifndef DGC_PIPELINE_HELP_H
#define DGC_PIPELINE_HELP_H

#include "runtime/base/base.h"

/* A section of Markdown for each command of a pipeline called `program`. */
void pipeline_help(const char *program, StrBuf *out);

#endif
