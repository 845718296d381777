#ifndef CKEYOVER_SYSTEM_H
#define CKEYOVER_SYSTEM_H

/// Leaves no core dump of this process and lets no other process of the user attach to it; 0 on success.
int keyover_harden_process(void);

/// Puts an open SQLite database (a `sqlite3 *`) into defensive mode: no writes past the file format, no trusted schema,
/// no triggers, views or extensions; 0 on success.
int keyover_harden_database(void *database);

#endif
