#ifndef CKEYOVER_SQLITE_H
#define CKEYOVER_SQLITE_H

/// Puts an open SQLite database (a `sqlite3 *`) into defensive mode: no writes past the file format, no trusted schema,
/// no triggers, views or extensions; 0 on success.
int keyover_harden_database(void *database);

#endif
