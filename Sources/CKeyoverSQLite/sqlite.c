// The call of SQLite that Swift cannot make, because it takes a variable number of arguments.

#include "CKeyoverSQLite.h"

#include <sqlite3.h>

int keyover_harden_database(void *database) {
    static const struct {
        int option;
        int value;
    } settings[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},     {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    for (unsigned index = 0; index < sizeof settings / sizeof settings[0]; index++) {
        int status = sqlite3_db_config(database, settings[index].option, settings[index].value, (int *)0);
        if (status != SQLITE_OK) {
            return status;
        }
    }
    return 0;
}
