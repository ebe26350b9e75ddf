/* sbom.h - what an executable is made of, as CycloneDX 1.5 JSON. Known, not scanned. */
#ifndef DGC_SBOM_H
#define DGC_SBOM_H

#include "compiler/plan.h"

Str sbom_json(Arena *a, const Plan *plan);

#endif
