#ifndef CFAULT_INJECTION_H
#define CFAULT_INJECTION_H

// A library to be preloaded into a program under test. It counts the calls that change files below a folder, in all
// threads of the process together, and makes one of them go wrong. Nothing is called from outside; variables say what:
//
//   FAULT_BELOW   the folder, absolute; without it nothing is counted
//   FAULT_TRACE   a file outside of the folder that gets a line `NUMBER CALL PATH` for each counted call
//   FAULT_AT      the number of the call that goes wrong, from 1; without it none does
//   FAULT_KIND    kill      the process is killed before the call
//                 torn      half of what was to be written is, then the process is killed
//                 28, 5 ... the call fails with this error number (ENOSPC, EIO)
//   FAULT_SPAN    once, or on: all later calls fail as well, and the first write is merely cut short if it has an error

#endif
