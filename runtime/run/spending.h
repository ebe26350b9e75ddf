/* spending.h - what all steps of a run together may spend on services that cost money.
 *
 * Hard: a call begins only when what it may cost at most is left, or when no other call of the run is under way; so what
 * is spent exceeds a limit by one call at the most.
 */
#ifndef DG_SPENDING_H
#define DG_SPENDING_H

#include <pthread.h>

#include "runtime/base/base.h"

typedef struct SpendingMax { /* 0: no limit */
    double usd;
    int64_t tokens, calls;
} SpendingMax;

typedef struct Spending {
    pthread_mutex_t lock;
    SpendingMax max;
    double usd, usd_taken;          /* spent; of calls under way, at most */
    int64_t tokens, tokens_taken;
    int64_t calls, under_way;
} Spending;

typedef struct Spent { /* of one call */
    double usd;
    int64_t tokens;
} Spent;

void spending_open(Spending *s, SpendingMax max);
void spending_close(Spending *s);
/* Takes what a call may cost. False: `why` tells which limit; *may_change: others under way hold it, not yet spent. */
bool spending_take(Spending *s, Spent most, bool *may_change, char why[120]);
/* A call that an earlier run began, to be settled in this one: no limit stops it any more. */
void spending_adopt(Spending *s);
/* The call ended, and cost `real`; or it was not made after all (`made` false). */
void spending_settle(Spending *s, Spent most, Spent real, bool made);

#endif
