#ifndef CKEYOVER_PROCESS_H
#define CKEYOVER_PROCESS_H

#include <spawn.h>

/// Leaves no core dump and no backtrace of this process, and lets no other process of the user attach to it; 0 on success.
int keyover_harden_process(void);

/// Makes a pipe, reading end first, whose ends no child inherits; 0 on success.
int keyover_pipe(int ends[2]);

/// Lets a child that is about to be started close every descriptor from the given one on; 0 or an error number.
int keyover_spawn_close_from(posix_spawn_file_actions_t *actions, int descriptor);

/// Lets a child that is about to be started begin in a folder; 0 or an error number.
int keyover_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path);

/// Lets two names of one file system change places, in one step; 0, or -1 with `errno`.
int keyover_exchange(const char *one, const char *other);

#endif
