/* power.h - what a loss of power would undo: changes of files that no fsync has followed. fault.c
 * tells of each call of the table; nobody else includes it. Unlinking, and renaming over something,
 * count as done at once: a disk may do them early. So do the writes of SQLite (pwrite), which syncs
 * on its own. */
#ifndef DG_OS_POWER_H
#define DG_OS_POWER_H

#include <stddef.h>

/* Before n bytes are written. */
void power_writes(int fd, size_t n);
/* After the call. */
void power_renamed(const char *from, const char *to);
void power_exchanged(const char *a, const char *b); /* two names of one folder */
void power_synced(int fd);
/* Undoes what is not on disk, the latest first. */
void power_lost(void);

#endif
