/* sqlite_os.h - SQLite on the table of system calls, when faults are to be injected. */
#ifndef DG_SQLITE_OS_H
#define DG_SQLITE_OS_H

void sqlite_use_os(void); /* before the first sqlite3_open */

#endif
