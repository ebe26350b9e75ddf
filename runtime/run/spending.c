/* spending.c - see spending.h. */
#include "runtime/run/spending.h"

#include <stdio.h>

void spending_open(Spending *s, SpendingMax max)
{
    *s = (Spending){.max = max};
    pthread_mutex_init(&s->lock, NULL);
}

void spending_close(Spending *s)
{
    pthread_mutex_destroy(&s->lock);
}

bool spending_take(Spending *s, Spent most, bool *may_change, char why[120])
{
    pthread_mutex_lock(&s->lock);
    const SpendingMax *m = &s->max;
    bool alone = s->under_way == 0, tokens_gone = m->tokens && s->tokens >= m->tokens, usd_gone = m->usd > 0 && s->usd >= m->usd;
    why[0] = 0;
    if (m->calls && s->calls >= m->calls)
        snprintf(why, 120, "%lld calls for the whole run (--max-calls)", (long long)m->calls);
    else if (tokens_gone || (m->tokens && !alone && s->tokens + s->tokens_taken + most.tokens > m->tokens))
        snprintf(why, 120, "%lld tokens for the whole run (--max-tokens)", (long long)m->tokens);
    else if (usd_gone || (m->usd > 0 && !alone && s->usd + s->usd_taken + most.usd > m->usd))
        snprintf(why, 120, "US$ %.2f for the whole run (--max-usd)", m->usd);
    *may_change = why[0] && !alone && !tokens_gone && !usd_gone;
    if (!why[0]) {
        s->calls++;
        s->under_way++;
        s->tokens_taken += most.tokens;
        s->usd_taken += most.usd;
    }
    pthread_mutex_unlock(&s->lock);
    return !why[0];
}

void spending_adopt(Spending *s)
{
    pthread_mutex_lock(&s->lock);
    s->calls++;
    s->under_way++;
    pthread_mutex_unlock(&s->lock);
}

void spending_settle(Spending *s, Spent most, Spent real, bool made)
{
    pthread_mutex_lock(&s->lock);
    s->calls -= !made;
    s->under_way--;
    s->tokens_taken -= most.tokens;
    s->usd_taken -= most.usd;
    s->tokens += real.tokens;
    s->usd += real.usd;
    pthread_mutex_unlock(&s->lock);
}
